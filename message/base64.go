package message

import "encoding/base64"

// A base64 line holds 57 octets in 76 characters (RFC 2045 section 6.8).
const (
	base64Group = 57
	base64Line  = 76
	inputBlock  = 192 * base64Group
)

// base64Size is the length of n octets in base64, every line with its CRLF.
func base64Size(n int64) int64 {
	lines := (n + base64Group - 1) / base64Group
	return (n+2)/3*4 + 2*lines
}

// appendBase64 appends src in lines, each with its CRLF. Lines come out full as
// long as every block but the last is a multiple of base64Group. dst must have
// room.
func appendBase64(dst, src []byte) []byte {
	for len(src) > 0 {
		group := src[:min(base64Group, len(src))]
		src = src[len(group):]
		dst = base64.StdEncoding.AppendEncode(dst, group)
		dst = append(dst, '\r', '\n')
	}
	return dst
}

// base64Body is a segment: a source in base64.
type base64Body struct{ src *source }

func (b base64Body) size() int64 { return base64Size(b.src.size) }

func (b base64Body) emit(o *output) error {
	r, err := b.src.open()
	if err != nil {
		return err
	}
	block := o.readBuffer(b.src.size)
	for {
		n, err := r.fill(block)
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		if err := o.reserve(int(base64Size(int64(n)))); err != nil {
			return err
		}
		o.buf = appendBase64(o.buf, block[:n])
	}
}
