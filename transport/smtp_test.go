package transport_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// open returns a transport to a sandbox.
func open(t *testing.T, server *sandboxtest.Server, o transport.Options) *transport.SMTP {
	t.Helper()
	if o.Password = server.Password(); !server.TakesPasswords() {
		o.Password, o.Token = "", o.Password
	}
	o.CAFile = server.CAFile()
	s, err := transport.Open(server.URL(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// mail composes a small message to some recipients.
func mail(t *testing.T, server *sandboxtest.Server, m message.Message, to ...string) smtpclient.Transaction {
	t.Helper()
	m.From, m.To = server.Login(), to
	content, err := message.Compose(&m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = content.Close() })
	envelope, err := content.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	return smtpclient.Transaction{Envelope: envelope, Content: content}
}

func onlyStatus(t *testing.T, r smtpclient.Result, want smtp.Status) {
	t.Helper()
	if len(r.Outcomes) == 0 {
		t.Fatal("no outcomes")
	}
	for _, o := range r.Outcomes {
		if o.Status != want {
			t.Fatalf("got %s, want %s", o, want)
		}
	}
}

func TestConnectionIsKeptForTheNextMessage(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	s := open(t, server, transport.Options{})
	for range 5 {
		onlyStatus(t, s.Send(t.Context(), mail(t, server, message.Message{Text: "hi"}, "a@example.org")), smtp.Accepted)
	}
	if n := len(server.Connections()); n != 1 {
		t.Errorf("%d connections for 5 messages, want 1", n)
	}
	if n := len(server.WaitMessages(5)); n != 5 {
		t.Errorf("%d messages arrived, want 5", n)
	}
}

func TestConcurrentSendsStayWithinTheBound(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	s := open(t, server, transport.Options{MaxConnections: 3})
	var wg sync.WaitGroup
	results := make([]smtpclient.Result, 20)
	for i := range results {
		tx := mail(t, server, message.Message{Text: "hi"}, "a@example.org")
		wg.Go(func() { results[i] = s.Send(t.Context(), tx) })
	}
	wg.Wait()
	for _, r := range results {
		onlyStatus(t, r, smtp.Accepted)
	}
	if n := len(server.Connections()); n < 1 || n > 3 {
		t.Errorf("%d connections, want at most 3", n)
	}
	server.WaitMessages(20)
}

// The caller's Trace needs no locks.
func TestTraceIsCalledOneAtATime(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	lines := 0 // only the trace uses it; the race detector checks that
	var heard atomic.Bool
	s := open(t, server, transport.Options{MaxConnections: 4, IdleTimeout: time.Millisecond, Trace: func(smtpclient.Event) {
		lines++
		heard.Store(true)
	}})
	var wg sync.WaitGroup
	for range 8 {
		tx := mail(t, server, message.Message{Text: "hi"}, "a@example.org")
		wg.Go(func() { _ = s.Send(t.Context(), tx) })
	}
	wg.Wait()
	if !server.WaitIdle() {
		t.Error("a connection is still open")
	}
	if err := s.Close(); err != nil || !heard.Load() {
		t.Errorf("no trace, or %v", err)
	}
}

// A server that hangs up on an idle connection, or sends something on it, must not cost the next
// message.
func TestDeadKeptConnectionCostsNoMessage(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"plain", "qq"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			server := sandboxtest.Start(t, profile)
			s := open(t, server, transport.Options{})
			onlyStatus(t, s.Send(t.Context(), mail(t, server, message.Message{Subject: "one", Text: "hello there"}, "a@example.org")), smtp.Accepted)
			server.Disconnect()
			onlyStatus(t, s.Send(t.Context(), mail(t, server, message.Message{Subject: "two", Text: "hello again"}, "a@example.org")), smtp.Accepted)
			if n := len(server.WaitMessages(2)); n != 2 {
				t.Errorf("%d messages arrived, want 2", n)
			}
		})
	}
}

