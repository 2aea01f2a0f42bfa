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

// parseLoosely gives the decoded bodies of a message, as Go's parsers read it.
func parseLoosely(t *testing.T, wire string) [][]byte {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(wire))
	if err != nil {
		t.Fatalf("%v: %q", err, wire)
	}
	return walkLoosely(t, m.Header, m.Body)
}

func walkLoosely(t *testing.T, header mail.Header, body io.Reader) (list [][]byte) {
	t.Helper()
	kind, params, _ := mime.ParseMediaType(header.Get("Content-Type"))
	if strings.HasPrefix(kind, "multipart/") {
		r := multipart.NewReader(body, params["boundary"])
		for {
			part, err := r.NextRawPart()
			if err != nil {
				return list
			}
			list = append(list, walkLoosely(t, mail.Header(part.Header), part)...)
		}
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	switch header.Get("Content-Transfer-Encoding") {
	case "base64":
		b = bytes.ReplaceAll(b, []byte("\r\n"), nil)
		decoded := make([]byte, len(b))
		n, err := base64.StdEncoding.Decode(decoded, b)
		if err != nil {
			t.Fatalf("%v: %q", err, b)
		}
		b = decoded[:n]
	case "quoted-printable":
		if b, err = io.ReadAll(quotedprintable.NewReader(bytes.NewReader(b))); err != nil {
			t.Fatalf("%v: %q", err, b)
		}
	}
	return append(list, b)
}
