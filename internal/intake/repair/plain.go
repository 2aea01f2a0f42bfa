package repair

import (
	"bytes"
	"io"
	"strings"
)

// plain is a message whose body changes only in its line ends.
type plain struct {
	head  []byte
	src   *reader
	from  int64 // where the body begins
	facts facts
}

// Size implements smtpclient.Content.
func (p *plain) Size() int64 {
	size := int64(len(p.head)) + p.facts.octets + p.facts.lone
	if p.isOpen() {
		size += int64(len("\r\n"))
	}
	return size
}

// isOpen reports whether the last line has no end.
func (p *plain) isOpen() bool { return p.facts.line > 0 }

// EightBit implements smtpclient.Content.
func (p *plain) EightBit() bool { return false }

// NeedsSMTPUTF8 implements smtpclient.Content.
func (p *plain) NeedsSMTPUTF8() bool { return false }

// WriteTo implements smtpclient.Content.
func (p *plain) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(p.head) // alone: some readers want no more
	written := int64(n)
	if err != nil {
		return written, err
	}
	const room = 1 << 10
	var in, out []byte
	if p.facts.lone > 0 {
		out = make([]byte, 0, min(p.Size()-written, blockSize+room))
	}
	for at, end := p.from, p.from+p.facts.octets; at < end; {
		block, err := p.src.block(at, end, &in)
		if err != nil {
			return written, err
		}
		at += int64(len(block))
		if p.facts.lone == 0 { // the line ends are right
			m, err := w.Write(block)
			written += int64(m)
			if err != nil {
				return written, err
			}
			continue
		}
		for len(block) > 0 {
			line := block
			if i := bytes.IndexByte(block, '\n'); i >= 0 {
				line = block[:i]
			}
			block = block[len(line):]
			out = append(out, line...)
			if len(block) > 0 {
				if len(out) == 0 || out[len(out)-1] != '\r' {
					out = append(out, '\r')
				}
				out, block = append(out, '\n'), block[1:]
			}
			if len(out) < blockSize {
				continue
			}
			kept := out[len(out)-1:] // the next octet depends on it
			m, err := w.Write(out[:len(out)-1])
			written += int64(m)
			if err != nil {
				return written, err
			}
			out = append(out[:0], kept...)
		}
	}
	if p.isOpen() {
		out = append(out, '\r', '\n')
	}
	if len(out) == 0 {
		return written, nil
	}
	m, err := w.Write(out)
	return written + int64(m), err
}

// isReady reports whether a header needs no encoding and no folding.
func isReady(head []byte) bool {
	line, table := 0, classes()
	for _, c := range head {
		if table[c] != 0 {
			return false
		}
		if line++; c == '\n' {
			line = 0
		} else if line > line998+len("\r") {
			return false
		}
	}
	return len(head) <= maxWritten
}

// maxWritten is the largest header that package message takes, in octets.
const maxWritten = 1 << 20

func (h *header) isBinary() bool {
	f := h.find("content-transfer-encoding")
	return f != nil && strings.EqualFold(f.value(), "binary")
}
