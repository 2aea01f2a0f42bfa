package message

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/localerr"
)

// rawPass is one reading of a raw message.
type rawPass struct {
	header headerFilter
	see    func(line []byte, inHeader bool)
}

// filterLine processes a line or, after the header, a piece of one.
func (p *rawPass) filterLine(line []byte) (drop bool, err error) {
	if drop, err = p.header.filterLine(line); err != nil {
		return false, err
	}
	if p.see != nil {
		p.see(line, !p.header.done)
	}
	return drop, nil
}

// ErrNoMessage is found with errors.Is if a source does not begin as a message does, with header
// fields and an empty line.
var ErrNoMessage = errors.New("message: not a mail message")

// noMessage is an error that matches [ErrNoMessage] without repeating its text.
type noMessage struct{ error }

func (e noMessage) Unwrap() error        { return e.error }
func (e noMessage) Is(target error) bool { return target == ErrNoMessage }

var errLongHeader = lineError{noMessage{localerr.New("exceeds 1048576 octets of header; is this a mail message?")}}

// headerFilter reads the header block and decides which of its lines are not sent.
type headerFilter struct {
	done   bool
	octets int
	fields int
	drop   bool // drop the current field, with its continuations
	binary bool // the body may hold a NUL
	former bool // drop only what versions before decision 26 dropped
}

func (h *headerFilter) filterLine(line []byte) (drop bool, err error) {
	if bytes.IndexByte(line, 0) >= 0 && !(h.binary && h.done) {
		return false, lineError{localerr.New("contains a NUL, which mail can't carry")}
	}
	if h.done {
		return false, nil
	}
	if len(line) == 0 {
		h.done = true
		return false, nil
	}
	if h.octets += len(line); h.octets > maxRawHeader {
		return false, errLongHeader
	}
	if !utf8.Valid(line) {
		return false, lineError{localerr.New("is in the header but neither ASCII nor UTF-8")}
	}
	if line[0] == ' ' || line[0] == '\t' {
		if h.fields == 0 {
			return false, lineError{noMessage{localerr.New("starts with a space, but no header field precedes it; is this a mail message?")}}
		}
		// Parsers disagree on whether a line of blanks ends the header.
		return h.drop || len(bytes.Trim(line, " \t")) == 0, nil
	}
	name, _, ok := cutField(line)
	if !ok {
		// The line is not quoted: a file given by mistake may be a secret.
		return false, lineError{noMessage{localerr.New("is not a header field; is this a mail message?")}}
	}
	h.fields++
	h.drop = isDropped(name) && !h.former || isBcc(name)
	return h.drop, nil
}

// isDropped reports whether a field, its name in lower case, is never sent: hidden recipients,
// and the fields of the mailbox that contained the message. With Delivered-To servers would
// detect a loop, and other marks of a mailbox reveal how its owner sorts mail.
func isDropped(lower string) bool {
	switch lower {
	case "return-path", "delivered-to", "x-original-to", "x-delivered-to", "envelope-to", "x-envelope-to", "delivery-date",
		"status", "x-status", "x-keywords", "x-uid", "x-uidl", "x-imap", "x-imapbase", "content-length", "lines",
		"x-account-key", "x-identity-key", "fcc", "x-fcc", "x-evolution", "x-evolution-source",
		"x-gmail-labels", "x-gm-thrid", "x-gm-msgid":
		return true
	}
	return isBcc(lower) || strings.HasPrefix(lower, "x-mozilla-")
}

// IsMailboxField reports whether [OpenRaw] leaves a field out because a mailbox adds it, such as
// Return-Path.
func IsMailboxField(name string) bool {
	lower := strings.ToLower(name)
	return isDropped(lower) && !isBcc(lower)
}

func isBcc(lower string) bool { return lower == "bcc" || lower == "resent-bcc" }

// cutField splits the first line of a header field; name is in lower case. A blank before the
// colon is obsolete (RFC 5322 section 4.5) but accepted, so that a "Bcc :" is recognized.
func cutField(line []byte) (name, value string, ok bool) {
	before, after, ok := strings.Cut(string(line), ":")
	name = strings.ToLower(strings.TrimRight(before, " \t"))
	if !ok || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", "", false
	}
	return name, after, true
}
