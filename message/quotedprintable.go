package message

import "strings"

// qpLine is the most characters in a line, a soft break's "=" included
// (RFC 2045 section 6.7).
const qpLine = 76

// quotedPrintable is a segment: text with CRLF line ends in quoted-printable.
type quotedPrintable string

// size counts by running the encoder itself, so that it can't disagree.
func (q quotedPrintable) size() int64 {
	var n int64
	var scratch [8]byte
	e := qpEncoder{text: string(q)}
	for !e.done() {
		n += int64(len(e.next(scratch[:0])))
	}
	return n
}

func (q quotedPrintable) emit(o *output) error {
	e := qpEncoder{text: string(q)}
	for !e.done() {
		if err := o.reserve(qpMaxStep); err != nil {
			return err
		}
		o.buf = e.next(o.buf)
	}
	return nil
}

// qpMaxStep is the most that one step appends: a soft break and an escape.
const qpMaxStep = len("=\r\n") + len("=3D")

// qpEncoder walks over a text, an octet or a line end at a time.
type qpEncoder struct {
	text string
	pos  int
	col  int
}

func (e *qpEncoder) done() bool { return e.pos == len(e.text) }

func (e *qpEncoder) next(dst []byte) []byte {
	if strings.HasPrefix(e.text[e.pos:], "\r\n") {
		e.pos += 2
		e.col = 0
		return append(dst, '\r', '\n')
	}
	c := e.text[e.pos]
	rest := e.text[e.pos+1:]
	endOfLine := rest == "" || strings.HasPrefix(rest, "\r\n")
	room := qpLine - 1
	if endOfLine {
		room = qpLine // no soft break can follow
	}
	width := e.width(c, endOfLine)
	if e.col+width > room {
		dst = append(dst, '=', '\r', '\n')
		e.col = 0
		width = e.width(c, endOfLine)
	}
	e.pos++
	e.col += width
	if width == 1 {
		return append(dst, c)
	}
	const digits = "0123456789ABCDEF"
	return append(dst, '=', digits[c>>4], digits[c&15])
}

// width is 1 for an octet that stands for itself and 3 for one that is
// escaped. Blanks at the end of a line are escaped because relays strip them,
// "From " because mailboxes put a ">" before it, and a leading dot because a
// relay that forgets to unstuff it would double it.
func (e *qpEncoder) width(c byte, endOfLine bool) int {
	switch {
	case e.col == 0 && (c == '.' || c == 'F' && strings.HasPrefix(e.text[e.pos:], "From ")):
		return 3
	case c == ' ' || c == '\t':
		if endOfLine {
			return 3
		}
		return 1
	case c > ' ' && c <= '~' && c != '=':
		return 1
	}
	return 3
}
