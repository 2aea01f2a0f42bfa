package smtpserver

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// keptMessage is a message that the fake desk has kept.
type keptMessage struct {
	opening
	to     []string
	notify string
	text   string
}

// fakeDesk is package admission without rules, and keeps messages in memory.
type fakeDesk struct {
	mu    sync.Mutex
	kept  []keptMessage
	grant admission.Grant
	// errors of the steps; of accept, before or after the text was read
	begin, recipient, early, late error
	hold                          chan struct{} // Accept waits for it after the last octet
	reached                       chan struct{} // and says so
	panics                        string        // the step that panics
}

func (d *fakeDesk) Grant(admission.Peer) (admission.Grant, error) { return d.grant, nil }

func (d *fakeDesk) Begin(o opening) (openTransaction, error) {
	if d.panics == "begin" {
		panic("secret content")
	}
	if o.from == "stranger@example.org" {
		return nil, admission.NewRefusal("sender", 550, "5.7.1", errors.New("stranger@example.org may not be used"), errors.New("use me@example.com"))
	}
	return &fakeTransaction{desk: d, message: keptMessage{opening: o}}, d.begin
}

type fakeTransaction struct {
	desk    *fakeDesk
	message keptMessage
}

func (t *fakeTransaction) Recipient(to, notify string) error {
	if to == "nobody" {
		return admission.NewRefusal("local", 550, "5.1.1", errors.New("nobody is not known"), errors.New(`add nobody = "you@example.com" to [local]`))
	}
	t.message.to = append(t.message.to, to)
	t.message.notify += notify
	return t.desk.recipient
}

func (t *fakeTransaction) Accept(ctx context.Context, r io.Reader) (admission.Accepted, error) {
	d := t.desk
	if d.early != nil {
		return admission.Accepted{}, d.early
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return admission.Accepted{}, err
	}
	if d.panics == "accept" {
		var none *fakeTransaction
		_ = none.message
	}
	if d.hold != nil {
		d.reached <- struct{}{}
		<-d.hold
	}
	if err := ctx.Err(); err != nil {
		return admission.Accepted{}, err
	}
	if d.late != nil {
		return admission.Accepted{}, d.late
	}
	t.message.text = string(text)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept = append(d.kept, t.message)
	return admission.Accepted{ID: queue.ID(4710 + len(d.kept))}, nil
}

func (d *fakeDesk) messages() []keptMessage {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kept
}

// logLines collects a log.
type logLines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// testServer is a server with a fake desk, on a free port of loopback.
type testServer struct {
	t       testing.TB
	server  *Server
	desk    *fakeDesk
	log     *logLines
	address string
	stop    context.CancelFunc
	done    chan error
	waits   *[]time.Duration // of failed logins
}

// localOptions are those of a listener on loopback that needs no login.
func localOptions() Options {
	return Options{Hostname: "mx.test", Anonymous: func(net.Conn) (admission.Peer, error) { return admission.Peer{}, nil }}
}

// loginOptions are those of a listener on loopback that needs a login: gitea with s3cret.
func loginOptions() Options {
	return Options{Hostname: "mx.test", Authenticate: func(user, password string) (admission.Peer, error) {
		switch {
		case user == "gitea" && password == "s3cret":
			return admission.Peer{Token: "gitea"}, nil
		case user == "trouble":
			return admission.Peer{}, errors.New("the file can't be read")
		}
		return admission.Peer{}, ErrWrongLogin
	}}
}

func startServer(t testing.TB, o Options) *testServer {
	t.Helper()
	s := &testServer{t: t, desk: &fakeDesk{}, log: &logLines{}, done: make(chan error, 1), waits: &[]time.Duration{}}
	o.Log = slog.New(slog.NewTextHandler(s.log, nil))
	var mu sync.Mutex
	o.Sleep = func(_ context.Context, d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		*s.waits = append(*s.waits, d)
	}
	s.server = New(o)
	s.server.desk = s.desk
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() { s.done <- s.server.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-s.done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

func (s *testServer) dial() *net.TCPConn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return conn.(*net.TCPConn)
}

// talk sends all octets at once, ends its side, and returns what the server says after its
// greeting.
func (s *testServer) talk(input string) string {
	s.t.Helper()
	conn := s.dial()
	if _, err := io.WriteString(conn, input); err != nil {
		s.t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		s.t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		s.t.Fatalf("%v, after %q", err, all)
	}
	said, ok := strings.CutPrefix(string(all), "220 mx.test ESMTP Yan\r\n")
	if !ok {
		s.t.Fatalf("the greeting is %q", all)
	}
	return said
}

// lines joins commands and ends each.
func lines(all ...string) string { return strings.Join(all, "\r\n") + "\r\n" }

// codes returns the reply codes with the enhanced codes, without the lines before a last one.
func codes(said string) string {
	var all []string
	for line := range strings.SplitSeq(strings.TrimSuffix(said, "\r\n"), "\r\n") {
		if len(line) < 4 || line[3] == '-' {
			continue
		}
		code := line[:3]
		if e, _, ok := smtp.CutEnhancedCode(line[4:]); ok {
			code += " " + e.String()
		}
		all = append(all, code)
	}
	return strings.Join(all, ", ")
}
