package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

const (
	defaultConnections = 2
	defaultIdle        = 20 * time.Second
)

// ErrClosed is why a message was not tried after Close.
var ErrClosed = errors.New("the transport is closed")

// SMTP sends through one server. It opens connections as messages come, keeps
// those that are free for the next message, and is safe for concurrent use.
type SMTP struct {
	server Server
	cfg    smtpclient.Config
	idle   time.Duration
	stop   smtp.Stage
	policy smtpclient.Policy
	slots  chan struct{} // one token per connection that may be open

	mu     sync.Mutex
	free   []*idleConn // the most recently used last
	closed bool
}

// idleConn is a connection that waits for a message; timer closes it.
type idleConn struct {
	conn  *smtpclient.Conn
	timer *time.Timer
}

// Open makes a transport for a server URL or a provider's name (see
// [ParseServer]). It connects to nothing yet: what is wrong with the options
// is known now, what is wrong with the server when the first message is sent.
func Open(server string, o Options) (*SMTP, error) {
	var from smtp.Address
	if o.From != "" {
		mailbox, err := message.ParseMailbox(o.From)
		if err != nil {
			return nil, fmt.Errorf("the sender: %w", err)
		}
		from = mailbox.Address
		o.From = from.String()
	}
	where, err := ParseServer(server, from)
	if err != nil {
		return nil, err
	}
	cfg, err := o.config(where)
	if err != nil {
		return nil, err
	}
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	n := o.MaxConnections
	if n <= 0 {
		n = defaultConnections
	}
	idle := o.IdleTimeout
	if idle <= 0 {
		idle = defaultIdle
	}
	return &SMTP{server: where, cfg: cfg, idle: idle, stop: o.StopAfter, policy: o.Policy,
		slots: make(chan struct{}, n)}, nil
}

// Server is where the transport sends.
func (s *SMTP) Server() Server { return s.server }

// String names the server, and shows nothing of the credentials within.
func (s *SMTP) String() string { return "transport to " + s.server.String() }

// Format is String for every verb: package fmt looks into a struct whenever a
// verb doesn't fit, and finds the password.
func (s *SMTP) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// Send carries out one transaction. A message of package message that holds
// 8-bit text goes out in its 7-bit form to a server without 8BITMIME.
//
// When a kept connection turns out to be of no use before the server took
// anything of the message, the message goes out on a new one.
func (s *SMTP) Send(ctx context.Context, t smtpclient.Transaction) smtpclient.Result {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return notTried(t, &smtp.Error{Stage: smtp.StageConnect, Err: context.Cause(ctx)})
	}
	if conn := s.take(ctx); conn != nil {
		result, usable := s.on(ctx, conn, t)
		if usable || !endedBeforeMail(result) || ctx.Err() != nil {
			return result
		}
	}
	conn, err := s.dial(ctx)
	if err != nil {
		return notTried(t, err)
	}
	result, _ := s.on(ctx, conn, t)
	return result
}

func (s *SMTP) dial(ctx context.Context) (*smtpclient.Conn, error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, &smtp.Error{Stage: smtp.StageConnect, Err: ErrClosed}
	}
	return smtpclient.Dial(ctx, s.cfg)
}

// on carries out a transaction on a connection, and keeps or closes it. usable
// says whether the connection was good for another transaction afterwards.
func (s *SMTP) on(ctx context.Context, conn *smtpclient.Conn, t smtpclient.Transaction) (r smtpclient.Result, usable bool) {
	if s.cfg.StopAfter != "" {
		conn.Quit(ctx)
		return notTried(t, &smtp.Error{Stage: s.cfg.StopAfter, Err: ErrStopped}), false
	}
	if t.StopAfter == "" {
		t.StopAfter = s.stop
	}
	if s.policy == smtpclient.All {
		t.Policy = smtpclient.All
	}
	if t.Content != nil && t.Content.EightBit() && !conn.Capabilities().Has("8BITMIME") {
		if content, ok := t.Content.(*message.Content); ok {
			if seven, ok := content.SevenBit(); ok {
				t.Content = seven
			}
		}
	}
	r = conn.Send(ctx, t)
	usable = conn.Usable()
	s.keep(conn)
	return r, usable
}

// ErrStopped is why nobody got the message when Options.StopAfter asked so.
var ErrStopped = errors.New("stopped here, as asked")

// take gives the most recently used connection that is still alive; nil when
// there is none, or no time left.
func (s *SMTP) take(ctx context.Context) *smtpclient.Conn {
	for ctx.Err() == nil {
		s.mu.Lock()
		if len(s.free) == 0 {
			s.mu.Unlock()
			return nil
		}
		last := s.free[len(s.free)-1]
		s.free = s.free[:len(s.free)-1]
		s.mu.Unlock()
		last.timer.Stop()
		if last.conn.Wake(ctx) {
			return last.conn
		}
	}
	return nil
}

// keep puts a connection aside for the next message, if it can serve one.
func (s *SMTP) keep(conn *smtpclient.Conn) {
	if !conn.Usable() {
		conn.Close()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		go conn.Quit(context.Background()) // bounded by Timeouts.Quit
		return
	}
	conn.Park()
	entry := &idleConn{conn: conn}
	entry.timer = time.AfterFunc(s.idle, func() { s.expire(entry) })
	s.free = append(s.free, entry)
}

// expire says goodbye to a connection that nobody wanted in time.
func (s *SMTP) expire(entry *idleConn) {
	s.mu.Lock()
	found := false
	for i, e := range s.free {
		if e == entry {
			s.free = append(s.free[:i], s.free[i+1:]...)
			found = true
			break
		}
	}
	s.mu.Unlock()
	if found {
		entry.conn.Quit(context.Background())
	}
}

// Close says QUIT on the idle connections and waits for the answers, at most
// Timeouts.Quit. Messages being sent are not disturbed; later ones are not
// tried.
func (s *SMTP) Close() error {
	s.mu.Lock()
	s.closed = true
	free := s.free
	s.free = nil
	s.mu.Unlock()
	var wg sync.WaitGroup
	for _, entry := range free {
		entry.timer.Stop()
		wg.Go(func() { entry.conn.Quit(context.Background()) })
	}
	wg.Wait()
	return nil
}

// endedBeforeMail reports whether the server took nothing of the message, on
// a connection that is past use: another try on a new one can't duplicate. What
// it says before MAIL is accepted may then be about the connection:
//
//   - 421, in answer to whatever: Exim gives it to the MAIL that is one too many
//     for the connection.
//   - No to RSET. QUIRK: eYou answers 502.
func endedBeforeMail(r smtpclient.Result) bool {
	for _, o := range r.Outcomes {
		switch {
		case o.Stage == smtp.StageReset && o.Status == smtp.NotTried:
		case o.Stage == smtp.StageMail && o.Status == smtp.NotTried:
		case o.Stage == smtp.StageMail && o.Reply.Code == 421:
		default:
			return false
		}
	}
	return len(r.Outcomes) > 0
}

// notTried is the result of a message that never met a connection.
func notTried(t smtpclient.Transaction, err error) smtpclient.Result {
	var r smtpclient.Result
	out := smtp.Outcome{Status: smtp.NotTried, Stage: smtp.StageConnect, Err: err}
	if at := (*smtp.Error)(nil); errors.As(err, &at) {
		out.Stage, out.Reply, out.Err = at.Stage, at.Reply, at.Err
	}
	for _, to := range t.Envelope.To() {
		out.Recipient = to
		r.Outcomes = append(r.Outcomes, out)
	}
	return r
}
