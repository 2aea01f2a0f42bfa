package secret

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Kind is where a secret may be.
type Kind string

// The kinds of source.
const (
	// Kept is the system's keyring or, where there is none, the encrypted file.
	Kept Kind = ""
	// File is the one line of a file that only its owner can read. A pipe will do,
	// too (/dev/fd/3).
	File Kind = "file"
	// Command is the first line that a command prints, as "pass show" has it:
	// further lines are notes. The shell runs it. Its standard error is that of
	// the program, its standard input, too, where this is a terminal: it may ask.
	Command Kind = "command"
	// Env is a variable of the environment.
	Env Kind = "env"
	// Netrc is the password of a machine and login in a netrc file that only its
	// owner can read.
	Netrc Kind = "netrc"
	// Credential is a systemd credential: a file in $CREDENTIALS_DIRECTORY.
	Credential Kind = "credential"
)

// Source says where a secret is. The zero value is [Kept].
type Source struct {
	Kind Kind
	// Value is the file, command line, variable, netrc file ("" for $NETRC or
	// ~/.netrc, on Windows ~/_netrc) or credential. It is nothing secret. Files may
	// begin with ~/.
	Value string
}

// Key names a secret: the account that it belongs to and what it is.
type Key struct {
	Account string // as in the configuration
	Item    string // "password" or "oauth2"
	// Host and User find the entry of a netrc file.
	Host, User string
	// For is what a secret is kept for: who logs in, and where. It is kept beside
	// the secret, which is given for nothing else. "" is not compared.
	For string
}

// name is how a keyring and the encrypted file call it.
func (k Key) name() string { return k.Account + "/" + k.Item }

// Problem says what is wrong with a source, as a stable word.
type Problem string

// The problems.
const (
	NotFound      Problem = "not_found"      // no such entry, file, variable, machine
	Empty         Problem = "empty"          // found, and nothing in it; or nothing was given to keep
	SeveralLines  Problem = "several_lines"  // the file or variable holds more than the secret
	Readable      Problem = "readable"       // others can read the file, or it is another's (ErrForeign)
	Unreadable    Problem = "unreadable"     // no permission, a folder, or no text
	CommandFailed Problem = "command_failed" // or could not be started
	Locked        Problem = "locked"         // the keyring is locked and nobody unlocked it
	Unavailable   Problem = "unavailable"    // there is no keyring or it fails, and no passphrase for the file
	Passphrase    Problem = "passphrase"     // the passphrase of the encrypted file is wrong
	Damaged       Problem = "damaged"        // the encrypted file, the netrc or an entry of the keyring makes no sense
	OtherLogin    Problem = "other_login"    // what is kept is for another server or user
	Unwritable    Problem = "unwritable"     // the encrypted file can't be written
	Stuck         Problem = "stuck"          // the command did not end in time (ErrNoTerminal)
)

// ErrForeign is what an Error of [Readable] wraps when the file belongs to
// another user: chmod does not help then.
var ErrForeign = errors.New("it belongs to another user")

// ErrNoTerminal is what an Error of [Stuck] wraps when the command had no terminal:
// whatever it asked, nobody could answer.
var ErrNoTerminal = errors.New("it has no terminal to ask on")

// Error is what is wrong with a source.
type Error struct {
	Problem Problem
	// Source is what it is about: the one that was asked for or, when this is Kept
	// and its passphrase can't be read, that of the passphrase.
	Source Source
	// Key is whose secret it is.
	Key Key
	// Path is the file that it is about, where it is about one.
	Path string
	// For is what the secret was kept for, with OtherLogin; "" where nothing says it.
	For string
	Err error // never holds a secret; may be nil
}

func (e *Error) Unwrap() error { return e.Err }

// Error says it in English: to what it happened, what, and why.
func (e *Error) Error() string {
	switch {
	case e.For != "":
		return fmt.Sprintf("%s: kept for %s, not for %s", e.subject(), e.For, e.Key.For)
	case e.Err == nil:
		return e.subject() + ": " + e.Problem.english()
	case errors.Is(e.Err, ErrLocked): // which says it itself
		return e.subject() + ": " + e.Err.Error()
	}
	return e.subject() + ": " + e.Problem.english() + ": " + e.Err.Error()
}

// Format writes the same whatever the verb: Source.Value may be an "echo" with
// the secret.
func (e *Error) Format(f fmt.State, verb rune) {
	if verb == 'v' {
		verb = 's'
	}
	_, _ = fmt.Fprintf(f, "%"+string(verb), e.Error())
}

func (e *Error) subject() string {
	switch e.Source.Kind {
	case File:
		return "file " + e.Path
	case Command:
		// Not the arguments: somebody will have written "echo" and the secret.
		word, _ := ProgramOf(e.Source.Value)
		return strings.TrimSpace("command " + word)
	case Env:
		return "variable " + e.Source.Value
	case Netrc:
		return "netrc file " + e.Path
	case Credential:
		return "credential " + e.Source.Value
	}
	if e.Path != "" {
		return "encrypted file " + e.Path
	}
	return e.Key.Item + " of account " + e.Key.Account
}

// ProgramOf is the program that a command line starts, and whether there is more to
// it, which may be a secret: arguments, and variables before it.
func ProgramOf(command string) (program string, more bool) {
	words := strings.Fields(command)
	for i, word := range words {
		name, _, found := strings.Cut(word, "=")
		if found && isVariable(name) {
			if strings.ContainsAny(word, "'\"`$\\") {
				return "", true // its value may go on behind a space
			}
			continue
		}
		return word, len(words) > 1 || i > 0
	}
	return "", len(words) > 0
}

func isVariable(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

func (p Problem) english() string {
	switch p {
	case NotFound:
		return "not found"
	case Empty:
		return "nothing in it"
	case SeveralLines:
		return "several lines, want the secret alone"
	case Readable:
		return "others can read it"
	case Unreadable:
		return "can't be read"
	case CommandFailed:
		return "failed"
	case Locked:
		return "the keyring is locked"
	case Unavailable:
		return "out of reach"
	case Passphrase:
		return "wrong passphrase"
	case Damaged:
		return "damaged"
	case OtherLogin:
		return "kept for another login"
	case Unwritable:
		return "can't be written"
	case Stuck:
		return "does not end"
	}
	return string(p)
}

// Trim takes off what people paste along with a secret: white space, line ends
// and no-break spaces around it, and what can't be seen (byte order marks,
// zero-width spaces, marks of direction).
func Trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
}
