package message

import "strings"

// qpLine is the maximum number of characters in a line, with the "=" of a soft break (RFC 2045
// section 6.7).
const qpLine = 76

// quotedPrintable is a segment: text with CRLF line ends in quoted-printable.
type quotedPrintable struct {
	text   string
	octets int64
}

// newQuotedPrintable measures by running the encoder itself, so that length and output agree.
func newQuotedPrintable(text string) quotedPrintable {
	q := quotedPrintable{text: text}
	var scratch [qpMaxStep]byte
	for e := (qpEncoder{text: text}); !e.done(); {
		q.octets += int64(len(e.nextStep(scratch[:0])))
	}
	return q
}

func (q quotedPrintable) size() int64 { return q.octets }

func (q quotedPrintable) emitTo(o *output) error {
	if q.octets > 0 {
		if err := o.makeRoom(int(min(q.octets, outputBlock))); err != nil {
			return err
		}
	}
	for e := (qpEncoder{text: q.text}); !e.done(); {
		if err := o.makeRoom(qpMaxStep); err != nil {
			return err
		}
		o.buf = e.nextStep(o.buf)
	}
	return nil
}

// qpMaxStep is an upper bound of the octets that one step of the encoder appends.
const qpMaxStep = qpLine + len("=\r\n")

// qpEncoder processes a text in steps: a run of ordinary characters, another octet or a line end.
type qpEncoder struct {
	text string
	pos  int
	col  int
}

func (e *qpEncoder) done() bool { return e.pos == len(e.text) }

func (e *qpEncoder) nextStep(dst []byte) []byte {
	if n := e.countOrdinary(); n > 0 {
		dst = append(dst, e.text[e.pos:e.pos+n]...)
		e.pos += n
		e.col += n
		return dst
	}
	if strings.HasPrefix(e.text[e.pos:], "\r\n") {
		e.pos += 2
		e.col = 0
		return append(dst, '\r', '\n')
	}
	rest := e.text[e.pos+1:]
	endOfLine := rest == "" || strings.HasPrefix(rest, "\r\n")
	room := qpLine - len("=")
	if endOfLine {
		room = qpLine // no soft break follows
	}
	c := e.text[e.pos]
	width := e.octetWidth(c, endOfLine)
	if e.col+width > room {
		dst = append(dst, '=', '\r', '\n')
		e.col = 0
		width = e.octetWidth(c, endOfLine)
	}
	e.pos++
	e.col += width
	if width == 1 {
		return append(dst, c)
	}
	const digits = "0123456789ABCDEF"
	return append(dst, '=', digits[c>>4], digits[c&15])
}

// countOrdinary counts the next literal characters that fit into the line: words, and single spaces
// between them.
func (e *qpEncoder) countOrdinary() int {
	if e.col == 0 && e.needsEscape() {
		return 0
	}
	most := min(len(e.text)-e.pos, qpLine-len("=")-e.col)
	ahead := e.text[e.pos:]
	n := 0
	for n < most && (isOrdinary(ahead[n]) || ahead[n] == ' ' && n+1 < len(ahead) && isOrdinary(ahead[n+1])) {
		n++
	}
	return n
}

func isOrdinary(c byte) bool { return c > ' ' && c <= '~' && c != '=' }

// needsEscape reports octets that are escaped at the start of a line: "From ", before which mailboxes
// put a ">", and a dot, which a relay that forgets to unstuff it would double.
func (e *qpEncoder) needsEscape() bool {
	return e.text[e.pos] == '.' || strings.HasPrefix(e.text[e.pos:], "From ")
}

// octetWidth returns 1 for a literal octet and 3 for an escaped one. Blanks at the end of a line are
// escaped, because relays strip them.
func (e *qpEncoder) octetWidth(c byte, endOfLine bool) int {
	switch {
	case e.col == 0 && e.needsEscape():
		return 3
	case isOrdinary(c), (c == ' ' || c == '\t') && !endOfLine:
		return 1
	}
	return 3
}
