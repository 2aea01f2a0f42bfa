package message

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func clock() time.Time {
	return time.Date(2026, 3, 1, 9, 30, 0, 0, time.FixedZone("CST", 8*3600))
}

func compose(t testing.TB, m *Message) *Content {
	t.Helper()
	c, err := composer{now: clock}.compose(m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestComposeText(t *testing.T) {
	t.Parallel()
	c := compose(t, &Message{
		From: "雁 <me@example.com>", To: []string{"a@example.com, 李四 <b@例子.测试>"}, Cc: []string{`"X, Y" <c@example.com>`},
		Bcc: []string{"d@example.com"}, Subject: "Re: 你好", Text: "Hello World\n", MessageID: "1@example.com",
		Headers: []Header{{"X-Mailer", "Yan"}},
	})
	want := strings.ReplaceAll(`Date: Sun, 01 Mar 2026 09:30:00 +0800
From: =?UTF-8?B?6ZuB?= <me@example.com>
To: a@example.com, =?UTF-8?B?5p2O5Zub?= <b@xn--fsqu00a.xn--0zwm56d>
Cc: "X, Y" <c@example.com>
Subject: Re: =?UTF-8?B?5L2g5aW9?=
Message-ID: <1@example.com>
X-Mailer: Yan
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 7bit

Hello World
`, "\n", "\r\n")
	if got := string(write(t, c)); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if c.EightBit() || c.NeedsSMTPUTF8() || c.MessageID() != "<1@example.com>" {
		t.Error(c.EightBit(), c.NeedsSMTPUTF8(), c.MessageID())
	}
	e, err := c.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	if e.From().String() != "me@example.com" || e.Len() != 4 || e.To()[3].String() != "d@example.com" {
		t.Errorf("envelope %v %v", e.From(), e.To())
	}
}

func TestComposeTree(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "报告.pdf")
	pdf := bytes.Repeat([]byte{0, 1, 2, 255, '\r', '\n'}, 40_000)
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	inline := Attachment{Name: "logo.png", Inline: true, Data: []byte("png")}
	file, data, reader := File(path), Bytes("empty.txt", nil), Reader("r.bin", bytes.NewBufferString("reader"))
	tests := []struct {
		name string
		m    Message
		want []string
	}{
		{"nothing", Message{}, []string{"text/plain"}},
		{"text", Message{Text: "t"}, []string{"text/plain"}},
		{"html", Message{HTML: "h"}, []string{"text/html"}},
		{"both", Message{Text: "t", HTML: "h"},
			[]string{"multipart/alternative>text/plain", "multipart/alternative>text/html"}},
		{"inline", Message{HTML: "h", Attachments: []Attachment{inline}},
			[]string{"multipart/related>text/html", "multipart/related>image/png"}},
		{"inline without html", Message{Text: "t", Attachments: []Attachment{inline}},
			[]string{"multipart/mixed>text/plain", "multipart/mixed>image/png"}},
		{"attachment alone", Message{Attachments: []Attachment{data}}, []string{"multipart/mixed>text/plain"}},
		{"all", Message{Text: "t", HTML: "h", Attachments: []Attachment{file, inline, data, reader}}, []string{
			"multipart/mixed>multipart/alternative>text/plain",
			"multipart/mixed>multipart/alternative>multipart/related>text/html",
			"multipart/mixed>multipart/alternative>multipart/related>image/png",
			"multipart/mixed>application/pdf",
			"multipart/mixed>text/plain",
			"multipart/mixed>application/octet-stream"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.m.From, tt.m.To = "a@example.com", []string{"b@example.com"}
			c := compose(t, &tt.m)
			wire := write(t, c)
			if again := write(t, c); !bytes.Equal(wire, again) {
				t.Error("written differently the second time")
			}
			p := parse(t, wire)
			if len(p.leaves) != len(tt.want) {
				t.Fatalf("%d leaves in\n%s", len(p.leaves), wire)
			}
			for i, l := range p.leaves {
				if l.path != tt.want[i] {
					t.Errorf("leaf %d is %s, want %s", i, l.path, tt.want[i])
				}
				switch l.fileName {
				case "报告.pdf":
					if !bytes.Equal(l.body, pdf) || l.disposition != "attachment" {
						t.Errorf("pdf of %d octets, %s", len(l.body), l.disposition)
					}
				case "logo.png":
					if l.id != "<logo.png>" || l.disposition != "inline" || string(l.body) != "png" {
						t.Errorf("inline image: %+v", l)
					}
				case "r.bin":
					if string(l.body) != "reader" {
						t.Errorf("reader gave %q", l.body)
					}
				case "empty.txt":
					if len(l.body) != 0 {
						t.Errorf("empty file gave %q", l.body)
					}
				case "":
					if want := map[string]string{"text/plain": tt.m.Text, "text/html": tt.m.HTML}[l.contentType]; strings.TrimSuffix(string(l.body), "\r\n") != want {
						t.Errorf("%s is %q", l.contentType, l.body)
					}
				}
			}
		})
	}
}
