package account

import (
	"fmt"
	"strings"

	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/smtp"
)

// The errors that a caller tells apart.
var (
	// ErrNone: no account fits, and there is no default.
	ErrNone = sentence.New("no account is configured for this sender")
	// ErrChanged: the file is not what it was when it was read.
	ErrChanged = sentence.New("the configuration was changed by another program meanwhile")
)

// UnknownAccountError: there is no account of that name.
type UnknownAccountError struct {
	Name string
	Near []string // names like it, the nearest first
}

func (e *UnknownAccountError) Error() string { return e.Unwrap().Error() }

// Unwrap is what Error says, as the command line can say it in another language.
func (e *UnknownAccountError) Unwrap() error {
	return sentence.Errorf("there is no account %q", e.Name)
}

// AmbiguousError: several accounts serve the sender, none better than the others.
type AmbiguousError struct {
	From  smtp.Address
	Names []string
}

func (e *AmbiguousError) Error() string { return e.Unwrap().Error() }

// Unwrap is what Error says, as the command line can say it in another language.
func (e *AmbiguousError) Unwrap() error {
	return sentence.Errorf("several accounts serve %s: %s", e.From, strings.Join(e.Names, ", "))
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
	FaultWritable   Fault = "writable"    // others can write the file, whose commands would run
)

// Faults lists all of them.
func Faults() []Fault {
	return []Fault{FaultSyntax, FaultVersion, FaultUnknownKey, FaultValue, FaultSecret, FaultReference, FaultWritable}
}

// ParseError says what is wrong with a configuration, and where.
type ParseError struct {
	Path         string
	Line, Column int // from 1; 0 when it has none
	Fault        Fault
	Key          string // dotted, "account.qq.form"; "" when it is about none
	Near         string // the nearest known key; "" when none is near
	Err          error  // holds nothing secret
}

// Error names place and key as compilers do.
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
