package smtpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Close and Quit from another goroutine end a transaction at any point, with a correct outcome.
func TestCloseDuringSend(t *testing.T) {
	t.Parallel()
	for _, s := range loadScripts(t) {
		if s.value("fails") != "" || len(s.head["want"]) != 1 || len(s.ends) == 0 || s.value("auth")+s.value("token") != "" {
			continue
		}
		last := len(s.runs)
		if strings.HasPrefix(string(s.runs[last-2].data), "QUIT") {
			last -= 2
		}
		first := slices.IndexFunc(s.runs, func(r sideLines) bool { return strings.HasPrefix(string(r.data), "MAIL") })
		for at := first; at <= last; at++ {
			for name, end := range map[string]func(*smtpclient.Conn){
				"Close": (*smtpclient.Conn).Close,
				"Quit":  func(c *smtpclient.Conn) { c.Quit(context.Background()) },
			} {
				t.Run(fmt.Sprintf("%s/%d/%s", s.name, at, name), func(t *testing.T) {
					t.Parallel()
					closeAt(t, s, at, end)
				})
			}
		}
	}
}

// closeAt plays a dialogue up to one run; then another goroutine ends it.
func closeAt(t *testing.T, s script, at int, end func(*smtpclient.Conn)) {
	head := s
	head.runs, head.hangs = s.runs[:at], true
	stopped, over := make(chan struct{}), make(chan struct{})
	cfg, _, done := pipe(s.config(), func(conn net.Conn) {
		if err := head.play(conn, whole, uncut); err != nil {
			t.Error(err)
		}
		close(stopped)
		<-over
	})
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var ended sync.WaitGroup
	for range 3 {
		ended.Go(func() {
			<-stopped
			end(conn)
		})
	}
	result := conn.Send(t.Context(), s.transaction(t))
	var got []string
	for _, o := range result.Outcomes {
		got = append(got, strings.ReplaceAll(string(o.Status), " ", "-"))
	}
	ended.Wait()
	received, sent := head.exchanged(uncut)
	if want := s.proved(received, sent); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %v, want %v", got, want)
	}
	if conn.Usable() {
		t.Error("still usable")
	}
	again := conn.Send(t.Context(), s.transaction(t))
	for _, o := range again.Outcomes {
		if o.Status != smtp.NotTried || !errors.Is(o.Err, smtpclient.ErrClosed) {
			t.Errorf("after the end: %v", o)
		}
	}
	close(over)
	<-done
}

// A context that ends at the same time as its transaction must not disturb the next one on the
// connection.
func TestContextThatEndsWithItsTransaction(t *testing.T) {
	t.Parallel()
	const verdict = "250 taken"
	server := &simple{caps: []string{"PIPELINING", "CHUNKING"}, reply: map[string]string{"BDAT": verdict}}
	cfg := plainConfig()
	var cancel context.CancelFunc
	var cancelled sync.WaitGroup
	cfg.Trace = func(e smtpclient.Event) {
		// Until the last reply has arrived, a cancelled context may still end the wait for it.
		if stop := cancel; e.Direction == smtpclient.Received && e.Text == verdict && stop != nil {
			cancelled.Go(stop)
		}
	}
	cfg, _, done := pipe(cfg, server.serve)
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	tx := smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: hello}}
	for i := range 500 {
		var ctx context.Context
		ctx, cancel = context.WithCancel(t.Context())
		if o := conn.Send(ctx, tx).Outcomes[0]; o.Status != smtp.Accepted {
			t.Fatalf("%d: outcome %v", i, o)
		}
		cancel()
		cancel = nil
		if o := conn.Send(t.Context(), tx).Outcomes[0]; o.Status != smtp.Accepted {
			t.Fatalf("%d: the next transaction: %v", i, o)
		}
		cancelled.Wait()
	}
	conn.Quit(t.Context())
	<-done
}

// A value that would inject something into a command line is refused before a connection is made.
func TestConfigIsCheckedBeforeConnecting(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*smtpclient.Config){
		"no host":                   func(c *smtpclient.Config) { c.Host = "" },
		"host with line end":        func(c *smtpclient.Config) { c.Host = "x\r\nDATA" },
		"host with space":           func(c *smtpclient.Config) { c.Host = "x y" },
		"local name with line end":  func(c *smtpclient.Config) { c.LocalName = "x\r\nMAIL FROM:<a@b>" },
		"local name with LF":        func(c *smtpclient.Config) { c.LocalName = "x\n" },
		"local name with CR":        func(c *smtpclient.Config) { c.LocalName = "x\ry" },
		"local name with NUL":       func(c *smtpclient.Config) { c.LocalName = "x\x00" },
		"local name with space":     func(c *smtpclient.Config) { c.LocalName = "x y" },
		"local name not ASCII":      func(c *smtpclient.Config) { c.LocalName = "雁" },
		"long local name":           func(c *smtpclient.Config) { c.LocalName = strings.Repeat("x", 256) },
		"mechanism with line end":   func(c *smtpclient.Config) { c.Mechanism = "PLAIN\r\nDATA" },
		"unknown mechanism":         func(c *smtpclient.Config) { c.Mechanism = "GSSAPI" },
		"mechanism with parameters": func(c *smtpclient.Config) { c.Mechanism = "PLAIN =" },
	} {
		cfg := smtpclient.Config{Host: "mail.example.org", Security: smtpclient.Plaintext}
		cfg.Dialer = func(context.Context, string, string) (net.Conn, error) {
			t.Errorf("%s: connected", name)
			return nil, errors.New("no")
		}
		change(&cfg)
		_, err := smtpclient.Dial(t.Context(), cfg)
		if at := stageOf(t, err); at.Stage != smtp.StageConnect || strings.ContainsAny(err.Error(), "\r\n\x00") {
			t.Errorf("%s: %q", name, err)
		}
	}
	refused := errors.New("refused")
	for security, want := range map[smtpclient.Security]string{smtpclient.ImplicitTLS: "h:465", smtpclient.STARTTLS: "h:587", smtpclient.Plaintext: "h:25"} {
		_, err := smtpclient.Dial(t.Context(), smtpclient.Config{Host: "h", Security: security,
			Dialer: func(_ context.Context, network, address string) (net.Conn, error) {
				if network != "tcp" || address != want {
					t.Errorf("%s dials %s %s", security, network, address)
				}
				return nil, refused
			}})
		if at := stageOf(t, err); at.Stage != smtp.StageConnect || !errors.Is(err, refused) {
			t.Errorf("%v", err)
		}
	}
}

