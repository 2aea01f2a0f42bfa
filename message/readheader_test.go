package message

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadHeader(t *testing.T) {
	t.Parallel()
	const text = "Subject: =?gb2312?B?08q8/g==?=\r\n =?utf-8?Q?_x?=\r\nsubject: second\nFROM : Li <li@example.org>\r\n" +
		"no field\r\n of it\r\nMessage-ID:\r\n <1@example.org>\r\n\r\nBcc: body@example.org\r\n"
	h, err := ReadHeader(iotest.OneByteReader(strings.NewReader(text)), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := h.Text("Subject"), "邮件 x"; got != want {
		t.Errorf("the subject is %q, want %q", got, want)
	}
	if author, ok := h.Author(); !ok || author.Address.String() != "li@example.org" {
		t.Errorf("the author is %v, %v", author, ok)
	}
	if got := h.MessageID(); got != "<1@example.org>" {
		t.Errorf("the Message-ID is %q", got)
	}
	if h.Has("Bcc") || !h.Has("from") || h.Has("Date") {
		t.Error("fields are there that are not, or the other way round")
	}
	if want := strings.ReplaceAll(strings.ReplaceAll(text[:strings.Index(text, "\r\n\r\n")+2], "\r\n", "\n"), "\n", "\r\n"); string(h.Bytes()) != want {
		t.Errorf("got %q, want %q", h.Bytes(), want)
	}
}

func TestReadHeaderEndsWithAWholeField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 100, ""},
		{"A: b", 100, ""},
		{"A: b\r\n", 100, "A: b\r\n"},
		{"A: b\r\nC: d\r\n e", 100, "A: b\r\n"},
		{"A: b\r\nC: d\r\n e\r\n\r\n", 14, "A: b\r\n"},
		{"A: b\r\nC: d\r\n\r\n", 12, "A: b\r\nC: d\r\n"},
		{"A: b\nC: d\n", 11, "A: b\r\n"}, // the limit is that of the result, with CRLF
		{"\r\nA: b\r\n", 100, ""},
	} {
		h, err := ReadHeader(strings.NewReader(c.text), c.limit)
		if err != nil || string(h.Bytes()) != c.want || h.Has("C") != strings.Contains(c.want, "C:") {
			t.Errorf("%q within %d: %q, %v; want %q", c.text, c.limit, h.Bytes(), err, c.want)
		}
	}
	broken := errors.New("broken")
	if _, err := ReadHeader(io.MultiReader(strings.NewReader("A: b\r\n"), iotest.ErrReader(broken)), 100); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestMessageIDOfAHeader(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"<a@b>": "<a@b>", " <a@b> ": "<a@b>", "a@b": "", `<"a,b"@c>`: `<"a,b"@c>`,
		"<a@b": "", "a@b>": "", "<a b@c>": "", "<a@b> <c@d>": "", "<>": "", "": "", "<邮@b>": "",
		"<" + strings.Repeat("a", 253) + ">": "<" + strings.Repeat("a", 253) + ">", "<" + strings.Repeat("a", 254) + ">": "",
	} {
		h, err := ReadHeader(strings.NewReader("Message-ID: "+value+"\r\n\r\n"), 1000)
		if got := h.MessageID(); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", value, got, err, want)
		}
	}
}

func FuzzReadHeader(f *testing.F) {
	f.Add("Subject: a\r\n b\r\n\r\nbody", 100)
	f.Add("x\n\ty\nFrom: a@b\n", 8)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 0 || limit > 1<<16 {
			return
		}
		h, err := ReadHeader(strings.NewReader(text), limit)
		if err != nil || len(h.Bytes()) > limit {
			t.Fatalf("%d octets within %d, %v", len(h.Bytes()), limit, err)
		}
		again, err := ReadHeader(strings.NewReader(string(h.Bytes())+"\r\n"), limit)
		if err != nil || string(again.Bytes()) != string(h.Bytes()) || again.MessageID() != h.MessageID() || again.Text("Subject") != h.Text("Subject") {
			t.Errorf("read again: %q, want %q, %v", again.Bytes(), h.Bytes(), err)
		}
	})
}
