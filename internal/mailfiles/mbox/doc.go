// Package mbox finds the messages of an mbox file (RFC 4155) by its structure.
//
// A file whose first line begins with "From " and is no header field is an mbox
// file; such a line is called a From_ line. Each further From_ line between an
// empty line and a header field begins a message if it looks like the first one:
// the same fields of a date in the same order, whatever their spelling. So Yan
// needs no list of date formats, and a message is never joined to the one before
// it because of a date that Yan does not know.
//
// A From_ line that may or may not begin a message makes the file ambiguous, and
// [Split] refuses it: joined wrongly, a message goes to strangers; split wrongly,
// a quoted message does. [Rule] says how to read such a file.
//
// Content-Length is believed if it leads exactly to a From_ line or to the end,
// counted in octets or, after line ends became CR LF, as if each were one octet.
// From_ lines in between are then text, and no line is unquoted: programs that
// write the field do not quote. In all other messages one ">" is removed from
// lines that begin with ">" and "From ", as in the variant mboxrd.
package mbox

import "fmt"

// Rule says how to read a From_ line that does not look like the first one of the file but is
// between an empty line and a header field.
type Rule int

// The rules.
const (
	// Refuse is the zero Rule: the file is an [UnlikeError].
	Refuse Rule = iota
	// Alike treats the line as text.
	Alike
	// Every treats it as the beginning of a message.
	Every
)

// Mark is the state of a message in its mailbox.
type Mark int

// The marks.
const (
	// Live is a message without a mark.
	Live Mark = iota
	// Deleted is a message that its owner deleted and the mail program has not yet removed from the
	// file.
	Deleted
	// Draft is an unfinished message.
	Draft
	// Internal is not a message: a mail server keeps data of the folder in it.
	Internal
)

// Part is the place of a message in an mbox file.
type Part struct {
	// Start and End are its offsets in octets, without its From_ line and the empty line after it.
	Start, End int64
	// Line is the number of its From_ line, from 1.
	Line int
	// Quoted reports whether a ">" has to be removed from some line.
	Quoted bool
	Mark   Mark
}

// GluedError is a From_ line with a header field after it and no empty line
// before it.
type GluedError struct{ Line int }

func (e *GluedError) Error() string {
	return fmt.Sprintf("line %d looks like the beginning of a message, but the line before it is not empty", e.Line)
}

// UnlikeError is a From_ line that does not look like the first one of the file,
// between an empty line and a header field.
type UnlikeError struct{ Line int }

func (e *UnlikeError) Error() string {
	return fmt.Sprintf("line %d may begin a message or be quoted in one: it does not look like line 1", e.Line)
}

// BareError is a From_ line that looks like the first one, with an empty line
// before it and no header field after it.
type BareError struct{ Line int }

func (e *BareError) Error() string {
	return fmt.Sprintf("line %d looks like the beginning of a message, but no header field follows", e.Line)
}
