package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// contender is a way to send mail. Each is used as its documentation shows,
// with the settings that make it fastest, in a process of its own (worker.go).
type contender interface {
	// open prepares to send to a place and connects to nothing yet.
	open(p place) (client, error)
}

// client is a contender on the way to one place.
type client interface {
	// connect opens the connections, if the contender doesn't do so by itself.
	connect(ctx context.Context) error
	// run sends what the source gives and returns when it is known what became
	// of each message; one that was not accepted is an error.
	run(ctx context.Context, s *source) (answer, error)
	// disconnect says goodbye on every connection. connect may follow.
	disconnect() error
}

// security is how a connection is protected. Who is on a protected one logs in.
type security string

const (
	inClear   security = "in the clear"
	startTLS  security = "STARTTLS"
	fromStart security = "implicit TLS"
)

// What the sinks expect of those who log in.
const (
	userName = "sender@example.test"
	password = "correct horse battery staple"
)

// place is where to send, and how.
type place struct {
	Address     string
	Security    security
	CA          string // PEM file of the authority that vouches for the server
	Connections int
	All         bool // one refused recipient: nobody gets the message, by a contender that can
	// Fleeting leaves the connection behind each message, so that the next one
	// begins anew.
	Fleeting bool
	Prepared string // a conversation to replay, for those that only copy
}

// split is the address in two.
func (p place) split() (host string, port int, err error) {
	host, text, err := net.SplitHostPort(p.Address)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	return host, port, err
}

// tls is what a program in Go would set: its own authority, and a cache of
// sessions, without which nothing is resumed.
func (p place) tls() (*tls.Config, error) {
	host, _, err := p.split()
	if err != nil || p.Security == inClear {
		return &tls.Config{ServerName: host}, err
	}
	pem, err := os.ReadFile(p.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", p.CA)
	}
	return &tls.Config{ServerName: host, RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(8)}, nil
}

// mail is what a contender is given: it composes the message itself.
type mail struct {
	from       string
	to         []string
	subject    string
	text       string
	attachment string // path of a file; "" for none
}

// order is what is to be sent: at least Min messages, and then as many as can
// be begun in so many Seconds, but Max at most.
type order struct {
	First      int // serial number of the first message, part of its subject
	Min, Max   int
	Seconds    float64
	Recipients int
	Text       string
	Attachment string
}

// mail is the message with a serial number.
func (o order) mail(serial int) mail {
	to := make([]string, o.Recipients)
	for i := range to {
		to[i] = fmt.Sprintf("recipient-%d@example.test", i+1)
	}
	return mail{from: userName, to: to, subject: fmt.Sprintf("第 %d 封测试邮件", serial), text: o.Text, attachment: o.Attachment}
}

// source hands out the messages of an order.
type source struct {
	order   order
	started time.Time

	mu    sync.Mutex
	taken int
}

// next gives a message to whoever asks first; ok is false when the order is
// fulfilled.
func (s *source) next() (m mail, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.taken
	if n >= s.order.Max || n >= s.order.Min && time.Since(s.started).Seconds() >= s.order.Seconds {
		return mail{}, false
	}
	s.taken++
	return s.order.mail(s.order.First + n), true
}

// measured runs a source by the clock and counts what it takes of the heap.
func measured(s *source, send func() error) (answer, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.started = time.Now()
	err := send()
	took := time.Since(s.started)
	runtime.ReadMemStats(&after)
	return answer{Sent: s.taken, Seconds: took.Seconds(), Allocations: after.Mallocs - before.Mallocs,
		Allocated: after.TotalAlloc - before.TotalAlloc}, err
}

// session is one connection of a contender that waits for each message's end
// before it begins the next.
type session interface {
	send(ctx context.Context, m mail) error
	close() error
}

// lockstep is a client of such sessions: several of them are used side by side,
// a goroutine each, as the documentation of these packages has it.
type lockstep struct {
	dial        func(ctx context.Context) (session, error)
	connections int
	sessions    []session
}

func (l *lockstep) connect(ctx context.Context) error {
	dialled := make([]session, l.connections)
	err := each(l.connections, func(i int) (err error) {
		dialled[i], err = l.dial(ctx)
		return err
	})
	for _, s := range dialled {
		if s != nil {
			l.sessions = append(l.sessions, s)
		}
	}
	return err
}

func (l *lockstep) run(ctx context.Context, s *source) (answer, error) {
	return measured(s, func() error {
		return each(len(l.sessions), func(i int) error {
			for m, ok := s.next(); ok; m, ok = s.next() {
				if err := l.sessions[i].send(ctx, m); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (l *lockstep) disconnect() error {
	sessions := l.sessions
	l.sessions = nil
	return each(len(sessions), func(i int) error { return sessions[i].close() })
}

// each calls do for 0 to n-1, side by side, and returns the first error. One
// call needs no goroutine.
func each(n int, do func(i int) error) error {
	if n == 1 {
		return do(0)
	}
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
