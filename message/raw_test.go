package message

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const rawHead = "From: a@example.com\r\nTo: b@example.com\r\n"

func TestRawNormalization(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"as it is", rawHead + "\r\nbody\r\n", rawHead + "\r\nbody\r\n"},
		{"LF", "From: a@b.c\n\nx\ny\n", "From: a@b.c\r\n\r\nx\r\ny\r\n"},
		{"CR", "From: a@b.c\r\rx\ry\r", "From: a@b.c\r\n\r\nx\r\ny\r\n"},
		{"mixed", "From: a@b.c\n\r\nx\r\r\ny\n\rz", "From: a@b.c\r\n\r\nx\r\n\r\ny\r\n\r\nz\r\n"},
		{"smuggling", "From: a@b.c\r\n\r\nx\r.\ry\n.\r\nz\r\n", "From: a@b.c\r\n\r\nx\r\n.\r\ny\r\n.\r\nz\r\n"},
		{"no line end", rawHead + "\r\nbody", rawHead + "\r\nbody\r\n"},
		{"header only", "From: a@b.c", "From: a@b.c\r\n"},
		{"bcc", "Bcc: x@y.z,\r\n\tq@y.z\r\n  (more)\r\nFrom: a@b.c\r\n\r\nBcc: stays\r\n", "From: a@b.c\r\n\r\nBcc: stays\r\n"},
		{"bcc in disguise", "From: a@b.c\nbCC : x@y.z\n \n more\nRESENT-BCC: y\nTo: c@d.e\n\nx", "From: a@b.c\r\nTo: c@d.e\r\n\r\nx\r\n"},
		{"blank line in the header", "From: a@b.c\n \t\n x\n\nbody", "From: a@b.c\r\n x\r\n\r\nbody\r\n"},
		{"mbox", "From me Sun Mar  1 2026\nFrom: a@b.c\n\nx\n", "From: a@b.c\r\n\r\nx\r\n"},
		{"From with a blank", "From : a@b.c\n\nx\n", "From : a@b.c\r\n\r\nx\r\n"},
		{"byte order mark", "\ufeffFrom: a@b.c\n\nx\n", "From: a@b.c\r\n\r\nx\r\n"},
		{"long line", rawHead + "\r\n" + strings.Repeat("x", 998) + "\r\n", rawHead + "\r\n" + strings.Repeat("x", 998) + "\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := ReadRaw(strings.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			got := string(write(t, c))
			if got != tt.want {
				t.Errorf("got %q\nwant %q", got, tt.want)
			}
			again, err := ReadRaw(strings.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			if twice := string(write(t, again)); twice != got {
				t.Errorf("not idempotent: %q", twice)
			}
		})
	}
}

// Every position of a line end relative to the reader's block is tested.
func TestRawLineEndsAtBlockBorders(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\r\n", "\r", "\n", "\r\r\n", "\n\r"} {
		for at := 4090 - len(rawHead); at < 4102-len(rawHead); at++ {
			filler := strings.Repeat(strings.Repeat("x", 98)+"\r\n", 50)[:at]
			filler = strings.TrimRight(filler, "\r\n")
			in := rawHead + "\r\n" + filler + strings.Repeat("y", at-len(filler)) + end + "z\r\n"
			c, err := ReadRaw(strings.NewReader(in))
			if err != nil {
				t.Fatal(err)
			}
			want := normalizeLineEnds(in)
			if got := string(write(t, c)); got != want {
				t.Fatalf("%q at %d: got %q", end, at, got[len(got)-20:])
			}
		}
	}
}

func TestRawRefused(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"empty", "", "no header"},
		{"only a line end", "\r\n\r\nbody", "no header"},
		{"nothing but bcc", "Bcc: a@b.c\n\nbody", "no header"},
		{"text", "Dear friend,\n\nhello\n", "line 1 is not a header field"},
		{"continuation first", " x: y\n", "line 1 starts with a space"},
		{"long header line", "From: a@b.c\nX: " + strings.Repeat("x", 999) + "\n", "line 2 is longer than 998"},
		{"long last line", rawHead + "\r\n\r\n" + strings.Repeat("x", 999), "line 5 is longer than 998"},
		{"longer than a block", rawHead + "\r\n\r\n" + strings.Repeat("x", 9999), "line 5 is longer than 998"},
		{"NUL in body", rawHead + "\r\na\x00b\r\n", "line 4 contains a NUL"},
		{"NUL in header", "From: a\x00@b.c\r\n", "line 1 contains a NUL"},
		{"GBK in header", "From: a@b.c\nSubject: \xc4\xe3\xba\xc3\n\n", "line 2 is in the header"},
		{"endless header", strings.Repeat("X: "+strings.Repeat("y", 900)+"\n", 1200), "exceeds 1048576 octets of header"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := ReadRaw(strings.NewReader(tt.in))
			if err == nil {
				t.Fatalf("accepted: %q", write(t, c))
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "raw message: ") {
				t.Errorf("error %q lacks %q", err, tt.want)
			}
		})
	}
	_, err := OpenRaw(filepath.Join(t.TempDir(), "none.eml"))
	if err == nil || !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := OpenRaw(t.TempDir()); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("folder: %v", err)
	}
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || os.IsNotExist(err) {
			return err
		}
		err = u.Unwrap()
	}
}

