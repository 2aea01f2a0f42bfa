package smtpclient

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
)

// lineWriter passes a message on, stuffs dots (RFC 5321 section 4.5.2), and
// refuses what would let the server see other lines than we do: a CR or LF
// that stands alone (RFC 5321 section 2.3.8; "SMTP smuggling").
//
// It holds back the very last octet, which is an LF: a source that fails behind
// it, or goes on, must not have completed a chunk.
type lineWriter struct {
	w         *bufio.Writer
	dots      bool
	limit     int64 // the announced size
	n         int64
	lineStart bool // the next octet begins a line
	cr        bool // the last octet was a CR
	err       error
}

var (
	errBareCR  = errors.New("a CR that is not followed by an LF")
	errBareLF  = errors.New("an LF that is not preceded by a CR")
	errTooLong = errors.New("it is longer than announced")
	errShort   = errors.New("it is shorter than announced")
	errNoEnd   = errors.New("it does not end with CRLF")
)

// Write keeps its first error: a source that overlooks it and goes on can't
// come to a good end.
func (l *lineWriter) Write(p []byte) (int, error) {
	if l.err == nil && l.n+int64(len(p)) > l.limit {
		l.err = errTooLong
	}
	total := len(p)
	for len(p) > 0 && l.err == nil {
		line, rest := p, []byte(nil)
		end := bytes.IndexByte(p, '\n')
		if end >= 0 {
			line, rest = p[:end+1], p[end+1:]
		}
		l.err = l.line(line, end >= 0)
		p = rest
	}
	if l.err != nil {
		return 0, l.err
	}
	return total, nil
}

// line passes on one line, or the part of one that a Write brought.
func (l *lineWriter) line(line []byte, ended bool) error {
	if err := l.check(line, ended); err != nil {
		return err
	}
	if l.dots && l.lineStart && line[0] == '.' {
		_ = l.w.WriteByte('.') // bufio keeps its error for the next line
	}
	l.n += int64(len(line))
	l.lineStart = ended
	l.cr = line[len(line)-1] == '\r'
	if l.n == l.limit {
		line = line[:len(line)-1]
	}
	_, err := l.w.Write(line)
	return err
}

// check looks at one line, or the part of one that a Write brought.
func (l *lineWriter) check(line []byte, ended bool) error {
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

// finish checks that the message was what it had promised to be.
func (l *lineWriter) finish() error {
	switch {
	case l.err != nil:
		return l.err
	case l.n != l.limit:
		return fmt.Errorf("%w: %d of %d octets", errShort, l.n, l.limit)
	case !l.lineStart:
		return errNoEnd
	}
	return nil
}