func TestEightBitFallsBackWithoutTheExtension(t *testing.T) {
	t.Parallel()
	text := "Grüße, 你好\r\n"
	for _, tt := range []struct {
		name    string
		options []sandboxtest.Option
		body    string
	}{
		{"offered", nil, "8BITMIME"},
		{"not offered", []sandboxtest.Option{sandboxtest.WithoutExtension("8BITMIME"), sandboxtest.WithoutExtension("SMTPUTF8"), sandboxtest.WithoutExtension("BINARYMIME")}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := sandboxtest.Start(t, "plain", tt.options...)
			s := open(t, server, transport.Options{})
			onlyStatus(t, s.Send(t.Context(), mail(t, server, message.Message{Text: text, EightBit: true}, "a@example.org")), smtp.Accepted)
			m := server.WaitMessages(1)[0]
			if m.MailParams["BODY"] != tt.body || m.Text() != text {
				t.Errorf("BODY=%s and text %q, want BODY=%s and %q", m.MailParams["BODY"], m.Text(), tt.body, text)
			}
		})
	}
}

func TestClosedTransportTriesNothing(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	s := open(t, server, transport.Options{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := s.Send(t.Context(), mail(t, server, message.Message{Text: "hi"}, "a@example.org"))
	onlyStatus(t, r, smtp.NotTried)
	if !errors.Is(r.Outcomes[0].Err, transport.ErrClosed) {
		t.Errorf("error %v, want ErrClosed", r.Outcomes[0].Err)
	}
}

func TestCancelledContextTriesNothing(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	s := open(t, server, transport.Options{MaxConnections: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	onlyStatus(t, s.Send(ctx, mail(t, server, message.Message{Text: "hi"}, "a@example.org")), smtp.NotTried)
	if n := len(server.Messages()); n != 0 {
		t.Errorf("%d messages arrived", n)
	}
}

func TestIdleConnectionIsClosedInTime(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	s := open(t, server, transport.Options{IdleTimeout: time.Millisecond})
	onlyStatus(t, s.Send(t.Context(), mail(t, server, message.Message{Text: "hi"}, "a@example.org")), smtp.Accepted)
	if !server.WaitIdle() {
		t.Error("the connection is still open")
	}
}

func TestStopAfterSendsNothing(t *testing.T) {
	t.Parallel()
	for _, stage := range []smtp.Stage{smtp.StageConnect, smtp.StageTLS, smtp.StageGreeting, smtp.StageHello,
		smtp.StageAuth, smtp.StageMail, smtp.StageRcpt} {
		t.Run(string(stage), func(t *testing.T) {
			t.Parallel()
			server := sandboxtest.Start(t, "plain")
			s := open(t, server, transport.Options{StopAfter: stage})
			r := s.Send(t.Context(), mail(t, server, message.Message{Text: "hi"}, "a@example.org"))
			onlyStatus(t, r, smtp.NotTried)
			if o := r.Outcomes[0]; o.Stage != stage {
				t.Errorf("stopped at %s: %s", o.Stage, o)
			}
			if n := len(server.Messages()); n != 0 {
				t.Errorf("%d messages arrived", n)
			}
		})
	}
}

func TestRecorderKeepsThePolicy(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain") // only for its login
	rec := &transport.Recorder{Answer: func(a smtp.Address) smtp.Reply {
		if strings.HasPrefix(a.Local(), "no") {
			return smtp.Reply{Code: 550, Lines: []string{"no such user"}}
		}
		return smtp.Reply{Code: 250, Lines: []string{"OK"}}
	}}
	tx := mail(t, server, message.Message{Text: "hi"}, "a@example.org", "no@example.org")
	r := rec.Send(t.Context(), tx)
	if r.Outcomes[0].Status != smtp.Accepted || r.Outcomes[1].Status != smtp.Refused {
		t.Errorf("under Any: %v", r.Outcomes)
	}
	tx.Policy = smtpclient.All
	r = rec.Send(t.Context(), tx)
	if r.Outcomes[0].Status != smtp.NotTried || r.Outcomes[1].Status != smtp.Refused {
		t.Errorf("under All: %v", r.Outcomes)
	}
	rec.Policy, tx.Policy = smtpclient.All, smtpclient.Any
	if r = rec.Send(t.Context(), tx); r.Outcomes[0].Status != smtp.NotTried {
		t.Errorf("with the Recorder's policy All: %v", r.Outcomes)
	}
	if got := rec.Messages(); len(got) != 1 || len(got[0].To) != 1 || !strings.Contains(string(got[0].Data), "hi") {
		t.Errorf("recorded %d messages, want one to one recipient", len(got))
	}
	tx.Content = broken{}
	r = rec.Send(t.Context(), tx)
	onlyStatus(t, r, smtp.NotTried)
	if !errors.Is(r.Outcomes[0].Err, smtpclient.ErrContent) {
		t.Errorf("error %v, want ErrContent, as a connection has it", r.Outcomes[0].Err)
	}
	if len(rec.Messages()) != 1 {
		t.Error("a message that can't be read was recorded")
	}
}

// broken is a message whose attachment fails.
type broken struct{}

func (broken) Size() int64                      { return 10 }
func (broken) EightBit() bool                   { return false }
func (broken) NeedsSMTPUTF8() bool              { return false }
func (broken) WriteTo(io.Writer) (int64, error) { return 0, errors.New("disk on fire") }

// A kept connection on which the server accepts no other message must not cost the next one: a
// new connection is tried once. A reply on a connection that the server keeps concerns the
// message.
func TestKeptConnectionThatIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		fault       string
		connections int
		want        smtp.Status
	}{
		{"reset-502*1", 2, smtp.Accepted}, // as eYou does
		{"reset-cut*1", 2, smtp.Accepted},
		{"mail-421*1", 2, smtp.Accepted}, // as Exim does behind smtp_accept_max_per_connection
		{"mail-421", 2, smtp.Deferred},
		{"mail-cut", 2, smtp.NotTried},
		{"mail-451", 1, smtp.Deferred},
		{"rcpt-421", 1, smtp.Deferred},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			server := sandboxtest.Start(t, "plain", sandboxtest.WithoutExtension("CHUNKING"))
			s := open(t, server, transport.Options{})
			onlyStatus(t, s.Send(t.Context(), mail(t, server, message.Message{Text: "hi"}, "rcpt-550@example.org")), smtp.Refused)
			if err := server.AddFault(tt.fault); err != nil {
				t.Fatal(err)
			}
			onlyStatus(t, s.Send(t.Context(), mail(t, server, message.Message{Text: "hi"}, "a@example.org")), tt.want)
			if n := len(server.Connections()); n != tt.connections {
				t.Errorf("%d connections, want %d", n, tt.connections)
			}
		})
	}
}

