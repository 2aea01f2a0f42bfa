// Package sentence makes errors that can be said in another language than
// English, without the packages that make them knowing any.
//
// [Errorf] and [New] are those of fmt and errors, and keep what they are given;
// [Say] says such an error, those among its arguments and those that another
// error wraps, by a function that knows the other language's twin of a format.
package sentence

import (
	"errors"
	"fmt"
	"strings"
)

// sentence is an error with what it was made of.
type sentence struct {
	error  // as fmt.Errorf made it: the English text, and what it wraps
	format string
	args   []any
}

// Unwrap leads to what %w stood for.
func (s *sentence) Unwrap() error { return s.error }

// New is errors.New.
func New(text string) error { return &sentence{error: errors.New(text), format: text} }

// Errorf is fmt.Errorf. What needs no arguments belongs to [New].
func Errorf(format string, args ...any) error {
	return &sentence{error: fmt.Errorf(format, args...), format: format, args: args}
}

// Say says an error by t, which gives a format in another language, and puts its
// arguments in when there are any. What was not made here is said as it is, but for the
// part of it that was. The text of nil is "".
func Say(err error, t func(english string, args ...any) string) string {
	if err == nil {
		return ""
	}
	if s, ok := err.(*sentence); ok {
		return s.say(t)
	}
	text := err.Error()
	for _, below := range wrapped(err) {
		if below == nil {
			continue
		}
		// What hides a part of the error below it, a secret say, does not hold its
		// text any more, and stays.
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
	if twin := t(s.format); strings.Contains(twin, "%w") { // which is for fmt.Errorf alone: it was not translated
		return fmt.Sprintf(strings.ReplaceAll(twin, "%w", "%v"), args...)
	}
	return t(s.format, args...)
}

func wrapped(err error) []error {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	}
	return nil
}
