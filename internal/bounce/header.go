package bounce

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// maxHeader is how much of a message's header comes back, in octets.
const maxHeader = 64 << 10

// header is the header of the message that is reported on: whole fields, with CRLF
// line ends; empty when there is none.
type header []byte

// readHeader reads to the end of the header, or to the last field within maxHeader.
func readHeader(r io.Reader) (header, error) {
	if r == nil {
		return nil, nil
	}
	in := bufio.NewReader(io.LimitReader(r, maxHeader+1))
	var h header
	field := 0 // where the last field begins
	for {
		line, err := in.ReadBytes('\n')
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return nil, err
		}
		text := bytes.TrimRight(line, "\r\n")
		if len(text) == 0 {
			return h, nil
		}
		if text[0] != ' ' && text[0] != '\t' {
			field = len(h)
		}
		if ended || len(h)+len(text)+2 > maxHeader { // cut, by the limit or in the message
			return h[:field], nil
		}
		h = append(append(h, text...), '\r', '\n')
	}
}

// part is the last part of a report (RFC 6522 section 4, RFC 6533 section 6); nil
// for no header.
func (h header) part() []byte {
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

// subject is the message's subject, to be read by people; "" when there is none.
func (h header) subject() string {
	unfolded := strings.NewReplacer("\r\n ", " ", "\r\n\t", " ").Replace(string(h))
	for line := range strings.Lines(unfolded) {
		name, value, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(strings.TrimSpace(name), "Subject") {
			return clean(decodeWords(strings.TrimSpace(value)), 120)
		}
	}
	return ""
}

// decodeWords decodes encoded words (RFC 2047); what can't be stays as it is.
func decodeWords(s string) string {
	decoder := mime.WordDecoder{CharsetReader: func(charset string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "gb2312", "gbk", "gb18030":
			return simplifiedchinese.GB18030.NewDecoder().Reader(in), nil
		}
		return nil, errors.New("a character set that is not known")
	}}
	decoded, err := decoder.DecodeHeader(s)
	if err != nil {
		return s
	}
	return decoded
}
