package message

import (
	"bytes"
	"strings"
	"testing"
)

// The labels of RFC 2045 section 6.4: a multipart is binary if a part of it is, otherwise 8bit or
// 7bit.
func TestBinary(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte("\r\n.\r\n\x00\xff\r\n--=_\r\nFrom \n\r"), 20)
	m := &Message{From: "a@example.com", To: []string{"b@example.com"}, Subject: "s", Text: "你好\n", HTML: "<p>hi</p>\n",
		MessageID: "1@example.com", Attachments: []Attachment{Bytes("a.bin", data), Bytes("empty", nil)}}
	c := compose(t, m)
	binary, ok := c.Binary()
	if !ok {
		t.Fatal("no binary form")
	}
	wire := string(write(t, binary))
	boundaries := strings.NewReplacer("\r\n", "\n", c.draft.body.boundary, "MIXED", c.draft.body.children[0].boundary, "ALTERNATIVE")
	want := `Date: Sun, 01 Mar 2026 09:30:00 +0800
From: <a@example.com>
To: <b@example.com>
Subject: s
Message-ID: <1@example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="MIXED"
Content-Transfer-Encoding: binary

--MIXED
Content-Type: multipart/alternative; boundary="ALTERNATIVE"
Content-Transfer-Encoding: 8bit

--ALTERNATIVE
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

你好

--ALTERNATIVE
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 7bit

<p>hi</p>

--ALTERNATIVE--
--MIXED
Content-Type: application/octet-stream; name=a.bin
Content-Disposition: attachment; filename=a.bin
Content-Transfer-Encoding: binary

` + strings.ReplaceAll(string(data), "\r\n", "\n") + `
--MIXED
Content-Type: application/octet-stream; name=empty
Content-Disposition: attachment; filename=empty
Content-Transfer-Encoding: binary


--MIXED--
`
	if got := boundaries.Replace(wire); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	if got := parse(t, []byte(wire)).leaves[2].body; !bytes.Equal(got, data) {
		t.Errorf("%q became %q", data, got)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := binary.WriteTo(&bytes.Buffer{}); n != 0 || err == nil {
		t.Errorf("the binary form of a closed Content wrote %d octets, %v", n, err)
	}
}

func TestNoBinary(t *testing.T) {
	t.Parallel()
	raw, err := ReadRaw(strings.NewReader("From: a@b.c\n\nbody\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*Content{
		"text":  compose(t, &Message{From: "a@b.c", To: []string{"x@y.z"}, Text: "你好", EightBit: true}),
		"empty": compose(t, withAttachment(Bytes("empty", nil))),
		"raw":   raw,
	} {
		if binary, ok := c.Binary(); ok || binary != nil || c.IsBinary() {
			t.Errorf("%s has a binary form", name)
		}
	}
}
