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
	c, err := (&Composer{now: clock}).Compose(m)
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
To: <a@example.com>, =?UTF-8?B?5p2O5Zub?= <b@xn--fsqu00a.xn--0zwm56d>
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
		{"inline without name", Message{HTML: "h", Attachments: []Attachment{{ContentID: "<x@y>", Inline: true, Data: []byte{}, ContentType: "image/png"}}},
			[]string{"multipart/related>text/html", "multipart/related>image/png"}},
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
			if empty := "\r\n\r\n\r\n--=_"; bytes.Contains(wire, []byte("empty.txt")) && !bytes.Contains(wire, []byte(empty)) {
				t.Error("the boundary after an empty part has no line end of its own")
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
					if (l.id == "") != (tt.m.HTML == "") || l.disposition != "inline" || string(l.body) != "png" {
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
					if l.contentType == "image/png" {
						if l.id != "<x@y>" || l.disposition != "inline" {
							t.Errorf("image without a name: %+v", l)
						}
						continue
					}
					if want := map[string]string{"text/plain": tt.m.Text, "text/html": tt.m.HTML}[l.contentType]; strings.TrimSuffix(string(l.body), "\r\n") != want {
						t.Errorf("%s is %q", l.contentType, l.body)
					}
				}
			}
		})
	}
}

// Texts are laid out with the header up to a size, and separately beyond it; the result is the
// same.
func TestLongTexts(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"plain\r\n", "这是一行\r\n", "größer als\r\n"} {
		for _, size := range []int{outputBlock - 20, outputBlock, outputBlock + 1, inputBlock, 2 * inputBlock, 5 * outputBlock} {
			text := strings.Repeat(line, size/len(line)) + strings.Repeat("x", size%len(line))
			for _, attachments := range [][]Attachment{nil, {Bytes("a", []byte("a"))}} {
				c := compose(t, &Message{From: "a@b.c", To: []string{"x@y.z"}, Text: text, EightBit: true, Attachments: attachments})
				seven, _ := c.SevenBit()
				for _, c := range []*Content{c, seven} {
					wire := write(t, c)
					l := parse(t, wire).leaves[0]
					// Base64 ends its last line itself; only the header is followed by an empty
					// line.
					if n := bytes.Count(wire, []byte("\r\n\r\n--=_")); l.encoding == "base64" && n != len(attachments) {
						t.Errorf("%d octets of %q: %d empty lines before a boundary", size, line, n)
					}
					if got := string(l.body); strings.TrimSuffix(got, "\r\n") != strings.TrimSuffix(text, "\r\n") {
						t.Errorf("%d octets of %q in %s are decoded as %d", size, line, l.encoding, len(got))
					}
				}
			}
		}
	}
}

func TestAddressFields(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		m    Message
		want string // the address fields
		from string // sender of the envelope
		to   string
		utf8 bool
	}{
		{"bcc only", Message{From: "a@b.c", Bcc: []string{"x@y.z"}}, "From: <a@b.c>|To: <a@b.c>|Subject:", "a@b.c", "x@y.z", false},
		{"cc only", Message{From: "a@b.c", Cc: []string{"x@y.z"}}, "From: <a@b.c>|Cc: <x@y.z>|Subject:", "a@b.c", "x@y.z", false},
		{"several authors", Message{From: "a@b.c, d@e.f", Sender: "S <s@b.c>", To: []string{"x@y.z"}},
			"From: <a@b.c>, <d@e.f>|Sender: S <s@b.c>|To: <x@y.z>|Subject:", "s@b.c", "x@y.z", false},
		{"sender is author", Message{From: "A <a@b.c>", Sender: "a@b.c", To: []string{"x@y.z"}}, "From: A <a@b.c>|To: <x@y.z>|Subject:", "a@b.c", "x@y.z", false},
		{"twice", Message{From: "a@b.c", To: []string{"x@y.z"}, Bcc: []string{"x@y.z"}}, "From: <a@b.c>|To: <x@y.z>|Subject:", "a@b.c", "x@y.z", false},
		{"reply to", Message{From: "a@b.c", ReplyTo: []string{"r@b.c, q@b.c"}, To: []string{"x@y.z"}},
			"From: <a@b.c>|Reply-To: <r@b.c>, <q@b.c>|To: <x@y.z>|Subject:", "a@b.c", "x@y.z", false},
		{"UTF-8 recipient", Message{From: "a@b.c", To: []string{"用户@y.z"}}, "From: <a@b.c>|To: <用户@y.z>|Subject:", "a@b.c", "用户@y.z", true},
		{"UTF-8 bcc", Message{From: "a@b.c", Bcc: []string{"用户@y.z"}}, "From: <a@b.c>|To: <a@b.c>|Subject:", "a@b.c", "用户@y.z", false},
		{"UTF-8 domain", Message{From: "a@b.c", To: []string{"u@例子.测试"}}, "From: <a@b.c>|To: <u@xn--fsqu00a.xn--0zwm56d>|Subject:", "a@b.c", "u@例子.测试", false},
	}
	for _, tt := range tests {
		c := compose(t, &tt.m)
		var fields []string
		for _, f := range unfold(t, write(t, c)) {
			switch f.Name {
			case "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding":
			default:
				fields = append(fields, f.Name+":"+f.Value)
			}
		}
		if got := strings.Join(fields, "|"); got != tt.want {
			t.Errorf("%s: %s", tt.name, got)
		}
		e, err := c.Envelope()
		if err != nil || e.From().String() != tt.from || e.Len() != 1 || e.To()[0].String() != tt.to || c.NeedsSMTPUTF8() != tt.utf8 {
			t.Errorf("%s: envelope %v to %v, %v; SMTPUTF8 %v", tt.name, e.From(), e.To(), err, c.NeedsSMTPUTF8())
		}
	}
	if _, err := compose(t, &Message{From: "a@b.c"}).Envelope(); err == nil {
		t.Error("an envelope without recipients")
	}
}

func TestDateAndMessageID(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for range 10 {
		before := time.Now().Add(-time.Second)
		c, err := Compose(&Message{From: "a@例子.测试", To: []string{"b@c.d"}})
		if err != nil {
			t.Fatal(err)
		}
		p := parse(t, write(t, c))
		id := c.MessageID()
		if p.header.Get("Message-Id") != id || len(id) < len("<@xn--fsqu00a.xn--0zwm56d>")+26 || !strings.HasSuffix(id, "@xn--fsqu00a.xn--0zwm56d>") || ids[id] {
			t.Errorf("Message-ID %q, %q", id, p.header.Get("Message-Id"))
		}
		ids[id] = true
		if date, err := p.header.Date(); err != nil || date.Before(before) || date.After(time.Now()) {
			t.Errorf("Date %v, %v", date, err)
		}
	}
	for given, want := range map[string]string{"a.b@c": "<a.b@c>", "<a$b=c/d@[IPv6:::1]>": "<a$b=c/d@[IPv6:::1]>", `<"a"@b>`: ""} {
		c, err := Compose(&Message{From: "a@b.c", MessageID: given})
		if (err == nil) != (want != "") || err == nil && c.MessageID() != want {
			t.Errorf("%q: %v", given, err)
		}
	}
}
