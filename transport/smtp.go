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

// ErrClosed is the error of messages that were not tried because of Close.
var ErrClosed = errors.New("the transport is closed")

// SMTP sends through one server. It opens connections as needed, keeps free ones for the next
// message, and is safe for concurrent use.
type SMTP struct {
	server Server
	cfg    smtpclient.Config
	token  func(ctx context.Context, refused string) (string, error) // nil without FreshToken
	stop   smtp.Stage
	policy smtpclient.Policy

	pool   *pool
	pace   *pace
	limits limits
	// lockStep says that the server's replies were out of step: new connections send one command
	// at a time.
	lockStep atomic.Bool
	// apart says that the server refused or lost commands sent with the dot of a message: new
	// connections don't send any.
	apart atomic.Bool
	// smallHello says that the server did not answer a large ClientHello.
	smallHello atomic.Bool
}

// Open returns a transport for a server URL or a provider's name (see [ParseServer]). It does not
// connect: errors in the options are returned now, those of the server with the first message.
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
	// The server's tickets never outlive this transport.
	cfg.Trust.Sessions = tls.NewLRUClientSessionCache(0)
	facts := where.Provider.Limits
	s := &SMTP{server: where, cfg: cfg, token: o.FreshToken, stop: o.StopAfter, policy: o.Policy,
		pace: newPace(facts, positiveOr(o.MaxConnections, defaultConnections), positiveOr(o.Patience, defaultPatience))}
	s.limits.setKnown(facts)
	s.pool = &pool{keep: positiveOr(o.IdleTimeout, defaultIdle), bound: s.pace.connectionBound, dial: s.dialConn, fits: s.acceptsMore}
	return s, nil
}

// positiveOr returns n, or the default if n is not positive.
func positiveOr[T int | time.Duration](n, def T) T {
	if n <= 0 {
		return def
	}
	return n
}

// Server returns the server of the transport.
func (s *SMTP) Server() Server { return s.server }

// String names the server, without credentials.
func (s *SMTP) String() string { return "transport to " + s.server.String() }

// Format is String for every verb: package fmt prints the fields of a struct if a verb doesn't
// fit, and so the password.
func (s *SMTP) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// Send carries out one transaction. It sends the message in a form that the server accepts (7-bit,
// 8-bit or binary).
//
// If a kept connection is unusable, recipients for which the server can't have the message are
// tried on a new one; also if the server loses commands of a flight: the new connection sends one
// at a time. If there are too many recipients for one transaction, Send uses several. The reply in
// the result is that of the first accepted transaction, else of the last answered one.
func (s *SMTP) Send(ctx context.Context, t smtpclient.Transaction) smtpclient.Result {
	d := delivery{t: s.prepareTransaction(t)}
	for d.remaining() > 0 {
		if err := s.waitForTurn(ctx); err != nil {
			d.failRemaining(err)
			break
		}
		l, err := s.pool.getConn(ctx)
		if err != nil {
			d.failRemaining(err)
			break
		}
		before, kept := d.remaining(), l.messages > 0
		s.sendPart(ctx, l, &d)
		replaced := kept && (!l.conn.Usable() || !s.acceptsMore(l)) || s.isOutdated(l)
		s.pool.putConn(l)
		if d.remaining() == before && !replaced || ctx.Err() != nil {
			d.giveUp(context.Cause(ctx))
		}
	}
	return d.result
}

// sendPart sends as much of a message over a connection as it accepts.
func (s *SMTP) sendPart(ctx context.Context, l *pooledConn, d *delivery) {
	for d.remaining() > 0 && s.acceptsMore(l) && l.conn.Usable() {
		limits := s.limits.withAnnounced(l.limits)
		wait, epoch, err := s.pace.admitMessage(d.nextCount(limits))
		if wait > 0 || err != nil {
			if err = s.waitForTurn(ctx); err != nil {
				d.giveUp(err)
			}
			continue
		}
		p, err := d.takePart(limits)
		if err != nil {
			d.failRemaining(err)
			return
		}
		p.ordinal, p.epoch = l.messages, epoch
		l.messages++
		r := l.conn.Send(ctx, s.transactionOf(l, p))
		d.recordResult(p, r, s.assessResult(l, p, &r).again)
	}
}

// waitForTurn waits until the next message may be sent.
func (s *SMTP) waitForTurn(ctx context.Context) error {
	for {
		wait, err := s.pace.readyIn()
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

// prepareTransaction adds the settings of this transport to a transaction.
func (s *SMTP) prepareTransaction(t smtpclient.Transaction) smtpclient.Transaction {
	if t.StopAfter == "" {
		t.StopAfter = s.stop
	}
	if s.policy == smtpclient.All {
		t.Policy = smtpclient.All
	}
	return t
}

// transactionOf returns the transaction of a part on a connection.
func (s *SMTP) transactionOf(l *pooledConn, p part) smtpclient.Transaction {
	t := p.d.t
	if p.places != nil {
		t.Envelope = t.Envelope.Only(p.places...)
	}
	t.Content = contentFor(l.conn, t.Content)
	return t
}

// dialConn opens a connection, and adapts to the server's refusal.
func (s *SMTP) dialConn(ctx context.Context) (*pooledConn, error) {
	cfg, epoch := s.cfg, s.pace.currentEpoch()
	cfg.SmallHello = s.smallHello.Load()
	l := &pooledConn{lockStep: s.lockStep.Load(), apart: s.apart.Load()}
	if l.lockStep {
		cfg.NoPipelining, cfg.NoChunking = true, true
	}
	if l.apart {
		cfg.PipelineMessages = smtpclient.NoServer
	}
	conn, err := s.connectWithToken(ctx, cfg)
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

// acceptsMore reports whether a connection may take another message.
func (s *SMTP) acceptsMore(l *pooledConn) bool {
	most := s.limits.withAnnounced(l.limits).Transactions
	return !l.spent.Load() && !l.conn.Spent() && !s.isOutdated(l) && (most == 0 || l.messages < most)
}

// isOutdated reports whether the connection uses a feature that has since proved broken at the
// server.
func (s *SMTP) isOutdated(l *pooledConn) bool {
	return l.lockStep != s.lockStep.Load() || l.apart != s.apart.Load()
}

// ErrStopped is the error of recipients after Options.StopAfter.
var ErrStopped = errors.New("stopped here, as asked")

// Close sends QUIT on the idle connections and waits for the replies, at most Timeouts.Quit.
// Messages being sent are not disturbed; later ones are not tried.
func (s *SMTP) Close() error {
	s.pool.closeAll()
	return nil
}
