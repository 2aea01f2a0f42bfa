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

// parseLoosely returns the decoded bodies of a message, as Go's parsers read it.
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

// Encoded words stay as they are beside other text, with the blanks between them; text that only
// resembles an encoded word is encoded.
func TestFitBesideEncodedWords(t *testing.T) {
	t.Parallel()
	const word = "=?UTF-8?B?5L2g?=" // 你
	for saved, want := range map[string]string{
		"雁 " + word + " 好":                   "雁 你 好",
		word + " 好":                          "你 好",
		"好 " + word:                          "好 你",
		"Re: 雁 " + word + " ok":              "Re: 雁 你 ok",
		"Re: " + word + " ok 雁":              "Re: 你 ok 雁",
		word + " " + word + " 好":             "你你 好",
		"雁 =?x?= " + word:                    "雁 =?x?= 你",
		"=?x ?= 雁":                           "=?x ?= 雁",
		"雁 =?GBK?Q?=C4=E3?= b":               "雁 你 b",
		"=?UTF-8?B?5L2gIA==?= 雁":             "你  雁",
		"=?UTF-8?Q?a=0D=0AX:_y?= 雁 ok":       "a\r\nX: y 雁 ok", // line breaks inside a word stay inside it
		word + strings.Repeat(" word 雁", 99): "你" + strings.Repeat(" word 雁", 99),
	} {
		c, err := Raw{Fit: true}.Read(strings.NewReader("From: a@example.org\r\nTo: b@example.org\r\nSubject: " + saved + "\r\n\r\nx\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := c.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(&b)
		if err != nil {
			t.Fatal(err)
		}
		d := mime.WordDecoder{CharsetReader: charsetReader}
		subject := m.Header.Get("Subject")
		got, err := d.DecodeHeader(subject)
		if err != nil || got != want || !isASCII(subject) {
			t.Errorf("%q became %q, which is read as %q, %v; want %q", saved, subject, got, err, want)
		}
	}
}
