package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

const (
	defaultConnections = 2
	defaultIdle        = 20 * time.Second
	defaultPatience    = time.Minute
)

// ErrClosed is why a message was not tried after Close.
var ErrClosed = errors.New("the transport is closed")

// SMTP sends through one server. It opens connections as messages come, keeps
// those that are free for the next message, and is safe for concurrent use.
type SMTP struct {
	server Server
	cfg    smtpclient.Config
	token  func(ctx context.Context, refused string) (string, error) // nil without a FreshToken
	stop   smtp.Stage
	policy smtpclient.Policy

	pool   *pool
	pace   *pace
	limits limits
	// lockStep says that the server lost count of its replies: new connections
	// speak one command at a time.
	lockStep atomic.Bool
	// apart says that the server refused or lost what came together with the dot of
	// a message: on new connections nothing does.
	apart atomic.Bool
	// smallHello says that the server did not answer a large ClientHello.
	smallHello atomic.Bool
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
	cfg, err := o.Config(where)
	if err != nil {
		return nil, err
	}
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	// The server's tickets never outlive the process, nor this transport.
	cfg.Trust.Sessions = tls.NewLRUClientSessionCache(0)
	facts := where.Provider.Limits
	s := &SMTP{server: where, cfg: cfg, token: o.FreshToken, stop: o.StopAfter, policy: o.Policy,
		pace: newPace(facts, positive(o.MaxConnections, defaultConnections), positive(o.Patience, defaultPatience))}
	s.limits.factual(facts)
	s.pool = &pool{keep: positive(o.IdleTimeout, defaultIdle), bound: s.pace.bound, dial: s.dial, fits: s.fits}
	return s, nil
}

// positive is n, or the default where it is not.
func positive[T int | time.Duration](n, def T) T {
	if n <= 0 {
		return def
	}
	return n
}

// Server is where the transport sends.
func (s *SMTP) Server() Server { return s.server }

// String names the server, and shows nothing of the credentials within.
func (s *SMTP) String() string { return "transport to " + s.server.String() }

// Format is String for every verb: package fmt looks into a struct whenever a
// verb doesn't fit, and finds the password.
func (s *SMTP) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// Send carries out one transaction. What a server can't take in the form that
// it has goes out in the one that it can (see [Content]).
//
// When a kept connection turns out to be of no use, recipients that the server
// can't have the message for are tried on a new one. So they are when the server
// loses commands that share a flight: the new one speaks one at a time. Recipients
// that are too many for one transaction go in several. The reply in the result is
// that of the first transaction that was accepted, else of the last that was
// answered.
func (s *SMTP) Send(ctx context.Context, t smtpclient.Transaction) smtpclient.Result {
	d := delivery{t: s.prepared(t)}
	for d.left() > 0 {
		if err := s.patient(ctx); err != nil {
			d.fail(err)
			break
		}
		l, err := s.pool.get(ctx)
		if err != nil {
			d.fail(err)
			break
		}
		before, kept := d.left(), l.messages > 0
		s.carry(ctx, l, &d)
		replaced := kept && (!l.conn.Usable() || !s.fits(l)) || s.outdated(l)
		s.pool.put(l)
		if d.left() == before && !replaced || ctx.Err() != nil {
			d.giveUp(context.Cause(ctx))
		}
	}
	return d.result
}

// carry sends as much of a message over a connection as that takes.
func (s *SMTP) carry(ctx context.Context, l *pooledConn, d *delivery) {
	for d.left() > 0 && s.fits(l) && l.conn.Usable() {
		limits := s.limits.with(l.limits)
		wait, epoch, err := s.pace.admit(d.next(limits))
		if wait > 0 || err != nil {
			if err = s.patient(ctx); err != nil {
				d.giveUp(err)
			}
			continue
		}
		p, err := d.part(limits)
		if err != nil {
			d.fail(err)
			return
		}
		p.ordinal, p.epoch = l.messages, epoch
		l.messages++
		r := l.conn.Send(ctx, s.transaction(l, p))
		d.took(p, r, s.judge(l, p, &r).again)
	}
}

// patient waits until the next message may go out.
func (s *SMTP) patient(ctx context.Context) error {
	for {
		wait, err := s.pace.ready()
		if wait <= 0 || err != nil {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return &smtp.Error{Stage: smtp.StageConnect, Err: context.Cause(ctx)}
		}
	}
}

// prepared adds to a transaction what holds for all of this transport.
func (s *SMTP) prepared(t smtpclient.Transaction) smtpclient.Transaction {
	if t.StopAfter == "" {
		t.StopAfter = s.stop
	}
	if s.policy == smtpclient.All {
		t.Policy = smtpclient.All
	}
	return t
}

// transaction is a part as it goes over a connection.
func (s *SMTP) transaction(l *pooledConn, p part) smtpclient.Transaction {
	t := p.d.t
	if p.places != nil {
		t.Envelope = t.Envelope.Only(p.places...)
	}
	t.Content = contentFor(l.conn, t.Content)
	return t
}

// dial opens a connection, and heeds what the server says against it.
func (s *SMTP) dial(ctx context.Context) (*pooledConn, error) {
	cfg, epoch := s.cfg, s.pace.now()
	cfg.SmallHello = s.smallHello.Load()
	l := &pooledConn{lockStep: s.lockStep.Load(), apart: s.apart.Load()}
	if l.lockStep {
		cfg.NoPipelining, cfg.NoChunking = true, true
	}
	if l.apart {
		cfg.PipelineMessages = smtpclient.NoServer
	}
	conn, err := s.connect(ctx, cfg)
	if err != nil {
		s.refusedConnection(err, epoch)
		return nil, err
	}
	if conn.SmallHello() {
		s.smallHello.Store(true)
	}
	if cfg.StopAfter != "" {
		conn.Quit(ctx)
		return nil, &smtp.Error{Stage: cfg.StopAfter, Err: ErrStopped}
	}
	l.conn, l.limits = conn, conn.Capabilities().Limits()
	return l, nil
}

// fits reports whether a connection may take another message.
func (s *SMTP) fits(l *pooledConn) bool {
	most := s.limits.with(l.limits).Transactions
	return !l.spent.Load() && !l.conn.Spent() && !s.outdated(l) && (most == 0 || l.messages < most)
}

// outdated reports whether the server was found out, since the connection was
// opened, to do something wrong that is done there.
func (s *SMTP) outdated(l *pooledConn) bool {
	return l.lockStep != s.lockStep.Load() || l.apart != s.apart.Load()
}

// ErrStopped is why nobody got the message when Options.StopAfter asked so.
var ErrStopped = errors.New("stopped here, as asked")

// Close says QUIT on the idle connections and waits for the answers, at most
// Timeouts.Quit. Messages being sent are not disturbed; later ones are not
// tried.
func (s *SMTP) Close() error {
	s.pool.close()
	return nil
}
