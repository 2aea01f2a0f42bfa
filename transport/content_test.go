package transport_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// A message is sent in the form that suits the server best, and only in one that it accepts; Send
// and SendAll choose the same.
func TestFormOfTheMessage(t *testing.T) {
	t.Parallel()
	attachment := bytes.Repeat([]byte("\x00\x01\r\xff\n"), 2000)
	for name, tc := range map[string]struct {
		options []sandboxtest.Option
		o       transport.Options
		message message.Message
		body    string
	}{
		"binary":                   {message: message.Message{Attachments: []message.Attachment{message.Bytes("a.bin", attachment)}}, body: "BINARYMIME"},
		"no BINARYMIME":            {options: []sandboxtest.Option{sandboxtest.WithoutExtension("BINARYMIME")}, message: message.Message{Attachments: []message.Attachment{message.Bytes("a.bin", attachment)}}},
		"no CHUNKING":              {options: []sandboxtest.Option{sandboxtest.WithoutExtension("CHUNKING")}, message: message.Message{Attachments: []message.Attachment{message.Bytes("a.bin", attachment)}}},
		"CHUNKING is switched off": {o: transport.Options{NoChunking: true}, message: message.Message{Attachments: []message.Attachment{message.Bytes("a.bin", attachment)}}},
		"text alone":               {message: message.Message{Text: "hello"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := sandboxtest.Start(t, "plain", tc.options...)
			s := open(t, server, tc.o)
			onlyStatus(t, s.Send(t.Context(), mail(t, server, tc.message, "a@example.org")), smtp.Accepted)
			for _, r := range s.SendAll(t.Context(), func(yield func(smtpclient.Transaction) bool) {
				_ = yield(mail(t, server, tc.message, "a@example.org"))
			}) {
				onlyStatus(t, r, smtp.Accepted)
			}
			for _, m := range server.WaitMessages(2) {
				if m.MailParams["BODY"] != tc.body {
					t.Errorf("BODY=%s, want %q", m.MailParams["BODY"], tc.body)
				}
				if got, ok := m.Attachment("a.bin"); ok && !bytes.Equal(got, attachment) {
					t.Error("the attachment is another")
				}
			}
			if v := server.Violations(); len(v) > 0 {
				t.Errorf("rules broken: %v", v)
			}
		})
	}
}

// The second connection to a server is cheaper than the first.
func TestSessionsAreResumed(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(*sandboxtest.Server) string{
		"implicit TLS": (*sandboxtest.Server).URL, "STARTTLS": (*sandboxtest.Server).StartTLSURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := sandboxtest.Start(t, "plain")
			connect := func() {
				s, err := transport.Open(url(server), transport.Options{Password: server.Password(), CAFile: server.CAFile()})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = s.Close() })
				for range 2 {
					onlyStatus(t, s.Send(t.Context(), mail(t, server, message.Message{Text: "hi"}, "a@example.org")), smtp.Accepted)
					server.Disconnect()
				}
			}
			connect()
			connect() // another transport shares nothing with the first
			list := server.Connections()
			if len(list) != 4 {
				t.Fatalf("%d connections, want 4", len(list))
			}
			for i, c := range list {
				if !c.TLS || c.Resumed != (i%2 == 1) {
					t.Errorf("connection %d: TLS %v, resumed %v", i+1, c.TLS, c.Resumed)
				}
			}
		})
	}
}

// Every provider of the sandbox accepts a run over several connections, with no rule violated.
func TestSendAllToEveryProfile(t *testing.T) {
	t.Parallel()
	profiles := sandboxtest.Profiles()
	if len(profiles) < 5 {
		t.Fatalf("only %d profiles", len(profiles))
	}
	for _, profile := range profiles {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			server := sandboxtest.Start(t, profile)
			s := open(t, server, transport.Options{MaxConnections: 3})
			n := 0
			for i, r := range s.SendAll(t.Context(), func(yield func(smtpclient.Transaction) bool) {
				for i := range 120 {
					to := []string{"a@example.org"}
					if i%10 == 3 {
						to = []string{"rcpt-550@example.org"}
					}
					if !yield(mail(t, server, message.Message{Subject: "运行", Text: strings.Repeat("你好\r\n", 100)}, to...)) {
						return
					}
				}
			}) {
				want := smtp.Accepted
				if i%10 == 3 {
					want = smtp.Refused
				}
				onlyStatus(t, r, want)
				n++
			}
			if arrived := len(server.WaitMessages(108)); n != 120 || arrived != 108 {
				t.Errorf("%d results, %d messages arrived, want 120 and 108", n, arrived)
			}
			if v := server.Violations(); len(v) > 0 {
				t.Errorf("rules broken: %v", v)
			}
			most := 3
			if profile == "qq" {
				most += 12 // its RSET after a refused message ends a connection
			}
			if c := len(server.Connections()); c > most {
				t.Errorf("%d connections, want at most %d", c, most)
			}
		})
	}
}
