package message

import (
	"strings"
	"testing"
)

// Each of these characters in each of these fields is an error that names the field, and never
// becomes a line in the header or in a command.
func TestNoFieldInjectsHeader(t *testing.T) {
	t.Parallel()
	bad := map[string]string{"CR": "\r", "LF": "\n", "CRLF": "\r\nBcc: evil@example.com\r\n", "NUL": "\x00",
		"tab and LF": "\n\t", "ESC": "\x1b", "NEL": "\u0085", "line separator": "\u2028"}
	attach := func(set func(*Attachment, string)) func(*Message, string) {
		return func(m *Message, s string) {
			a := Bytes("a.txt", nil)
			set(&a, s)
			m.Attachments = []Attachment{a}
		}
	}
	fields := []struct {
		name string // prefix of the error
		set  func(m *Message, s string)
	}{
		{"from", func(m *Message, s string) { m.From = "a" + s + "@example.com" }},
		{"from", func(m *Message, s string) { m.From = "a@example" + s + ".com" }},
		{"from", func(m *Message, s string) { m.From = "A" + s + "B <a@example.com>" }},
		{"from", func(m *Message, s string) { m.From = `"A` + s + `B" <a@example.com>` }},
		{"from", func(m *Message, s string) { m.From = "a@example.com (A" + s + "B)" }},
		{"from", func(m *Message, s string) { m.From = encodedAs(qEncoding, "A"+s+"B") + " <a@example.com>" }},
		{"from", func(m *Message, s string) { m.From = "a@example.com" + s }},
		{"sender", func(m *Message, s string) { m.Sender = "A" + s + "B <a@example.com>" }},
		{"sender", func(m *Message, s string) { m.Sender = encodedAs(bEncoding, "A"+s+"B") + " <a@example.com>" }},
		{"replyTo[0]", func(m *Message, s string) { m.ReplyTo = []string{"a@exa" + s + "mple.com"} }},
		{"to[0]", func(m *Message, s string) { m.To = []string{"a" + s + "b@example.com"} }},
		{"to[1]", func(m *Message, s string) { m.To = []string{"a@example.com", s + "b@example.com"} }},
		{"cc[0]", func(m *Message, s string) { m.Cc = []string{"A" + s + " <a@example.com>"} }},
		{"bcc[0]", func(m *Message, s string) { m.Bcc = []string{"<a@example.com" + s + ">"} }},
		{"subject", func(m *Message, s string) { m.Subject = "a" + s + "b" }},
		{"subject", func(m *Message, s string) { m.Subject = "你" + s + "好" }},
		{"messageID", func(m *Message, s string) { m.MessageID = "<a" + s + "@example.com>" }},
		{"headers[0]", func(m *Message, s string) { m.Headers = []Header{{"X" + s, "v"}} }},
		{"headers[0]", func(m *Message, s string) { m.Headers = []Header{{"X", "v" + s + "w"}} }},
		{"headers[0]", func(m *Message, s string) { m.Headers = []Header{{"X", "值" + s}} }},
		{"attachments[0]", attach(func(a *Attachment, s string) { a.Name = "a" + s + ".txt" })},
		{"attachments[0]", attach(func(a *Attachment, s string) { a.Name = "附" + s + ".txt" })},
		{"attachments[0]", attach(func(a *Attachment, s string) { a.Name, a.Path, a.Data = "", "a"+s+".txt", nil })},
		{"attachments[0]", attach(func(a *Attachment, s string) { a.ContentType = "text/plain" + s })},
		{"attachments[0]", attach(func(a *Attachment, s string) { a.ContentType = "text/plain; charset=\"u" + s + "\"" })},
		{"attachments[0]", attach(func(a *Attachment, s string) { a.ContentType = "text/plain; x" + s + "=y" })},
		{"attachments[0]", attach(func(a *Attachment, s string) {
			a.ContentType = "text/plain; x*=UTF-8''a" + percentEncode(s)
		})},
		{"attachments[0]", attach(func(a *Attachment, s string) { a.ContentID = "a" + s + "b" })},
		{"attachments[0]", attach(func(a *Attachment, s string) { a.ContentID, a.Inline = "<a"+s+">", true })},
		{"attachments[0]", attach(func(a *Attachment, s string) { a.Name, a.Inline = "a"+s+".txt", true })},
	}
	cases := 0
	for _, field := range fields {
		for name, s := range bad {
			m := &Message{From: "a@example.com", To: []string{"b@example.com"}}
			field.set(m, s)
			c, err := Compose(m)
			if err == nil {
				t.Errorf("%s with %s composed:\n%q", field.name, name, write(t, c))
				continue
			}
			if !strings.HasPrefix(err.Error(), field.name) {
				t.Errorf("%s with %s: the error %q does not name it first", field.name, name, err)
			}
			if strings.ContainsAny(err.Error(), "\r\n\x00\x1b") {
				t.Errorf("%s with %s: the error %q is not fit to be shown", field.name, name, err)
			}
			cases++
		}
	}
	if want := len(fields) * len(bad); cases != want || want < 200 {
		t.Errorf("%d cases of %d", cases, want)
	}
}

// encodedAs returns text as one encoded word.
func encodedAs(e wordEncoding, text string) string {
	return string(piece{text, e}.appendTo(nil))
}
