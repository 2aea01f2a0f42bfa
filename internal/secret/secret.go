package secret

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// SourceKind is the kind of a Source.
type SourceKind string

// The kinds of source.
const (
	// Stored is the system's keyring or, if there is none, the encrypted file.
	Stored SourceKind = ""
	// File is a file of one line that only its owner can read. A pipe is allowed (/dev/fd/3).
	File SourceKind = "file"
	// Command is the first line of a command's output; as with "pass show", further lines are
	// notes. The shell runs the command. It gets the program's standard error and, if that is a
	// terminal, its standard input, so that it can ask.
	Command SourceKind = "command"
	// Env is an environment variable.
	Env SourceKind = "env"
	// Netrc is the password of a machine and login in a netrc file that only its owner can read.
	Netrc SourceKind = "netrc"
	// Credential is a systemd credential: a file in $CREDENTIALS_DIRECTORY.
	Credential SourceKind = "credential"
)

// Source says where a secret is. The zero value is [Stored].
type Source struct {
	Kind SourceKind
	// Value is the file, command line, variable, netrc file ("" for $NETRC or ~/.netrc, on Windows
	// ~/_netrc) or credential. It is not secret. Files may begin with ~/.
	Value string
}

// Key identifies a secret by its account and item.
type Key struct {
	Account string // as in the configuration
	Item    string // "password" or "oauth2"
	// Host and User select the entry of a netrc file.
	Host, User string
	// For is the login that a secret is for: user and server. It is stored with the secret, which
	// is returned for no other login. "" is not compared.
	For string
}

// name is the secret's name in the keyring and the encrypted file.
func (k Key) name() string { return k.Account + "/" + k.Item }

// Problem says what is wrong with a source. The words are stable.
type Problem string

// The problems.
const (
	NotFound      Problem = "not_found"      // no such entry, file, variable, machine
	Empty         Problem = "empty"          // found but empty; or the secret to store is empty
	SeveralLines  Problem = "several_lines"  // the file or variable has more lines than the secret
	Readable      Problem = "readable"       // others can read the file, or it belongs to another user (ErrForeign)
	Unreadable    Problem = "unreadable"     // no permission, a directory, or not text
	CommandFailed Problem = "command_failed" // or could not be started
	Locked        Problem = "locked"         // the keyring is locked and was not unlocked
	Unavailable   Problem = "unavailable"    // no keyring or a failing one, and no passphrase for the file
	Passphrase    Problem = "passphrase"     // the passphrase of the encrypted file is wrong
	Damaged       Problem = "damaged"        // the encrypted file, the netrc or an entry of the keyring is invalid
	OtherLogin    Problem = "other_login"    // the stored secret is for another server or user
	Unwritable    Problem = "unwritable"     // the encrypted file can't be written
	Stuck         Problem = "stuck"          // the command did not end in time (ErrNoTerminal)
)

// ErrForeign is wrapped by an Error of [Readable] if the file belongs to another user: chmod does
// not help then.
var ErrForeign = errors.New("it belongs to another user")

// ErrNoTerminal is wrapped by an Error of [Stuck] if the command had no terminal on which to ask.
var ErrNoTerminal = errors.New("it has no terminal to ask on")

// Error is a problem with a source.
type Error struct {
	Problem Problem
	// Source is the source with the problem: the one that was asked for or, if that is Stored and
	// its passphrase can't be read, the source of the passphrase.
	Source Source
	// Key identifies the secret.
	Key Key
	// Path is the file concerned, if there is one.
	Path string
	// For is, with OtherLogin, the login that the secret was stored for; "" if unknown.
	For string
	Err error // never holds a secret; may be nil
}

func (e *Error) Unwrap() error { return e.Err }

// Error describes the problem in English: the source, the problem and the reason.
func (e *Error) Error() string {
	switch {
	case e.For != "":
		return fmt.Sprintf("%s: kept for %s, not for %s", e.subject(), e.For, e.Key.For)
	case e.Err == nil:
		return e.subject() + ": " + e.Problem.english()
	case errors.Is(e.Err, ErrLocked): // whose text says so already
		return e.subject() + ": " + e.Err.Error()
	}
	return e.subject() + ": " + e.Problem.english() + ": " + e.Err.Error()
}

// Format writes the text of Error for every verb: Source.Value may be an "echo" with the secret.
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
		// Not the arguments: they may be "echo" and the secret.
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

// ProgramOf returns the program that a command line starts. more reports whether the line has
// arguments or variable assignments, which may hold a secret.
func ProgramOf(command string) (program string, more bool) {
	words := strings.Fields(command)
	for i, word := range words {
		name, _, found := strings.Cut(word, "=")
		if found && isVariable(name) {
			if strings.ContainsAny(word, "'\"`$\\") {
				return "", true // its value may continue after a space
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

// Trim removes characters that are often pasted along with a secret: white space, line ends and
// no-break spaces around it, and invisible characters (byte order marks, zero-width spaces,
// directional marks).
func Trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
}
