package message

import (
	"encoding/base64"
)

// recoding says how the body of a part is rewritten.
type recoding int

const (
	asItIs    recoding = iota
	quoteBody          // as quoted-printable
	base64ize          // as base64
	rewrap             // base64 with other line ends
	requote            // quoted-printable with more soft line breaks
)

// bodyEncoder writes the body of one part. Callers call encodeLine with each line or piece of a
// line, endLine at each line end except the last, which belongs to the boundary, and finishBody at
// the end.
type bodyEncoder struct {
	how     recoding
	col     int
	blank   byte // a pending blank: at the end of a line it is encoded
	pending []byte
	scratch []byte // of base64
}

const encodedLine = 76

func (e *bodyEncoder) encodeLine(dst, line []byte, begins bool) []byte {
	switch e.how {
	case quoteBody:
		for i, c := range line {
			dst = e.quoteOctet(dst, c, begins && i == 0 && c == 'F')
		}
	case requote:
		for i := 0; i < len(line); i++ {
			dst = e.requoteOctet(dst, line[i])
		}
	case base64ize:
		dst = e.encodeBase64(dst, line)
	case rewrap:
		for _, c := range line {
			if c <= ' ' || c >= 0x7f { // decoders ignore them
				continue
			}
			if e.col == encodedLine {
				dst, e.col = append(dst, '\r', '\n'), 0
			}
			dst, e.col = append(dst, c), e.col+1
		}
	default:
		dst, e.col = append(dst, line...), 1
	}
	return dst
}

// endLine ends a line.
func (e *bodyEncoder) endLine(dst []byte) []byte {
	switch e.how {
	case quoteBody, requote:
		dst = append(e.flushBlank(dst, true), '\r', '\n')
		e.col = 0
	case base64ize:
		dst = e.encodeBase64(dst, []byte("\r\n"))
	case rewrap:
	default:
		dst, e.col = append(dst, '\r', '\n'), 0
	}
	return dst
}

// finishBody ends the body; the next octets begin on a line of their own.
func (e *bodyEncoder) finishBody(dst []byte) []byte {
	switch e.how {
	case quoteBody, requote:
		return append(e.flushBlank(dst, true), '\r', '\n')
	case base64ize:
		if len(e.pending) > 0 {
			dst = e.putBase64(dst, base64.StdEncoding.AppendEncode(nil, e.pending))
			e.pending = nil
		}
		fallthrough
	case rewrap:
		return append(dst, '\r', '\n')
	}
	return append(dst, '\r', '\n')
}

func (e *bodyEncoder) encodeBase64(dst, data []byte) []byte {
	e.pending = append(e.pending, data...)
	n := len(e.pending) / 3 * 3
	e.scratch = base64.StdEncoding.AppendEncode(e.scratch[:0], e.pending[:n])
	dst = e.putBase64(dst, e.scratch)
	e.pending = append(e.pending[:0], e.pending[n:]...)
	return dst
}

// putBase64 writes base64 in lines.
func (e *bodyEncoder) putBase64(dst, encoded []byte) []byte {
	for len(encoded) > 0 {
		if e.col == encodedLine {
			dst, e.col = append(dst, '\r', '\n'), 0
		}
		n := min(len(encoded), encodedLine-e.col)
		dst, e.col, encoded = append(dst, encoded[:n]...), e.col+n, encoded[n:]
	}
	return dst
}

// quoteOctet writes an octet in quoted-printable (RFC 2045 section 6.7).
func (e *bodyEncoder) quoteOctet(dst []byte, c byte, always bool) []byte {
	if c == ' ' || c == '\t' {
		dst = e.flushBlank(dst, false)
		e.blank = c
		return dst
	}
	dst = e.flushBlank(dst, false)
	if isOrdinary(c) && !always {
		return e.writeToken(dst, c)
	}
	return e.writeToken(dst, '=', upperHex[c>>4], upperHex[c&15])
}

// requoteOctet writes an octet of a text that is already quoted-printable.
func (e *bodyEncoder) requoteOctet(dst []byte, c byte) []byte {
	if len(e.pending) > 0 && !isHex(c) && c != ' ' && c != '\t' {
		dst = e.literalEquals(dst)
	}
	switch {
	case c == ' ' || c == '\t':
		dst = e.flushBlank(dst, false)
		e.blank = c
		return dst
	case c == '=' || len(e.pending) > 0: // collects "=" and two digits
		dst = e.flushBlank(dst, false)
		if e.pending = append(e.pending, c); len(e.pending) == len("=XX") {
			dst = e.writeToken(dst, e.pending...)
			e.pending = e.pending[:0]
		}
		return dst
	}
	return e.quoteUnlessASCII(e.flushBlank(dst, false), c)
}

// literalEquals writes an "=" that begins no escape literally, as decoders read it, with the digit
// after it.
func (e *bodyEncoder) literalEquals(dst []byte) []byte {
	dst = e.writeToken(dst, '=', '3', 'D')
	for _, c := range e.pending[1:] {
		dst = e.writeToken(dst, c)
	}
	e.pending = e.pending[:0]
	return dst
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func (e *bodyEncoder) quoteUnlessASCII(dst []byte, c byte) []byte {
	if isOrdinary(c) {
		return e.writeToken(dst, c)
	}
	return e.writeToken(dst, '=', upperHex[c>>4], upperHex[c&15])
}

// flushBlank writes the pending blank. At the end of a line that is already quoted-printable, the
// blank was added in transport and is dropped; a pending "=" there is a soft line break.
func (e *bodyEncoder) flushBlank(dst []byte, endOfLine bool) []byte {
	c := e.blank
	e.blank = 0
	switch {
	case endOfLine && len(e.pending) == 1:
		e.pending = e.pending[:0]
		return append(dst, '=')
	case len(e.pending) > 0 && (c != 0 || endOfLine):
		dst = e.literalEquals(dst)
	}
	switch {
	case c == 0, endOfLine && e.how == requote:
		return dst
	case endOfLine:
		return e.writeToken(dst, '=', upperHex[c>>4], upperHex[c&15])
	}
	return e.writeToken(dst, c)
}

// writeToken writes octets that must not be separated, after a soft line break if necessary.
func (e *bodyEncoder) writeToken(dst []byte, octets ...byte) []byte {
	if e.col+len(octets) > encodedLine-len("=") {
		dst, e.col = append(dst, '=', '\r', '\n'), 0
	}
	e.col += len(octets)
	return append(dst, octets...)
}

const upperHex = "0123456789ABCDEF"
