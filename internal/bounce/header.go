package bounce

import (
	"bytes"
	"mime/quotedprintable"
	"unicode/utf8"

	"github.com/yanmail/yan/message"
)

// maxHeader limits the header that a report returns, in octets.
const maxHeader = 64 << 10

// headerPart returns the last part of a report, the header of the message that it is
// about (RFC 6522 section 4, RFC 6533 section 6); nil for no header.
func headerPart(h []byte) []byte {
	if len(h) == 0 {
		return nil
	}
	kind, plain := "text/rfc822-headers", true
	if !isASCII(h) {
		plain = false
		if utf8.Valid(h) {
			kind = "message/global-headers"
		}
	}
	for line := range bytes.Lines(h) {
		plain = plain && len(line) <= 1000
	}
	var b bytes.Buffer
	b.WriteString("Content-Type: " + kind + "\r\n")
	if plain {
		b.WriteString("Content-Transfer-Encoding: 7bit\r\n\r\n")
		b.Write(h)
		return b.Bytes()
	}
	b.WriteString("Content-Transfer-Encoding: quoted-printable\r\n\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write(h) // into memory
	_ = w.Close()
	return b.Bytes()
}

// isASCII reports whether h is text of 7 bits.
func isASCII(h []byte) bool {
	for _, c := range h {
		if c >= 0x7f || c < ' ' && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

// subjectOf returns the subject of a message for people to read; "" if there is none.
func subjectOf(h message.RawHeader) string { return cleanLine(h.Text("Subject"), 120) }