// A defect of the message does not cause another connection.
func TestKeptConnectionIsNotBlamedForTheMessage(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain", sandboxtest.WithMaxSize(1000))
	s := open(t, server, transport.Options{})
	onlyStatus(t, s.Send(t.Context(), mail(t, server, message.Message{Text: "hi"}, "a@example.org")), smtp.Accepted)
	for _, tx := range []smtpclient.Transaction{
		mail(t, server, message.Message{Text: strings.Repeat("long ", 1000)}, "a@example.org"),
		{Envelope: mail(t, server, message.Message{Text: "hi"}, "a@example.org").Envelope}, // without a message
	} {
		onlyStatus(t, s.Send(t.Context(), tx), smtp.NotTried)
	}
	if n := len(server.Connections()); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// The trace reports that the message is sent while the server still processes it.
func TestTraceShowsTheMessageBeforeItsReply(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	seen := false
	s := open(t, server, transport.Options{Trace: func(e smtpclient.Event) {
		if e.Direction == smtpclient.MessageSent {
			seen = true
			cancel() // otherwise it would wait for a reply that never comes
		}
	}})
	onlyStatus(t, s.Send(ctx, mail(t, server, message.Message{Text: "hi"}, "body-stall@example.org")), smtp.Unknown)
	if !seen {
		t.Error("the message was not shown")
	}
}
