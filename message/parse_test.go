package message

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
)

// parsed is a message as Go's own parsers read it.
type parsed struct {
	header mail.Header
	leaves []leaf
}

type leaf struct {
	path        string // multipart/mixed>multipart/alternative>text/plain
	contentType string
	params      map[string]string
	disposition string
	fileName    string
	id          string
	encoding    string
	body        []byte // decoded
}

// write renders a Content and checks the invariants of all Contents.
func write(t testing.TB, c *Content) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := c.WriteTo(&b)
	if err != nil {
		t.Fatalf("WriteTo: %v", err)
	}
	if n != int64(b.Len()) || n != c.Size() {
		t.Fatalf("WriteTo said %d, wrote %d, Size is %d", n, b.Len(), c.Size())
	}
	lines := b.Bytes()
	if c.IsBinary() { // only the header is in lines, and the end
		head, _, _ := bytes.Cut(lines, []byte("\r\n\r\n"))
		lines = append(bytes.Clone(head), lines[len(lines)-2:]...)
	}
	checkWire(t, lines)
	return b.Bytes()
}

// checkWire checks line ends and lengths.
func checkWire(t testing.TB, b []byte) {
	t.Helper()
	if !bytes.HasSuffix(b, []byte("\r\n")) {
		t.Fatalf("does not end with CRLF: %q", b[max(0, len(b)-40):])
	}
	bare := bytes.ReplaceAll(b, []byte("\r\n"), nil)
	if i := bytes.IndexAny(bare, "\r\n\x00"); i >= 0 {
		t.Fatalf("a bare %q after %q", bare[i], bare[max(0, i-40):i])
	}
	for line := range bytes.SplitSeq(b, []byte("\r\n")) {
		if len(line) > 998 {
			t.Fatalf("a line of %d octets: %q", len(line), line[:80])
		}
	}
}

// checkFolding checks that no foldable header line is over 78.
func checkFolding(t testing.TB, b []byte) {
	t.Helper()
	head, _, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if len(line) <= 78 {
			continue
		}
		if _, value, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, " ") {
			line = value
		}
		if strings.ContainsAny(strings.TrimLeft(line, " \t"), " \t") {
			t.Fatalf("not folded: %q", line)
		}
	}
}

func parse(t testing.TB, b []byte) parsed {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("net/mail: %v\n%s", err, b)
	}
	p := parsed{header: m.Header}
	p.walk(t, "", map[string][]string(m.Header), m.Body)
	return p
}

func (p *parsed) walk(t testing.TB, path string, header map[string][]string, body io.Reader) {
	t.Helper()
	h := mail.Header(header)
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		t.Fatalf("Content-Type %q: %v", h.Get("Content-Type"), err)
	}
	path = strings.TrimPrefix(path+">"+kind, ">")
	if strings.HasPrefix(kind, "multipart/") {
		r := multipart.NewReader(body, params["boundary"])
		for {
			part, err := r.NextRawPart()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			p.walk(t, path, map[string][]string(part.Header), part)
		}
	}
	l := leaf{path: path, contentType: kind, params: params, id: h.Get("Content-Id"),
		encoding: h.Get("Content-Transfer-Encoding")}
	if d := h.Get("Content-Disposition"); d != "" {
		var dp map[string]string
		if l.disposition, dp, err = mime.ParseMediaType(d); err != nil {
			t.Fatalf("Content-Disposition %q: %v", d, err)
		}
		l.fileName = dp["filename"]
	}
	if l.encoding == "base64" || l.encoding == "quoted-printable" {
		raw, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
			if len(line) > 76 {
				t.Fatalf("%s: a line of %d characters in %s", path, len(line), l.encoding)
			}
		}
		body = bytes.NewReader(raw)
	}
	switch l.encoding {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "7bit", "8bit", "binary":
	default:
		t.Fatalf("encoding %q", l.encoding)
	}
	if l.body, err = io.ReadAll(body); err != nil {
		t.Fatalf("%s: body: %v", path, err)
	}
	p.leaves = append(p.leaves, l)
}

// unfold parses the header block without a library: fields in order, without folds.
func unfold(t testing.TB, b []byte) []Header {
	t.Helper()
	head, _, _ := strings.Cut(string(b), "\r\n\r\n")
	var fields []Header
	for line := range strings.SplitSeq(strings.TrimSuffix(head, "\r\n"), "\r\n") {
		if strings.Trim(line, " \t") == "" {
			t.Fatalf("a blank line in the header:\n%s", head)
		}
		if line[0] == ' ' || line[0] == '\t' {
			if len(fields) == 0 {
				t.Fatalf("header starts with a continuation: %q", line)
			}
			fields[len(fields)-1].Value += line
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("no header field: %q", line)
		}
		fields = append(fields, Header{name, value})
	}
	return fields
}
