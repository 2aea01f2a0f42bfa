package message

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime"
	"slices"
	"strings"
)

// RawHeader is the header of a whole message. Field names are compared without regard to case.
type RawHeader struct {
	fields  []rawField
	octets  []byte
	skipped bool // the last line was not a field; ignore its continuations
}

// rawField is a header field, unfolded, its name in lower case.
type rawField struct {
	name  string
	value []byte
}

// ReadHeader reads the header of a message, up to its first empty line. Lines end with CRLF or
// LF. It accepts any header: a line that is not a field is kept in Bytes and has no name. A
// header of more than limit octets is cut after its last whole field; so is one that ends within
// a line. The error is one of r.
func ReadHeader(r io.Reader, limit int) (RawHeader, error) {
	in := bufio.NewReaderSize(io.LimitReader(r, int64(limit)+1), min(limit+1, 4<<10))
	var h RawHeader
	start, count := 0, 0 // the start of the last field, and the number of fields before it
	for {
		line, err := in.ReadBytes('\n')
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return RawHeader{}, err
		}
		text := bytes.TrimRight(line, "\r\n")
		if len(text) == 0 {
			return h, nil
		}
		if text[0] != ' ' && text[0] != '\t' {
			start, count = len(h.octets), len(h.fields)
		}
		if ended || len(h.octets)+len(text)+2 > limit {
			h.octets, h.fields = h.octets[:start], h.fields[:count]
			return h, nil
		}
		h.octets = append(append(h.octets, text...), '\r', '\n')
		h.addLine(text)
	}
}

// addLine adds a line without its line end.
func (h *RawHeader) addLine(line []byte) {
	if line[0] == ' ' || line[0] == '\t' {
		if last := len(h.fields) - 1; last >= 0 && !h.skipped {
			h.fields[last].value = append(h.fields[last].value, line...)
		}
		return
	}
	name, value, ok := cutField(line)
	if h.skipped = !ok; ok {
		h.fields = append(h.fields, rawField{name, []byte(value)})
	}
}

// Bytes returns the fields as ReadHeader read them, each line ended by CRLF.
func (h RawHeader) Bytes() []byte { return h.octets }

// Has reports whether there is a field of this name.
func (h RawHeader) Has(name string) bool {
	return slices.ContainsFunc(h.fields, func(f rawField) bool { return strings.EqualFold(f.name, name) })
}

// Text returns the first field with this name for display: unfolded, with its encoded words
// decoded (RFC 2047). Words in an unknown charset stay. It is "" if there is no such field.
func (h RawHeader) Text(name string) string {
	value := h.fieldValue(name)
	d := mime.WordDecoder{CharsetReader: charsetReader}
	if decoded, err := d.DecodeHeader(value); err == nil {
		return decoded
	}
	return value
}

// Author returns the first mailbox of From; ok is false if there is none.
func (h RawHeader) Author() (author Mailbox, ok bool) {
	boxes, err := mailboxesOf(h.fields, "from")
	if err != nil || len(boxes) == 0 {
		return Mailbox{}, false
	}
	return boxes[0], true
}

// MessageID returns the first Message-ID in angle brackets; "" if there is none, or one that is
// not <printable ASCII>.
func (h RawHeader) MessageID() string {
	const most = 255
	id := h.fieldValue("message-id")
	inner, opened := strings.CutPrefix(id, "<")
	inner, closed := strings.CutSuffix(inner, ">")
	if !opened || !closed || inner == "" || len(id) > most ||
		strings.ContainsFunc(inner, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' }) {
		return ""
	}
	return id
}

// fieldValue returns the first field with this name, unfolded and trimmed.
func (h RawHeader) fieldValue(name string) string {
	for _, f := range h.fields {
		if strings.EqualFold(f.name, name) {
			return strings.Trim(string(f.value), " \t")
		}
	}
	return ""
}
