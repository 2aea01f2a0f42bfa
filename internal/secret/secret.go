package secret

import "errors"

// Kind is where a secret may be.
type Kind string

// The kinds of source.
const (
	// Kept is the system's keyring or, where there is none, the encrypted file.
	Kept Kind = ""
	// File is the first line of a file that only its owner can read.
	File Kind = "file"
	// Command is the first line that a command prints. It is run by the shell,
	// with standard input and error those of the program: it may ask.
	Command Kind = "command"
	// Env is a variable of the environment.
	Env Kind = "env"
	// Netrc is the password of a machine and login in a netrc file.
	Netrc Kind = "netrc"
	// Credential is a systemd credential: a file in $CREDENTIALS_DIRECTORY.
	Credential Kind = "credential"
)

// Source says where a secret is. The zero value is [Kept].
type Source struct {
	Kind Kind
	// Value is the file, command line, variable, netrc file ("" for $NETRC or
	// ~/.netrc) or credential. It is nothing secret.
	Value string
}

// Key names a secret: the account that it belongs to and what it is.
type Key struct {
	Account string // as in the configuration
	Item    string // "password" or "oauth2"
	// Host and User find the entry of a netrc file.
	Host, User string
}

// Keyring is the system's store of secrets. Get's error is [ErrNotFound] when
// there is no such entry.
type Keyring interface {
	Get(service, user string) (string, error)
	Set(service, user, secret string) error
	Delete(service, user string) error
}

// ErrNotFound: nothing is kept under that key.
var ErrNotFound = errors.New("no such secret is kept")

// Problem says what is wrong with a source, as a stable word.
type Problem string

// The problems.
const (
	NotFound      Problem = "not_found"      // no such entry, file, variable, machine
	Empty         Problem = "empty"          // found, and nothing in it
	SeveralLines  Problem = "several_lines"  // the file or output holds more than the secret
	Readable      Problem = "readable"       // others can read the file
	Unreadable    Problem = "unreadable"     // no permission, or a folder
	CommandFailed Problem = "command_failed" // or could not be started
	Locked        Problem = "locked"         // the keyring is locked and nobody unlocked it
	Unavailable   Problem = "unavailable"    // there is no keyring, and no passphrase for the file
	Passphrase    Problem = "passphrase"     // the passphrase of the encrypted file is wrong
	Damaged       Problem = "damaged"        // the encrypted file or the netrc can't be read
	Unwritable    Problem = "unwritable"     // the encrypted file can't be written
)

// Error is what is wrong with a source.
type Error struct {
	Problem Problem
	Source  Source
	// Path is the file that it is about, where it is about one.
	Path string
	Err  error // never holds a secret; may be nil
}

func (e *Error) Error() string { return string(e.Problem) }
func (e *Error) Unwrap() error { return e.Err }
