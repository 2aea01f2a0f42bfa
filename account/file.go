package account

import (
	"errors"
	"fmt"
	"strings"

	"github.com/yanmail/yan/smtp"
)

// Version is that of the format which this program writes and reads.
const Version = 1

// File is a configuration in memory. It is for one goroutine.
type File struct {
	path string
}

// Path is where the configuration is: $YAN_CONFIG, else config.toml in the
// folder yan of $XDG_CONFIG_HOME, ~/.config, or on Windows %AppData%.
func Path(getenv func(string) string) (string, error) { return "", nil }

// Load reads a configuration. One that does not exist is empty. The error is a
// [*ParseError] when the file can be read and not understood.
func Load(path string) (*File, error) { return &File{path: path}, nil }

// Path is where the file was read, and where Save writes.
func (f *File) Path() string { return f.path }

// Exists reports whether there was a file.
func (f *File) Exists() bool { return false }

// Accounts are those of the file, in its order.
func (f *File) Accounts() []Account { return nil }

// Account finds one by its name.
func (f *File) Account(name string) (Account, bool) { return Account{}, false }

// Default is the name of the default account: the one that the file says, or
// the only one; "" when there is none.
func (f *File) Default() string { return "" }

// Choose picks an account: the one of that name; else the one whose From is the
// sender, then without its +detail, then the one whose Match fits; else the
// default. The error is an [*UnknownError] or an [*AmbiguousError], or
// [ErrNone] when there is nothing to choose.
func (f *File) Choose(name string, from smtp.Address) (Account, error) { return Account{}, ErrNone }

// Put adds an account, or changes the keys of the one of that name that differ.
func (f *File) Put(a Account) error { return nil }

// Remove takes an account out, with the comments above it.
func (f *File) Remove(name string) error { return nil }

// SetDefault names the default account.
func (f *File) SetDefault(name string) error { return nil }

// Bytes is the file as Save writes it.
func (f *File) Bytes() []byte { return nil }

// Save writes the file, whole or not at all, for its owner alone. The error is
// [ErrChanged] when somebody else changed it since it was read.
func (f *File) Save() error { return nil }

// The errors that a caller tells apart.
var (
	// ErrNone: no account fits, and there is no default.
	ErrNone = errors.New("no account is configured for this sender")
	// ErrChanged: the file is not what it was when it was read.
	ErrChanged = errors.New("the configuration was changed by another program meanwhile")
)

// UnknownError: there is no account of that name.
type UnknownError struct {
	Name string
	Near []string // names like it, the nearest first
}

func (e *UnknownError) Error() string { return fmt.Sprintf("there is no account %q", e.Name) }

// AmbiguousError: several accounts serve the sender, none better than the others.
type AmbiguousError struct {
	From  smtp.Address
	Names []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("several accounts serve %s: %s", e.From, strings.Join(e.Names, ", "))
}

// Fault says what is wrong with a configuration, as a stable word.
type Fault string

// The faults.
const (
	FaultSyntax     Fault = "syntax"      // it is not TOML
	FaultVersion    Fault = "version"     // of a newer program
	FaultUnknownKey Fault = "unknown_key" // Near names the nearest
	FaultValue      Fault = "value"       // of the wrong kind, or senseless
	FaultSecret     Fault = "secret"      // a password stands in the file in clear
	FaultReference  Fault = "reference"   // names an account that there is not
)

// ParseError says what is wrong with a configuration, and where.
type ParseError struct {
	Path         string
	Line, Column int // from 1; 0 when it has none
	Fault        Fault
	Key          string // dotted, "account.qq.form"
	Near         string // the nearest known key; "" when none is near
	Err          error
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s: %v", e.Path, e.Line, e.Column, e.Key, e.Err)
}
func (e *ParseError) Unwrap() error { return e.Err }
