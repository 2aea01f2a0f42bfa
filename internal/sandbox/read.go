package sandbox

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// Part is one leaf of a message's MIME tree.
type Part struct {
	ContentType string            // lower case, like "text/plain"
	Params      map[string]string // of Content-Type, like "charset"
	Disposition string            // "attachment", "inline" or ""
	FileName    string            // decoded; "" for none
	ContentID   string            // without its angle brackets
	// Body is decoded from its transfer encoding, but not from its charset.
	Body []byte
}

// Header returns the first field of that name, decoded from RFC 2047, or "".
func (m Message) Header(name string) string {
	values := m.HeaderValues(name)
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// HeaderValues returns all fields of that name, decoded. A value that can't be
// decoded is returned as it is.
func (m Message) HeaderValues(name string) []string {
	parsed, err := mail.ReadMessage(bytes.NewReader(m.Data))
	if err != nil {
		return nil
	}
	var values []string
	for key, list := range parsed.Header {
		if !strings.EqualFold(key, name) {
			continue
		}
		for _, value := range list {
			values = append(values, decodeHeader(value))
		}
	}
	return values
}

// Text returns the first text/plain part that is not an attachment, in UTF-8
// and with its original line ends (CRLF), or "".
func (m Message) Text() string { return m.firstText("text/plain") }

// HTML returns the first text/html part that is not an attachment, in UTF-8.
func (m Message) HTML() string { return m.firstText("text/html") }

func (m Message) firstText(contentType string) string {
	parts, err := m.Parts()
	if err != nil {
		return ""
	}
	for _, p := range parts {
		if p.ContentType == contentType && p.Disposition != "attachment" {
			return decodeCharset(p.Body, p.Params["charset"])
		}
	}
	return ""
}

// Attachment returns the content of the part with a file name; ok is false if
// there is none.
func (m Message) Attachment(name string) (content []byte, ok bool) {
	parts, err := m.Parts()
	if err != nil {
		return nil, false
	}
	for _, p := range parts {
		if p.FileName == name {
			return p.Body, true
		}
	}
	return nil, false
}

// maxDepth limits the depth of a MIME tree.
const maxDepth = 20

// Parts returns the leaves of the MIME tree in order. A message that is not
// MIME has one part.
func (m Message) Parts() ([]Part, error) {
	parsed, err := mail.ReadMessage(bytes.NewReader(m.Data))
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	return readPart(parsed.Header.Get, parsed.Body, maxDepth)
}

func readPart(header func(string) string, body io.Reader, depth int) ([]Part, error) {
	if depth == 0 {
		return nil, errors.New("the MIME tree is too deep")
	}
	p := Part{ContentType: "text/plain", Params: map[string]string{"charset": "us-ascii"}}
	if value := header("Content-Type"); value != "" {
		contentType, params, err := mime.ParseMediaType(value)
		if err != nil {
			return nil, fmt.Errorf("content type %q: %w", value, err)
		}
		p.ContentType, p.Params = contentType, params
	}
	if strings.HasPrefix(p.ContentType, "multipart/") {
		return readMultipart(multipart.NewReader(body, p.Params["boundary"]), depth)
	}
	if value := header("Content-Disposition"); value != "" {
		disposition, params, err := mime.ParseMediaType(value)
		if err != nil {
			return nil, fmt.Errorf("content disposition %q: %w", value, err)
		}
		p.Disposition, p.FileName = disposition, decodeHeader(params["filename"])
	}
	if p.FileName == "" {
		p.FileName = decodeHeader(p.Params["name"])
	}
	p.ContentID = strings.Trim(header("Content-Id"), "<> ")
	var err error
	if p.Body, err = io.ReadAll(decodeTransfer(header("Content-Transfer-Encoding"), body)); err != nil {
		return nil, fmt.Errorf("decode a part of type %s: %w", p.ContentType, err)
	}
	return []Part{p}, nil
}

func readMultipart(r *multipart.Reader, depth int) ([]Part, error) {
	var parts []Part
	for {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read a part: %w", err)
		}
		leaves, err := readPart(part.Header.Get, part, depth-1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, leaves...)
	}
}

func decodeTransfer(encoding string, r io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	}
	return r
}

func decodeHeader(value string) string {
	decoder := mime.WordDecoder{CharsetReader: charsetReader}
	if decoded, err := decoder.DecodeHeader(value); err == nil {
		return decoded
	}
	return value
}

func charsetReader(charset string, r io.Reader) (io.Reader, error) {
	encoding, err := htmlindex.Get(charset)
	if err != nil {
		return nil, fmt.Errorf("charset %q: %w", charset, err)
	}
	return encoding.NewDecoder().Reader(r), nil
}

// decodeCharset returns b unchanged if the charset is unknown.
func decodeCharset(b []byte, charset string) string {
	if charset == "" || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "us-ascii") {
		return string(b)
	}
	encoding, err := htmlindex.Get(charset)
	if err != nil {
		return string(b)
	}
	decoded, err := encoding.NewDecoder().Bytes(b)
	if err != nil {
		return string(b)
	}
	return string(decoded)
}
