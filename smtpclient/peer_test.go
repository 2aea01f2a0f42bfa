package smtpclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// text is a message for the tests. Unset fields follow from data.
type text struct {
	data        string
	size        int64 // announced size; 0 means the real one
	err         error // returned after data
	piece       int   // octets in one Write; 0 means all
	eight, utf8 bool
	deaf        bool // continues after an error of the writer, and drops it
}

const hello = "Subject: hi\r\n\r\nHello World\r\n.dot\r\n"

func (m text) EightBit() bool      { return m.eight }
func (m text) NeedsSMTPUTF8() bool { return m.utf8 }
func (m text) Size() int64 {
	if m.size != 0 {
		return m.size
	}
	return int64(len(m.data))
}

func (m text) WriteTo(w io.Writer) (n int64, err error) {
	for data := m.data; data != ""; {
		p := data
		if m.piece > 0 && m.piece < len(p) {
			p = p[:m.piece]
		}
		k, err := io.WriteString(w, p)
		n += int64(k)
		if err != nil && !m.deaf {
			return n, err
		}
		data = data[len(p):]
	}
	return n, m.err
}

// recorder is the client's end of a connection. It counts flights: a write that follows a read
// begins one.
type recorder struct {
	net.Conn
	mu      sync.Mutex
	flights int
	heard   bool
	wrote   []byte
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.mu.Lock()
	r.heard = r.heard || n > 0
	r.mu.Unlock()
	return n, err
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	if r.heard {
		r.flights++
	}
	r.heard = false
	r.mu.Unlock()
	n, err := r.Conn.Write(p)
	r.mu.Lock()
	r.wrote = append(r.wrote, p[:n]...)
	r.mu.Unlock()
	return n, err
}

// flown returns the flights since the last call.
func (r *recorder) flown() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.flights
	r.flights = 0
	return n
}

// written returns everything that reached the server.
func (r *recorder) written() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.wrote)
}

// pipe connects a Config to a server function over a net.Pipe, whose writes block until they are
// read: all written octets were received. The server's end is closed when the function returns.
func pipe(cfg smtpclient.Config, serve func(conn net.Conn)) (smtpclient.Config, *recorder, <-chan struct{}) {
	client, server := net.Pipe()
	rec := &recorder{Conn: client}
	done := make(chan struct{})
	if cfg.Host == "" {
		cfg.Host = "mail.example.org"
	}
	cfg.Dialer = func(context.Context, string, string) (net.Conn, error) {
		go func() {
			defer close(done)
			defer server.Close()
			serve(server)
		}()
		return rec, nil
	}
	return cfg, rec, done
}

func envelope(t testing.TB, from string, to ...string) smtp.Envelope {
	t.Helper()
	var list []smtp.Address
	for _, s := range to {
		list = append(list, address(t, s))
	}
	var sender smtp.Address
	if from != "" {
		sender = address(t, from)
	}
	e, err := smtp.NewEnvelope(sender, list...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func address(t testing.TB, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// eventLog is a Trace that keeps its events and fails the test if one comes from another
// goroutine than the one that created it.
type eventLog struct {
	t     testing.TB
	owner string
	lines []string
}

func newEventLog(t testing.TB) *eventLog { return &eventLog{t: t, owner: goroutine()} }

func (l *eventLog) trace(e smtpclient.Event) {
	if g := goroutine(); g != l.owner {
		l.t.Errorf("the trace was called from another goroutine with %q", e.Text)
		return
	}
	l.lines = append(l.lines, [...]string{"C", "S", "connected", "secured", "message sent"}[e.Direction]+": "+e.Text)
}

func (l *eventLog) String() string { return strings.Join(l.lines, "\n") }

// goroutine returns the name of the calling goroutine.
func goroutine() string {
	buf := make([]byte, 64)
	name, _, _ := strings.Cut(string(buf[:runtime.Stack(buf, false)]), "[")
	return name
}

// stageOf returns the *smtp.Error in an error from Dial.
func stageOf(t testing.TB, err error) *smtp.Error {
	t.Helper()
	var at *smtp.Error
	if !errors.As(err, &at) {
		t.Fatalf("not an *smtp.Error: %v", err)
	}
	return at
}
