package dkim

import (
	"bytes"
	"hash"
)

// relaxedBody hashes a body in the relaxed form of RFC 6376 section 3.4.4: a run of blanks becomes
// one space, blanks at the end of a line and empty lines at the end of the body are dropped. It
// accepts the body in pieces cut anywhere, and holds back octets whose treatment depends on the
// next piece.
type relaxedBody struct {
	hash     hash.Hash
	out      []byte // collected for the hash
	any      bool   // whether there was any text
	lineEnds int    // held back: written if text follows
	blank    bool   // held back: written if text follows in the same line
	cr       bool   // held back: the first half of a line end, if an LF follows
}

const hashBlock = 4 << 10

func (b *relaxedBody) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if b.cr {
			b.cr = false
			if p[0] == '\n' {
				b.blank = false
				b.lineEnds++
				p = p[1:]
				continue
			}
			b.text([]byte{'\r'}) // a lone CR is text like any other octet
		}
		line, rest, ended := bytes.Cut(p, []byte{'\r'})
		b.line(line)
		b.cr = ended
		p = rest
	}
	return total, nil
}

// line processes a line, or a part of one, without its end.
func (b *relaxedBody) line(line []byte) {
	for {
		if b.blank {
			line = bytes.TrimLeft(line, " \t")
		}
		n := unchanged(line)
		b.text(line[:n])
		if n == len(line) {
			return
		}
		b.blank = true
		line = line[n+1:]
	}
}

// unchanged returns how much of a line stays as it is: the part before the first tab, the first of
// several spaces, or a final space, which depends on the next octets.
func unchanged(line []byte) int {
	n := len(line)
	if tab := bytes.IndexByte(line, '\t'); tab >= 0 {
		n = tab
	}
	if spaces := bytes.Index(line[:n], []byte("  ")); spaces >= 0 {
		n = spaces
	}
	if n > 0 && line[n-1] == ' ' {
		n--
	}
	return n
}

func (b *relaxedBody) text(text []byte) {
	if len(text) == 0 {
		return
	}
	for ; b.lineEnds > 0; b.lineEnds-- {
		b.append("\r\n")
	}
	if b.blank {
		b.append(" ")
	}
	b.blank, b.any = false, true
	if b.out = append(b.out, text...); len(b.out) >= hashBlock {
		b.flush()
	}
}

func (b *relaxedBody) append(s string) {
	if b.out = append(b.out, s...); len(b.out) >= hashBlock {
		b.flush()
	}
}

func (b *relaxedBody) flush() {
	b.hash.Write(b.out) // never fails
	b.out = b.out[:0]
}

// sum returns the hash at the end of the body. A body without any text is empty; any other ends
// with one line end.
func (b *relaxedBody) sum() []byte {
	if b.cr {
		b.cr = false
		b.text([]byte{'\r'})
	}
	if b.any {
		b.append("\r\n")
	}
	b.flush()
	return b.hash.Sum(nil)
}

// field is a header field as in the message, folded or not, without its last line end.
type field struct {
	name string // in lower case
	text []byte
}

// splitHeader splits a header block into fields. It skips lines that are not fields, such as a line
// without a colon.
func splitHeader(header []byte) []field {
	var fields []field
	for len(header) > 0 {
		end := fieldEnd(header)
		text := bytes.TrimSuffix(header[:end], []byte("\r\n"))
		header = header[end:]
		name, _, ok := bytes.Cut(text, []byte{':'})
		if name = bytes.TrimRight(name, " \t"); ok && isName(name) {
			fields = append(fields, field{string(bytes.ToLower(name)), text})
		}
	}
	return fields
}

// isName reports whether name is valid for a field (RFC 5322 section 3.6.8).
func isName(name []byte) bool {
	return len(name) > 0 && !bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}

// fieldEnd returns the end of the first field, including its continuation lines.
func fieldEnd(header []byte) int {
	end := 0
	for {
		n := bytes.Index(header[end:], []byte("\r\n"))
		if n < 0 {
			return len(header)
		}
		end += n + 2
		if end == len(header) || header[end] != ' ' && header[end] != '\t' {
			return end
		}
	}
}

// relaxed appends a field in the form of RFC 6376 section 3.4.2, without its line end: the name in
// lower case, the value on one line, each run of blanks as one space, and no blanks around the
// colon or at the end.
func (f field) relaxed(dst []byte) []byte {
	dst = append(append(dst, f.name...), ':')
	_, value, _ := bytes.Cut(f.text, []byte{':'})
	blank, start := false, len(dst)
	for i, c := range value {
		switch {
		case c == ' ' || c == '\t':
			blank = true
			continue
		case c == '\r' && bytes.HasPrefix(value[i:], []byte("\r\n")),
			c == '\n' && i > 0 && value[i-1] == '\r':
			continue // unfolded
		}
		if blank && len(dst) > start {
			dst = append(dst, ' ')
		}
		blank = false
		dst = append(dst, c)
	}
	return dst
}
