package message

import (
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/dkim"
)

func fingerprintOf(t *testing.T, m Message) string {
	t.Helper()
	c, err := Compose(&m)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	before, err := c.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.WriteTo(io.Discard); err != nil {
		t.Fatal(err)
	}
	if again, err := c.Fingerprint(); err != nil || again != before {
		t.Errorf("once more it is %x, %v", again, err)
	}
	return hex.EncodeToString(before[:])
}

func whole() Message {
	return Message{
		From: "雁 <me@example.com>", Sender: "office@example.com", ReplyTo: []string{"r@example.com"},
		To: []string{"a@example.com", "b@example.com"}, Cc: []string{"c@example.com"}, Bcc: []string{"d@example.com"},
		Subject: "主题", Text: "text", HTML: "<p>text</p>", Headers: []Header{{"X-A", "1"}, {"X-B", "2"}},
		MessageID: "1@example.com", Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Attachments: []Attachment{Bytes("a.txt", []byte("one")), Bytes("b.txt", []byte("two"))},
	}
}

// What a caller can say differently makes another fingerprint, each field for
// itself; what this package makes up, or how it is carried, makes none.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	seen := map[string]string{fingerprintOf(t, whole()): "the message"}
	changes := map[string]func(*Message){
		"from":           func(m *Message) { m.From = "me@example.com" },
		"sender":         func(m *Message) { m.Sender = "" },
		"reply-to":       func(m *Message) { m.ReplyTo = nil },
		"to":             func(m *Message) { m.To = m.To[:1] },
		"order of to":    func(m *Message) { m.To = []string{m.To[1], m.To[0]} },
		"cc":             func(m *Message) { m.Cc = nil },
		"cc in to":       func(m *Message) { m.To, m.Cc = append(m.To, m.Cc...), nil },
		"bcc":            func(m *Message) { m.Bcc = []string{"e@example.com"} },
		"bcc in cc":      func(m *Message) { m.Cc, m.Bcc = append(m.Cc, m.Bcc...), nil },
		"subject":        func(m *Message) { m.Subject = "主" },
		"text":           func(m *Message) { m.Text = "text " },
		"html":           func(m *Message) { m.HTML = "" },
		"subject, text":  func(m *Message) { m.Subject, m.Text = "", m.Subject+m.Text },
		"header's value": func(m *Message) { m.Headers = []Header{{"X-A", "1"}, {"X-B", "3"}} },
		"header's name":  func(m *Message) { m.Headers = []Header{{"X-A", "1"}, {"X-C", "2"}} },
		"one header":     func(m *Message) { m.Headers = m.Headers[:1] },
		"message id":     func(m *Message) { m.MessageID = "2@example.com" },
		"no message id":  func(m *Message) { m.MessageID = "" },
		"date":           func(m *Message) { m.Date = m.Date.Add(time.Second) },
		"no date":        func(m *Message) { m.Date = time.Time{} },
		"a file's name":  func(m *Message) { m.Attachments[0].Name = "c.txt" },
		"its type":       func(m *Message) { m.Attachments[0].ContentType = "text/csv" },
		"its id":         func(m *Message) { m.Attachments[0].ContentID = "x" },
		"inline":         func(m *Message) { m.Attachments[0].Inline = true },
		"its content":    func(m *Message) { m.Attachments[0].Data = []byte("One") },
		"the other's":    func(m *Message) { m.Attachments[1].Data = []byte("Two") },
		"order of files": func(m *Message) { m.Attachments[0], m.Attachments[1] = m.Attachments[1], m.Attachments[0] },
		"moved octets":   func(m *Message) { m.Attachments[0].Data, m.Attachments[1].Data = []byte("onet"), []byte("wo") },
		"one file":       func(m *Message) { m.Attachments = m.Attachments[:1] },
	}
	for name, change := range changes {
		m := whole()
		change(&m)
		f := fingerprintOf(t, m)
		if other, twice := seen[f]; twice {
			t.Errorf("%s: as of %s", name, other)
		}
		seen[f] = name
	}

	original := fingerprintOf(t, whole())
	for name, change := range map[string]func(*Message){
		"the same":              func(*Message) {},
		"eight bit":             func(m *Message) { m.EightBit = true },
		"signed":                func(m *Message) { m.DKIM = []*dkim.Signer{testSigner()} },
		"another time zone":     func(m *Message) { m.Date = m.Date.In(time.FixedZone("", 8*3600)) },
		"angle brackets":        func(m *Message) { m.MessageID = "<1@example.com>" },
		"two in one string":     func(m *Message) { m.To = []string{"a@example.com; b@example.com"} },
		"a reader that seeks":   func(m *Message) { m.Attachments[0] = Reader("a.txt", strings.NewReader("one")) },
		"one that can't":        func(m *Message) { m.Attachments[0] = Reader("a.txt", io.MultiReader(strings.NewReader("one"))) },
		"another data, as long": func(m *Message) { m.Attachments[0] = Bytes("a.txt", []byte("o"+"ne")) },
	} {
		m := whole()
		change(&m)
		if f := fingerprintOf(t, m); f != original {
			t.Errorf("%s: another one", name)
		}
	}
	generated := func() Message { return Message{From: "me@example.com", To: []string{"a@example.com"}, Text: "x"} }
	if first, second := fingerprintOf(t, generated()), fingerprintOf(t, generated()); first != second {
		t.Error("what is made up for a message is part of it")
	}
}

// A program of another version has to find the same: keys are kept for months.
func TestFingerprintStays(t *testing.T) {
	t.Parallel()
	const want = "56aa5a7552973a0b0357c554d1fbd715250e46e06a14bd48b5e953c1a40f6baa"
	if got := fingerprintOf(t, whole()); got != want {
		t.Errorf("it is %s, and was %s", got, want)
	}
}

func TestFingerprintOfARawMessage(t *testing.T) {
	t.Parallel()
	of := func(text string) [32]byte {
		c, err := ReadRaw(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		f, err := c.Fingerprint()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	one := of("From: a@example.com\r\nBcc: c@example.com\r\n\r\nx\r\n")
	if of("From: a@example.com\n\nx") != one {
		t.Error("line ends and Bcc, which are not sent, make a difference")
	}
	if of("From: a@example.com\n\ny") == one {
		t.Error("another text makes none")
	}
}
