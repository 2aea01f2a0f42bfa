package sending

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/internal/sending/sendlog"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

func address(t *testing.T, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// messagesIn returns the messages of a folder, hashed for a log.
func messagesIn(t *testing.T, dir string) []*Outgoing {
	t.Helper()
	found, err := mailfiles.Find(dir, mailfiles.Options{})
	if err != nil {
		t.Fatal(err)
	}
	messages := make([]*Outgoing, len(found.Messages))
	for i := range found.Messages {
		m := &Outgoing{File: filepath.Base(found.Messages[i].Path), Source: &found.Messages[i]}
		if err := m.Open(); err != nil {
			t.Fatal(err)
		}
		from, fromErr := m.Content.From()
		to, toErr := m.Content.Recipients()
		envelope, err := smtp.NewEnvelope(from, to...)
		sum, sumErr := m.Content.Fingerprint()
		for _, err := range []error{fromErr, toErr, err, sumErr} {
			if err != nil {
				t.Fatal(err)
			}
		}
		m.Envelope, m.Size, m.MessageID, m.Hash = envelope, m.Content.Size(), m.Content.MessageID(), sum
		m.Close()
		messages[i] = m
	}
	return messages
}

// mails returns n messages, to u1@example.org and so on.
func mails(t *testing.T, n int) []*Outgoing {
	t.Helper()
	return messagesIn(t, clitest.WriteMails(t, n))
}

// composed returns a composed message.
func composed(t *testing.T, to ...string) *Outgoing {
	t.Helper()
	bare := message.Message{From: "one@one.example", To: to, Subject: "x", Text: "text"}
	m := bare
	content, err := message.Compose(&m)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := content.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	return &Outgoing{Content: content, Composed: &bare, ReplyTo: []string{"one@one.example"}, Envelope: envelope, Size: content.Size(), MessageID: content.MessageID()}
}

// through returns a sender with this transport.
func through(account string, tr yan.Transport) AccountSender {
	server := transport.Server{Host: account + ".example.org"}
	return AccountSender{Account: account, Server: server,
		Open:   func(context.Context) (*yan.Client, transport.Server, error) { return yan.NewClient(tr), server, nil },
		Serves: func(from smtp.Address) bool { return from.Domain() == account+".example" },
		Introduce: func(m *message.Message) error {
			m.From = account + "@" + account + ".example"
			return nil
		}}
}

func openLog(t *testing.T, path string) *sendlog.Log {
	t.Helper()
	log, err := sendlog.Open(path, func() time.Time { return time.Unix(0, 0) }) // a fixed time, so that no batch grows
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// sent runs the messages and returns the events.
func sent(t *testing.T, o Options, messages []*Outgoing) (Summary, []RunEvent) {
	t.Helper()
	var events []RunEvent
	o.Observe = func(_ context.Context, e RunEvent) { events = append(events, e) }
	r := New(o, messages)
	defer r.Close()
	if err := r.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	summary, err := r.Send(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return summary, events
}

// of returns the events of one type.
func of[E RunEvent](events []RunEvent) []E {
	var list []E
	for _, e := range events {
		if e, ok := e.(E); ok {
			list = append(list, e)
		}
	}
	return list
}