func TestRawFacts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "m.eml")
	in := "From: =?GBK?B?xOO6ww==?= <a@example.com>,\r\n\tx@example.com\r\n" +
		"To: team: b@example.com, \"C, D\" <c@example.com>;, undisclosed-recipients:;\r\n" +
		"Cc:\r\n d@example.com (say \"hi\")\r\nBcc: 秘密 <e@example.com>\r\n" +
		"Message-ID:\r\n <1@example.com>\r\n\r\n你好\r\n"
	if err := os.WriteFile(path, []byte(in), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := OpenRaw(path)
	if err != nil {
		t.Fatal(err)
	}
	if wire := write(t, c); bytes.Contains(wire, []byte("e@example.com")) {
		t.Errorf("bcc transmitted:\n%s", wire)
	}
	if !c.EightBit() || c.NeedsSMTPUTF8() || c.MessageID() != "<1@example.com>" {
		t.Error(c.EightBit(), c.NeedsSMTPUTF8(), c.MessageID())
	}
	if _, ok := c.SevenBit(); ok {
		t.Error("a raw 8-bit message has no 7-bit form")
	}
	e, err := c.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	var to []string
	for _, a := range e.To() {
		to = append(to, a.String())
	}
	if got, want := strings.Join(to, " "), "b@example.com c@example.com d@example.com e@example.com"; e.From().String() != "a@example.com" || got != want {
		t.Errorf("envelope %v to %s", e.From(), got)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.WriteTo(io.Discard); n != 0 || err == nil {
		t.Errorf("after Close: %d, %v", n, err)
	}

	for _, tt := range []struct{ in, want string }{
		{"To: b@example.com\n\n", "neither From nor Sender"},
		{"From: a@example.com\n\n", "no recipients"},
		{"From: a@example.com\nTo: nobody\n\n", "header field to"},
	} {
		c, err := ReadRaw(strings.NewReader(tt.in))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Envelope(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: envelope error %v, want %q", tt.in, err, tt.want)
		}
	}
	utf8, err := ReadRaw(strings.NewReader("From: 雁@example.com\nSubject: 你\n\n"))
	if err != nil || !utf8.NeedsSMTPUTF8() || utf8.EightBit() {
		t.Error(err, utf8)
	}
}

// A source that begins like an mbox file is accepted only if it is certainly one message: the
// library's readers have no other check.
func TestRawMbox(t *testing.T) {
	t.Parallel()
	const one = "From: a@b.c\nTo: d@e.f\n\nx\n"
	for _, from := range []string{"From a@b.c Mon Jan  1 10:00:00 2024\n", "From a@b.c Mon, 01 Jan 2024 10:00:00 +0000\n", "From a@b.c\n"} {
		for name, in := range map[string]string{
			"two": from + one + "\n" + from + one, "glued": from + one + from + one, "no header": from + one + "\n" + from,
			"unlike": from + one + "\nFrom 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001\n" + one,
		} {
			for _, in := range []string{in, strings.ReplaceAll(in, "\n", "\r\n"), strings.ReplaceAll(in, "\n", "\r")} {
				if _, err := ReadRaw(strings.NewReader(in)); !errors.Is(err, ErrMbox) {
					t.Errorf("%s: %q: %v", name, in, err)
				}
			}
		}
		c, err := ReadRaw(strings.NewReader(from + ">From a@b.c\n" + one + ">From x\n>>From y\n> From z\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(write(t, c)), strings.ReplaceAll(one+"From x\n>From y\n> From z\n", "\n", "\r\n"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if _, err := ReadRaw(strings.NewReader("From x\nFrom: MAILER-DAEMON\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n\n")); err == nil || !strings.Contains(err.Error(), "it is not a message") {
		t.Error(err)
	}
}

// The mailbox's own fields are not sent, whatever their spelling, position and folding.
func TestMailboxFieldsAreDropped(t *testing.T) {
	t.Parallel()
	names := []string{"Return-Path", "Delivered-To", "X-Original-To", "Status", "X-Status", "X-UID", "X-UIDL", "X-Keywords", "X-IMAP", "X-IMAPbase",
		"Content-Length", "Lines", "X-Mozilla-Status", "X-Mozilla-Status2", "X-Mozilla-Keys", "Envelope-To", "Delivery-Date", "X-Gmail-Labels", "FCC"}
	for _, name := range names {
		for _, spelled := range []string{name, strings.ToLower(name), strings.ToUpper(name), name + " "} {
			in := spelled + ": 雁\n\tmore\nFrom: a@b.c\n" + spelled + ":\n x\nX-Stays: " + name + "\n\n" + name + ": x\n"
			c, err := ReadRaw(strings.NewReader(in))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := string(write(t, c)), "From: a@b.c\r\nX-Stays: "+name+"\r\n\r\n"+name+": x\r\n"; got != want || c.NeedsSMTPUTF8() {
				t.Errorf("%q: %q, want %q", spelled, got, want)
			}
		}
	}
}

// A file whose line ends were converted twice has an empty line after its first line.
func TestDoubledLineEnds(t *testing.T) {
	t.Parallel()
	for in, line := range map[string]string{
		"From: a@b.c\r\r\nTo: d@e.f\r\r\n\r\r\nx\r\r\n": "line 1 ends with CR CR LF",
		"From: a@b.c\r\nTo: d@e.f\r\r\n\r\nx\r\n":       "line 2 ends with CR CR LF",
	} {
		if _, err := ReadRaw(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), line) {
			t.Errorf("%q: %v", in, err)
		}
	}
}
