//go:build interop && linux

package interop

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/sandbox"
)

// arrived returns the messages that the provider has for a recipient.
func (m *machine) arrived(to string) []sandbox.Message {
	var list []sandbox.Message
	for _, message := range m.provider.Messages() {
		if slices.Contains(message.To, to) {
			list = append(list, message)
		}
	}
	return list
}

// mustArrive waits for the first message to a recipient.
func (m *machine) mustArrive(t *testing.T, to string) sandbox.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := poll(ctx, func() (bool, error) {
		if len(m.arrived(to)) == 0 {
			return false, errNotYet
		}
		return true, nil
	}); err != nil {
		t.Fatalf("nothing arrived for %s: %v", to, err)
	}
	return m.arrived(to)[0]
}

// checkArrived checks the message of a program that calls sendmail. from is the
// sender that it was told, "" for none.
func (m *machine) checkArrived(t *testing.T, c caller, to, from string) {
	t.Helper()
	got := m.mustArrive(t, to)
	message := checkMessage(t, got)
	if from != "" && !c.sendmailCaller.noField {
		if reply := addressOf(message.Header.Get("Reply-To")); reply != from {
			t.Errorf("Reply-To is %q, want the program's sender %s", message.Header.Get("Reply-To"), from)
		}
	}
	if sender, err := mail.ParseAddress(message.Header.Get("From")); c.fromName != "" && (err != nil || sender.Name != c.fromName) {
		t.Errorf("it is from %q, want the name %q", message.Header.Get("From"), c.fromName)
	}
	if c.dsn && (got.MailParams["RET"] != "HDRS" || !strings.EqualFold(got.RcptParams[0]["NOTIFY"], "FAILURE,DELAY")) {
		t.Errorf("its DSN parameters are %v, %v", got.MailParams, got.RcptParams)
	}
	text := textOf(t, message)
	if c.own != "" {
		if !strings.Contains(text, c.own) {
			t.Errorf("the text is %q, want %q in it", text, c.own)
		}
		return
	}
	c.checkText(t, message, text)
}

// checkText compares subject and text with those that the program was given.
func (c caller) checkText(t *testing.T, message *mail.Message, text string) {
	t.Helper()
	want := callerText
	if c.doubled {
		want = strings.ReplaceAll(want, "\n.", "\n..")
	}
	if strings.TrimRight(text, "\n") != strings.TrimRight(want, "\n") {
		t.Errorf("the text is %q, want %q", text, want)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil || c.to == "" && !strings.HasSuffix(subject, "问候 "+c.name) {
		t.Errorf("the subject is %q: %v", subject, err)
	}
}

// sysexits finds the exit status of sendmail in what a program says.
var sysexits = regexp.MustCompile(`(?:status|code|value|exited) (6[4-9]|7[0-8])\b`)

// checkMessage checks that a message is from the account, and in a form that
// every provider takes.
func checkMessage(t *testing.T, got sandbox.Message) *mail.Message {
	t.Helper()
	if got.From != "work@example.com" && got.From != "" {
		t.Errorf("the envelope is from %q", got.From)
	}
	message, err := mail.ReadMessage(bytes.NewReader(got.Data))
	if err != nil {
		t.Fatalf("it can't be read: %v\n%s", err, got.Data)
	}
	header, _, _ := bytes.Cut(got.Data, []byte("\r\n\r\n"))
	for line := range bytes.SplitSeq(got.Data, []byte("\r\n")) {
		if bytes.ContainsAny(line, "\r\n\x00") || len(line) > 998 {
			t.Errorf("an octet or a line that not every provider takes: %q", line[:min(len(line), 80)])
		}
	}
	if bytes.ContainsFunc(header, func(r rune) bool { return r > 126 }) {
		t.Errorf("the header is not ASCII:\n%s", header)
	}
	if from := addressOf(message.Header.Get("From")); from != "work@example.com" {
		t.Errorf("it is from %q", message.Header.Get("From"))
	}
	if _, err := message.Header.Date(); err != nil {
		t.Errorf("its Date: %v", err)
	}
	to, err := mail.ParseAddressList(message.Header.Get("To"))
	if err != nil || !strings.HasSuffix(to[0].Address, "@example.org") {
		t.Errorf("it is to %q: %v", message.Header.Get("To"), err)
	}
	for name, most := range map[string]int{"Message-Id": 1, "Mime-Version": 1, "Content-Type": 1, "From": 1, "To": 1, "Date": 1, "Subject": 1, "Bcc": 0, "Yan-Key": 0} {
		if n := len(message.Header[name]); n > most || n < most {
			t.Errorf("%d fields %s, want %d:\n%s", n, name, most, header)
		}
	}
	return message
}

// textOf decodes a message without parts; the line ends are LF.
func textOf(t *testing.T, message *mail.Message) string {
	t.Helper()
	body := message.Body
	switch strings.ToLower(message.Header.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Errorf("its text can't be decoded: %v", err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

func addressOf(field string) string {
	parsed, err := mail.ParseAddress(field)
	if err != nil {
		return fmt.Sprintf("unreadable: %v", err)
	}
	return parsed.Address
}

// checkSettled waits until the outbox has nothing more to send, and compares the
// numbers of messages that the recipients got with want.
func (m *machine) checkSettled(t *testing.T, want map[string]int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := poll(ctx, func() (bool, error) {
		exit, out := m.run(t, "yan", nil, "", "yan", "queue", "--json")
		if exit != 0 {
			return false, fmt.Errorf("yan queue: exit status %d\n%s", exit, out)
		}
		if out = strings.TrimSpace(out); out != "" && out != "[]" {
			return false, fmt.Errorf("the outbox has %s: %w", out, errNotYet)
		}
		return true, nil
	}); err != nil {
		t.Error(err)
	}
	for to, n := range want {
		if got := len(m.arrived(to)); got != n {
			t.Errorf("%d messages arrived for %s, want %d", got, to, n)
		}
	}
}
