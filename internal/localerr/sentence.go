// Package localerr creates errors that can be translated, without the packages that create them
// knowing a language.
//
// [Errorf] and [New] are those of fmt and errors, and keep their arguments. [Say] translates such
// an error, including errors among its arguments and wrapped ones, with a function that returns the
// translation of a format.
package localerr

import (
	"errors"
	"fmt"
	"strings"
)

// sentence is an error with its format and arguments.
type sentence struct {
	error  // made by fmt.Errorf: the English text, and the wrapped error
	format string
	args   []any
}

// Unwrap returns the error made by fmt.Errorf, which wraps the operands of %w.
func (s *sentence) Unwrap() error { return s.error }

// New is errors.New.
func New(text string) error { return &sentence{error: errors.New(text), format: text} }

// Errorf is fmt.Errorf. Use [New] if there are no arguments.
func Errorf(format string, args ...any) error {
	return &sentence{error: fmt.Errorf(format, args...), format: format, args: args}
}

// Say returns the text of an error, translated by t, which gets a format and its arguments. An
// error of another package keeps its own text, except for errors of this package that it wraps.
// Say(nil, t) is "".
func Say(err error, t func(english string, args ...any) string) string {
	if err == nil {
		return ""
	}
	if s, ok := err.(*sentence); ok {
		return s.say(t)
	}
	text := err.Error()
	for _, below := range wrappedErrors(err) {
		if below == nil {
			continue
		}
		// An error that hides a part of the wrapped text, such as a secret, does not contain it and
		// stays as it is.
		english := below.Error()
		if at := strings.LastIndex(text, english); at >= 0 && english != "" {
			text = text[:at] + Say(below, t) + text[at+len(english):]
		}
	}
	return text
}

func (s *sentence) say(t func(string, ...any) string) string {
	if len(s.args) == 0 {
		return t(s.format)
	}
	args := make([]any, len(s.args))
	for i, arg := range s.args {
		args[i] = arg
		if err, ok := arg.(error); ok {
			args[i] = Say(err, t)
		}
	}
	if twin := t(s.format); strings.Contains(twin, "%w") { // %w is for fmt.Errorf alone: the format was not translated
		return fmt.Sprintf(strings.ReplaceAll(twin, "%w", "%v"), args...)
	}
	return t(s.format, args...)
}

func wrappedErrors(err error) []error {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	}
	return nil
}
