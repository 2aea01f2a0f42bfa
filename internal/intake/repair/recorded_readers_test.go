package repair_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"

	gomessage "github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"
	gomail "github.com/emersion/go-message/mail"

	"github.com/yanmail/yan/internal/intake/repair"
	"github.com/yanmail/yan/message"
)

// decoded returns the body of a message with one part.
func decoded(m *mail.Message) ([]byte, error) {
	switch strings.ToLower(m.Header.Get("Content-Transfer-Encoding")) {
	case "base64":
		return io.ReadAll(base64.NewDecoder(base64.StdEncoding, m.Body))
	case "quoted-printable":
		return io.ReadAll(quotedprintable.NewReader(m.Body))
	}
	return io.ReadAll(m.Body)
}

// What 32 programs wrote comes out as two readers that others wrote take it, with all of its text.
func TestRecordedMessages(t *testing.T) {
	t.Parallel()
	list := recordedMessages(t)
	var noFrom, fromWithout, toWithout int
	for _, r := range list {
		in := string(r.octets(t))
		head, body, _ := strings.Cut(strings.ReplaceAll(in, "\r\n", "\n"), "\n\n")
		before, err := message.ReadHeader(strings.NewReader(head+"\n\n"), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		switch _, ok := before.Author(); {
		case !before.Has("From"):
			noFrom++
		case !ok:
			fromWithout++
		}
		m := read(t, in, rewriting(t))
		for _, to := range m.Recipients() {
			if to.Name == "root" || to.Name == "user" {
				toWithout++
				break
			}
		}
		if !strings.Contains(head, "To: ") {
			t.Errorf("%s: no To", r.Program)
		}
		text := wire(t, m)
		if m.EightBit() || m.NeedsSMTPUTF8() {
			t.Errorf("%s: it is not in 7-bit", r.Program)
		}
		strictNetMail(t, r.Program, text, body)
		strictGoMessage(t, r.Program, text)
		if twice := read(t, text, rewriting(t)); len(twice.Changes()) > 0 {
			t.Errorf("%s: repaired once more: %v", r.Program, twice.Changes())
		}
	}
	if len(list) != 65 || noFrom != 27 || fromWithout != 5 || toWithout != 14 {
		t.Errorf("%d messages, %d without From, %d with a From and %d with a To without a domain; want 65, 27, 5 and 14", len(list), noFrom, fromWithout, toWithout)
	}
}

// strictNetMail reads a message with the standard library.
func strictNetMail(t *testing.T, program, text, body string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Errorf("%s: %v", program, err)
		return
	}
	for _, name := range []string{"From", "To", "Cc", "Reply-To", "Sender"} {
		if m.Header.Get(name) == "" && name != "From" && name != "To" {
			continue
		}
		if list, err := m.Header.AddressList(name); err != nil || len(list) == 0 && name == "From" {
			t.Errorf("%s: %s: %q: %v", program, name, m.Header.Get(name), err)
		}
	}
	if _, err := m.Header.Date(); err != nil {
		t.Errorf("%s: %v", program, err)
	}
	for _, name := range []string{"From", "Date", "Message-Id", "Mime-Version", "Content-Type"} {
		if n := len(m.Header[name]); n != 1 {
			t.Errorf("%s: %d fields %s", program, n, name)
		}
	}
	if !strings.Contains(text, "multipart") && m.Header.Get("Content-Transfer-Encoding") != "base64" {
		b, err := decoded(m)
		if got := strings.ReplaceAll(string(b), "\r\n", "\n"); err != nil || strings.TrimRight(got, "\n") != strings.TrimRight(plainBody(body), "\n") {
			t.Errorf("%s: the text became %q, %v; want %q", program, got, err, body)
		}
	}
}

// plainBody is the text of a recorded message whose body is quoted-printable already.
func plainBody(body string) string {
	if strings.Contains(body, "=C3=A9") {
		return strings.ReplaceAll(body, "=C3=A9", "é")
	}
	return body
}

// strictGoMessage reads a message with emersion/go-message.
func strictGoMessage(t *testing.T, program, text string) {
	t.Helper()
	m, err := gomail.CreateReader(strings.NewReader(text))
	if err != nil {
		t.Errorf("%s: %v", program, err)
		return
	}
	if from, err := m.Header.AddressList("From"); err != nil || len(from) != 1 {
		t.Errorf("%s: From: %v, %v", program, from, err)
	}
	if _, err := m.Header.AddressList("To"); err != nil {
		t.Errorf("%s: To: %v", program, err)
	}
	if _, err := m.Header.Subject(); err != nil {
		t.Errorf("%s: Subject: %v", program, err)
	}
	if id, err := m.Header.MessageID(); err != nil && strings.Contains(m.Header.Get("Message-Id"), "@") || err == nil && id == "" {
		t.Errorf("%s: %q, %v", program, id, err)
	}
	for {
		part, err := m.NextPart()
		if err == io.EOF {
			return
		}
		if err != nil && !gomessage.IsUnknownCharset(err) {
			t.Errorf("%s: %v", program, err)
			return
		}
		if _, err := io.Copy(io.Discard, part.Body); err != nil {
			t.Errorf("%s: %v", program, err)
		}
	}
}

// FuzzRepair checks that whatever a program writes becomes a valid message of the stated size, or an
// error of the message, and that a repaired message needs no repair.
func FuzzRepair(f *testing.F) {
	for _, r := range recordedMessages(f) {
		f.Add(r.octets(f), true)
	}
	for _, s := range []string{"", "\r", "From x\n\ny", "To: a;b:c<d>(e\"f\n\n", "A:\n\x00\n:\n", "Content-Type: multipart/mixed; boundary=b\n\n\x00--b\nX: \xff\n\n\xff\n--b--\n"} {
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, in []byte, rewrite bool) {
		o := form()
		if rewrite {
			o = rewriting(t)
		}
		m, err := repair.Read(strings.NewReader(string(in)), int64(len(in)), o)
		if err != nil {
			if _, ok := err.(*repair.Error); !ok {
				t.Fatal(err)
			}
			return
		}
		text := wire(t, m)
		for _, line := range strings.Split(text, "\r\n") {
			if len(line) > 998 || strings.ContainsAny(line, "\x00\r\n") {
				t.Fatalf("the line %q", line)
			}
		}
		twice, err := repair.Read(inMemory{bytes.NewReader([]byte(text)), []byte(text)}, int64(len(text)), o)
		if err != nil {
			t.Fatalf("%v: %q", err, text)
		}
		if again := wire(t, twice); again != text {
			t.Fatalf("repaired once more (%v): %q\nbefore %q", twice.Changes(), again, text)
		}
		m.Recipients()
		m.Header()
	})
}
