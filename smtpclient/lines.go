package smtpclient

import (
	"bytes"
	"errors"
	"fmt"
	"unsafe"
)

// lineWriter writes a message with stuffed dots (RFC 5321 section 4.5.2), and refuses a lone CR or
// LF, with which the server might see other lines than we do (RFC 5321 section 2.3.8; "SMTP
// smuggling").
//
// It holds back the last octet: a source that fails after it, or continues, must not have
// completed a chunk.
type lineWriter struct {
	w         *countingWriter
	dots      bool
	binary    bool  // no lines (RFC 3030 section 3)
	limit     int64 // the announced size
	n         int64
	lineStart bool // the next octet begins a line
	cr        bool // the last octet was a CR
	last      byte // the octet held back
	err       error
}

var (
	errBareCR  = errors.New("a CR that is not followed by an LF")
	errBareLF  = errors.New("an LF that is not preceded by a CR")
	errTooLong = errors.New("it is longer than announced")
	errShort   = errors.New("it is shorter than announced")
	errNoEnd   = errors.New("it does not end with CRLF")
)

// Write keeps its first error: a source that ignores it and continues can't succeed.
func (l *lineWriter) Write(p []byte) (int, error) {
	if l.err == nil && l.n+int64(len(p)) > l.limit {
		l.err = errTooLong
	}
	total := len(p)
	if l.err == nil && len(p) > 0 && (l.binary || l.isWholeLines(p)) {
		l.err = l.passOn(p)
		p = nil
	}
	for len(p) > 0 && l.err == nil {
		line, rest := p, []byte(nil)
		end := bytes.IndexByte(p, '\n')
		if end >= 0 {
			line, rest = p[:end+1], p[end+1:]
		}
		l.err = l.writeLine(line, end >= 0)
		p = rest
	}
	if l.err != nil {
		return 0, l.err
	}
	return total, nil
}

// WriteString is Write without a copy of the string.
func (l *lineWriter) WriteString(s string) (int, error) {
	return l.Write(unsafe.Slice(unsafe.StringData(s), len(s))) // Write only reads
}

// isWholeLines reports whether p consists of whole lines that need no change, the usual case: they are
// then passed on at once.
func (l *lineWriter) isWholeLines(p []byte) bool {
	if !l.lineStart || p[len(p)-1] != '\n' || l.dots && p[0] == '.' {
		return false
	}
	lines, length := 0, 0
	for i := 0; i < len(p); lines++ {
		// Base64 lines have the same length: guessing it saves the search, and the count below
		// detects a missed line end.
		if end := i + length; length > 0 && end <= len(p) && p[end-1] == '\n' {
			i = end
		} else {
			length = bytes.IndexByte(p[i:], '\n') + 1
			i += length
		}
		if i < 2 || p[i-2] != '\r' || l.dots && i < len(p) && p[i] == '.' {
			return false
		}
	}
	return bytes.Count(p, []byte{'\r'}) == lines && bytes.Count(p, []byte{'\n'}) == lines
}

// passOn writes checked octets, except the last octet of the message.
func (l *lineWriter) passOn(p []byte) error {
	l.n += int64(len(p))
	end := p[len(p)-1]
	l.lineStart, l.cr = end == '\n', end == '\r'
	if l.n == l.limit {
		l.last = end
		p = p[:len(p)-1]
	}
	_, err := l.w.Write(p)
	return err
}

// writeLine writes one line, or the part of one in a Write.
func (l *lineWriter) writeLine(line []byte, ended bool) error {
	if err := l.checkLine(line, ended); err != nil {
		return err
	}
	if l.dots && l.lineStart && line[0] == '.' {
		_, _ = l.w.Write([]byte{'.'}) // the writer keeps its error for the next line
	}
	return l.passOn(line)
}

// checkLine checks one line, or the part of one in a Write.
func (l *lineWriter) checkLine(line []byte, ended bool) error {
	if l.cr && line[0] != '\n' {
		return errBareCR
	}
	body := line
	if ended {
		body = line[:len(line)-1]
		switch {
		case len(body) == 0 && !l.cr, len(body) > 0 && body[len(body)-1] != '\r':
			return errBareLF
		case len(body) > 0:
			body = body[:len(body)-1]
		}
	} else if body[len(body)-1] == '\r' {
		body = body[:len(body)-1]
	}
	if bytes.IndexByte(body, '\r') >= 0 {
		return errBareCR
	}
	return nil
}

// checkEnd checks the message against its announced properties.
func (l *lineWriter) checkEnd() error {
	switch {
	case l.err != nil:
		return l.err
	case l.n != l.limit:
		return fmt.Errorf("%w: %d of %d octets", errShort, l.n, l.limit)
	case !l.lineStart && !l.binary:
		return errNoEnd
	}
	return nil
}
