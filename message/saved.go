package message

import "bytes"

// savedMessageType is the type of an attached message. It must not be base64 (RFC 2046 section
// 5.2.1), so its lines must be valid as they are.
const savedMessageType = "message/rfc822"

// savedBody is a segment: an attached message, with CRLF line ends.
type savedBody struct {
	src      *source
	skip     int // octets before the message: a byte order mark, the "From " line of an mbox
	octets   int64
	eightBit bool
}

// openSaved measures an attached message. It returns nil without an error if it can only be
// attached as a file: not a message, or with a NUL, a line that is too long, an octet above 127
// in its header or an odd line end.
func openSaved(src *source) (*savedBody, error) {
	head, err := src.firstOctets(headLength)
	if err != nil {
		return nil, err
	}
	s := &savedBody{src: src, skip: beforeHeader(head)}
	if !beginsWithField(head[s.skip:]) || bytes.Contains(head, []byte("\r\r\n")) {
		return nil, nil
	}
	facts := savedFacts{}
	err = s.eachLines(new(output), func(lines []byte) error {
		s.octets += int64(len(lines))
		facts.inspectLines(lines)
		return nil
	})
	if err != nil || facts.unfit || facts.line > maxEightBitLine {
		return nil, err
	}
	s.eightBit = facts.eightBit
	return s, nil
}

// beforeHeader returns the number of octets before the first field.
func beforeHeader(head []byte) int {
	rest := bytes.TrimPrefix(head, []byte("\ufeff"))
	if bytes.HasPrefix(rest, []byte("From ")) {
		_, rest, _ = bytes.Cut(rest, []byte("\n"))
	}
	return len(head) - len(rest)
}

// beginsWithField reports whether a message begins with a name and a colon.
func beginsWithField(head []byte) bool {
	name, _, found := bytes.Cut(head, []byte(":"))
	return found && checkFieldName(string(name)) == nil
}

// savedFacts are the properties that decide how a saved message is sent.
type savedFacts struct {
	line     int // octets in the current line
	body     bool
	eightBit bool
	unfit    bool
}

// inspectLines processes lines that end with CRLF; a block may end within one.
func (f *savedFacts) inspectLines(lines []byte) {
	for _, c := range lines {
		switch {
		case c == '\n':
			f.body = f.body || f.line == 0
			f.line = 0
			continue
		case c == '\r':
			continue
		case c == 0:
			f.unfit = true
		case c >= 0x80:
			f.eightBit = true
			f.unfit = f.unfit || !f.body
		}
		f.line++
		f.unfit = f.unfit || f.line > maxEightBitLine
	}
}

// eachLines calls use with the message, block by block, with CRLF line ends.
func (s savedBody) eachLines(o *output, use func(lines []byte) error) error {
	const most = outputBlock / 2
	skip, afterCR := s.skip, false
	var made []byte
	return s.src.eachBlock(o, most, func(block []byte) error {
		n := min(skip, len(block))
		skip -= n
		made, afterCR = appendCRLF(made[:0], block[n:], afterCR)
		return use(made)
	})
}

// appendCRLF appends octets with every line end as CRLF. afterCR says, before and after, that the
// previous octets ended with a CR.
func appendCRLF(dst, src []byte, afterCR bool) ([]byte, bool) {
	for len(src) > 0 {
		end := bytes.IndexAny(src, "\r\n")
		if end < 0 {
			return append(dst, src...), false
		}
		dst = append(dst, src[:end]...)
		if src[end] == '\r' || !(afterCR && end == 0) {
			dst = append(dst, '\r', '\n')
		}
		afterCR = src[end] == '\r'
		src = src[end+1:]
	}
	return dst, afterCR
}

func (s savedBody) size() int64 { return s.octets }

func (s savedBody) emitTo(o *output) error {
	return s.eachLines(o, func(lines []byte) error {
		if len(lines) == 0 {
			return nil
		}
		if err := o.makeRoom(len(lines)); err != nil {
			return err
		}
		o.buf = append(o.buf, lines...)
		return nil
	})
}