// Printing a connection shows no credentials.
func TestConnIsNotPrinted(t *testing.T) {
	t.Parallel()
	server := &simple{caps: []string{"AUTH PLAIN"}}
	cfg := plainConfig()
	cfg.Auth, cfg.AllowCleartextPassword = &sasl.Credentials{Username: "u", Password: "hunter22"}, true
	cfg, _, done := pipe(cfg, server.serve)
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{conn, cfg, &cfg} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "hunter22") || strings.Contains(got, "aHVudGVyMjI") || got == "" {
				t.Errorf("%s of %T: %s", verb, v, got)
			}
		}
	}
	conn.Close()
	<-done
}

// A Dial that stops early to examine a server sends no message.
func TestStopAfter(t *testing.T) {
	t.Parallel()
	for stage, want := range map[smtp.Stage]string{
		smtp.StageConnect:  "",
		smtp.StageGreeting: "",
		smtp.StageTLS:      "EHLO",
		smtp.StageHello:    "EHLO",
		smtp.StageAuth:     "EHLO AUTH",
		"":                 "EHLO AUTH",
	} {
		t.Run(string(stage), func(t *testing.T) {
			t.Parallel()
			server := &simple{caps: []string{"AUTH PLAIN"}}
			cfg := plainConfig()
			cfg.Auth, cfg.AllowCleartextPassword = &sasl.Credentials{Username: "u", Password: "hunter22"}, true
			cfg.StopAfter = stage
			var said []string
			cfg.Trace = func(e smtpclient.Event) {
				if e.Direction == smtpclient.Sent {
					verb, _, _ := strings.Cut(e.Text, " ")
					said = append(said, verb)
				}
			}
			cfg, _, done := pipe(cfg, server.serve)
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(said, " "); got != want {
				t.Errorf("said %q, want %q", got, want)
			}
			o := conn.Send(t.Context(), smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: hello}}).Outcomes[0]
			if (o.Status == smtp.Accepted) != (want != "") {
				t.Errorf("outcome %v", o)
			}
			conn.Close()
			<-done
		})
	}
}

// A stage at which a dial or a transaction can't stop is an error, and does not carry it out.
func TestStopAfterWhatNothingStopsAt(t *testing.T) {
	t.Parallel()
	cfg := plainConfig()
	cfg.StopAfter = smtp.StageBody
	if _, err := smtpclient.Dial(t.Context(), cfg); err == nil {
		t.Error("the dial: no error")
	}
	server := &simple{}
	cfg, _, done := pipe(plainConfig(), server.serve)
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	tx := smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: hello}, StopAfter: smtp.StageBody}
	if o := conn.Send(t.Context(), tx).Outcomes[0]; o.Status != smtp.NotTried || o.Err == nil {
		t.Errorf("the transaction: %v", o)
	}
	conn.Close()
	<-done
}

// Before the greeting nothing may be sent: a server with implicit TLS would take QUIT for a
// broken handshake, and one without for a client that doesn't wait.
func TestQuitBeforeTheGreetingSaysNothing(t *testing.T) {
	t.Parallel()
	cfg := plainConfig()
	cfg.StopAfter = smtp.StageConnect
	cfg, rec, done := pipe(cfg, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	conn.Quit(t.Context())
	if said := rec.written(); said != "" {
		t.Errorf("said %q", said)
	}
	<-done
}

// A context that is done before Send leaves the connection usable.
func TestContextOverBeforeSend(t *testing.T) {
	t.Parallel()
	server := &simple{}
	cfg, rec, done := pipe(plainConfig(), server.serve)
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("too late")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	before := rec.written()
	tx := smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: hello}}
	if o := conn.Send(ctx, tx).Outcomes[0]; o.Status != smtp.NotTried || !errors.Is(o.Err, cause) || rec.written() != before {
		t.Errorf("outcome %v", o)
	}
	if got := describe(conn.Send(t.Context(), tx)); got != "accepted@body 250" {
		t.Errorf("the next one: %s", got)
	}
	conn.Close()
	<-done
}

// LMTP usually uses a Unix socket, which needs no host.
func TestUnixSocket(t *testing.T) {
	t.Parallel()
	server := &simple{}
	cfg, _, done := pipe(plainConfig(), server.serve)
	dial := cfg.Dialer
	cfg.Host, cfg.Socket, cfg.LMTP = "", "/run/lmtp", true
	cfg.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		if network != "unix" || address != "/run/lmtp" {
			t.Errorf("dials %s %s", network, address)
		}
		return dial(ctx, network, address)
	}
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	tx := smtpclient.Transaction{Envelope: envelope(t, "", "b@x.org"), StopAfter: smtp.StageRcpt}
	if got := describe(conn.Send(t.Context(), tx)); got != "not-tried@rcpt 250" {
		t.Errorf("outcome %s", got)
	}
	conn.Close()
	<-done
}
