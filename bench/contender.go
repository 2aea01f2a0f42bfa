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
// with its fastest settings, in its own process (worker.go).
type contender interface {
	// open prepares to send to a place, without connecting.
	open(p destination) (client, error)
}

// client is a contender prepared for one place.
type client interface {
	// connect opens the connections, if the contender doesn't do so itself.
	connect(ctx context.Context) error
	// run sends the source's messages and returns when the outcome of each is
	// known; a message that was not accepted is an error.
	run(ctx context.Context, s *messageSource) (workerAnswer, error)
	// disconnect sends QUIT on every connection. connect may follow.
	disconnect() error
}

// protection is the protection of a connection. Protected connections log in.
type protection string

const (
	inClear   protection = "in the clear"
	startTLS  protection = "STARTTLS"
	fromStart protection = "implicit TLS"
)

// The login that the sinks expect.
const (
	userName = "sender@example.test"
	password = "correct horse battery staple"
)

// destination is where and how to send.
type destination struct {
	Address     string
	Security    protection
	CA          string // PEM file of the server's authority
	Connections int
	All         bool // if one recipient is refused, none gets the message; only some contenders can
	// Fleeting closes the connection after each message, so that the next one
	// starts from nothing.
	Fleeting bool
	Prepared string // a conversation to replay, for contenders that only copy
}

// split returns host and port of the address.
func (p destination) split() (host string, port int, err error) {
	host, text, err := net.SplitHostPort(p.Address)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	return host, port, err
}

// tls returns the settings of a typical Go program: its own CA, and a session
// cache, without which nothing is resumed.
func (p destination) tls() (*tls.Config, error) {
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

// mail is the input of a contender, which composes the message itself.
type mail struct {
	from       string
	to         []string
	subject    string
	text       string
	attachment string // path of a file; "" for none
}

// order is the amount to send: at least Min messages, then as many as can be
// started within Seconds, but at most Max.
type order struct {
	First      int // serial number of the first message, part of its subject
	Min, Max   int
	Seconds    float64
	Recipients int
	Text       string
	Attachment string
}

// mail returns the message with a serial number.
func (o order) mail(serial int) mail {
	to := make([]string, o.Recipients)
	for i := range to {
		to[i] = fmt.Sprintf("recipient-%d@example.test", i+1)
	}
	return mail{from: userName, to: to, subject: fmt.Sprintf("第 %d 封测试邮件", serial), text: o.Text, attachment: o.Attachment}
}

// messageSource hands out the messages of an order.
type messageSource struct {
	order   order
	started time.Time

	mu    sync.Mutex
	taken int
}

// next returns the next message; ok is false when the order is fulfilled. It is
// safe for concurrent use.
func (s *messageSource) next() (m mail, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.taken
	if n >= s.order.Max || n >= s.order.Min && time.Since(s.started).Seconds() >= s.order.Seconds {
		return mail{}, false
	}
	s.taken++
	return s.order.mail(s.order.First + n), true
}

// measureSource times a source and counts its heap allocations.
func measureSource(s *messageSource, send func() error) (workerAnswer, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.started = time.Now()
	err := send()
	took := time.Since(s.started)
	runtime.ReadMemStats(&after)
	return workerAnswer{Sent: s.taken, Seconds: took.Seconds(), Allocations: after.Mallocs - before.Mallocs,
		Allocated: after.TotalAlloc - before.TotalAlloc}, err
}

// lockstepSession is one connection of a contender that waits for each message's end
// before it starts the next.
type lockstepSession interface {
	send(ctx context.Context, m mail) error
	close() error
}

// lockstep is a client of such sessions: several of them are used concurrently,
// one goroutine each, as the documentation of these packages recommends.
type lockstep struct {
	dial        func(ctx context.Context) (lockstepSession, error)
	connections int
	sessions    []lockstepSession
}

func (l *lockstep) connect(ctx context.Context) error {
	dialled := make([]lockstepSession, l.connections)
	err := runEach(l.connections, func(i int) (err error) {
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

func (l *lockstep) run(ctx context.Context, s *messageSource) (workerAnswer, error) {
	return measureSource(s, func() error {
		return runEach(len(l.sessions), func(i int) error {
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
	return runEach(len(sessions), func(i int) error { return sessions[i].close() })
}

// runEach calls do for 0 to n-1, concurrently, and returns the first error. One
// call needs no goroutine.
func runEach(n int, do func(i int) error) error {
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
