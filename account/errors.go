package account

import (
	"fmt"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// The errors that a caller may compare with.
var (
	// ErrNone: no account fits, and there is no default.
	ErrNone = localerr.New("no account is configured for this sender")
	// ErrChanged: the file differs from the one that was read.
	ErrChanged = localerr.New("another program changed the configuration at the same time")
)

// UnknownAccountError: no account has that name.
type UnknownAccountError struct {
	Name string
	Near []string // similar names, the nearest first
}

func (e *UnknownAccountError) Error() string { return e.Unwrap().Error() }

// Unwrap returns the same sentence in a form that the command line can translate.
func (e *UnknownAccountError) Unwrap() error {
	return localerr.Errorf("unknown account %q", e.Name)
}

// AmbiguousError: several accounts serve the sender equally well.
type AmbiguousError struct {
	From  smtp.Address
	Names []string
}

func (e *AmbiguousError) Error() string { return e.Unwrap().Error() }

// Unwrap returns the same sentence in a form that the command line can translate.
func (e *AmbiguousError) Unwrap() error {
	return localerr.Errorf("several accounts can send as %s: %s", e.From, strings.Join(e.Names, ", "))
}

// Fault is the kind of error in a configuration, as a stable word.
type Fault string

// The faults.
const (
	FaultSyntax     Fault = "syntax"      // not TOML
	FaultVersion    Fault = "version"     // of a newer program
	FaultUnknownKey Fault = "unknown_key" // Near is the nearest known key
	FaultValue      Fault = "value"       // of the wrong kind, or unusable
	FaultSecret     Fault = "secret"      // the file contains a password
	FaultReference  Fault = "reference"   // names an account that does not exist
	FaultWritable   Fault = "writable"    // others can write the file, whose commands Yan runs
)

// Faults lists all faults.
func Faults() []Fault {
	return []Fault{FaultSyntax, FaultVersion, FaultUnknownKey, FaultValue, FaultSecret, FaultReference, FaultWritable}
}

// ParseError is an error in a configuration, with its place.
type ParseError struct {
	Path         string
	Line, Column int // from 1; 0 if unknown
	Fault        Fault
	Key          string // dotted, "account.qq.form"; "" if no key is meant
	Near         string // the nearest known key; "" if none is near
	Err          error  // contains no secret
}

// Error puts place and key first, as compilers do.
func (e *ParseError) Error() string {
	where := e.Path
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d:%d", e.Path, e.Line, e.Column)
	}
	if e.Key != "" {
		where += ": " + e.Key
	}
	if e.Near != "" {
		return fmt.Sprintf("%s: %v; %s is meant perhaps", where, e.Err, e.Near)
	}
	return fmt.Sprintf("%s: %v", where, e.Err)
}

func (e *ParseError) Unwrap() error { return e.Err }
