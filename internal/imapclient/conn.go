package imapclient

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/yanmail/yan/internal/clienthello"
	"github.com/yanmail/yan/smtpclient"
)

// imapConn is a connection to a mailbox. It is not safe for concurrent use.
type imapConn struct {
	ctx     context.Context // of the current call
	cfg     Config
	raw     net.Conn // the socket; closing it cuts the connection
	rw      net.Conn // raw, or TLS over it
	tls     *tls.ConnectionState
	r       *bufio.Reader
	release func() bool // stops watching ctx
	redact  *textRedactor

	patience time.Duration // for each wait

	tag    int // of the last command
	budget int // octets that the server may still send in answer to it
	caps   capabilities
	// preauth reports that the greeting was PREAUTH: the connection is logged
	// in.
	preauth bool
	// unanswered says that the server did not answer the ClientHello.
	unanswered bool
	bye        ServerReply    // the BYE that announced the end, if any
	lost       bool           // the connection can't be used any more
	heard      time.Time      // when the last response came, by the wall clock
	alert      string         // the alert that came with the answer to this command
	folders    []listedFolder // result of the last LIST
	seen       searchState    // results of the commands of a search
	arrived    time.Time      // when the newest copy found by a search arrived
}

// maxHelloSilence is how long a server may say nothing to a large ClientHello before it is
// sent a small one.
const maxHelloSilence = 5 * time.Second

// dial connects, encrypts and reads the greeting. It connects a second time, with a small
// ClientHello, if the server does not answer a large one.
func dial(ctx context.Context, cfg Config) (*imapConn, error) {
	c, err := dialOnce(ctx, cfg)
	if err == nil || c == nil || !c.unanswered || cfg.smallHello || ctx.Err() != nil {
		return c, err
	}
	cfg.smallHello = true
	again, secondErr := dialOnce(ctx, cfg)
	if secondErr != nil && (again == nil || again.tls == nil && !again.unanswered) {
		return nil, err // the first connection got further
	}
	return again, secondErr
}

// dialOnce is dial with one connection. After an error the connection is closed, and nil if
// there was none.
func dialOnce(ctx context.Context, cfg Config) (*imapConn, error) {
	if cfg.Host == "" {
		return nil, &Error{Stage: StageConnect, Err: errors.New("no host was given")}
	}
	raw, err := connect(ctx, cfg)
	if err != nil {
		return nil, &Error{Stage: StageConnect, Err: err}
	}
	c := &imapConn{cfg: cfg, raw: raw, rw: raw, patience: cfg.timeout(), redact: newRedactor(cfg.Auth)}
	c.r = bufio.NewReaderSize(raw, maxLine)
	c.watchContext(ctx)
	steps := []func() error{c.handshake, c.greeting}
	if cfg.StartTLS {
		steps = []func() error{c.greeting, c.startTLS, c.handshake}
	}
	for _, step := range steps {
		if err := step(); err != nil {
			c.close()
			return c, err
		}
	}
	return c, nil
}

func connect(ctx context.Context, cfg Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.timeout())
	defer cancel()
	dial := cfg.Dialer
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return dial(ctx, "tcp", cfg.address())
}

// watchContext lets the context of a call cut the connection until release is called.
// It closes the socket instead of setting a deadline, because a deadline could
// be overwritten.
func (c *imapConn) watchContext(ctx context.Context) {
	c.ctx = ctx
	c.release = context.AfterFunc(ctx, func() { _ = c.raw.Close() })
}

// close cuts the connection, if the server waits for nothing or must not take
// an unfinished command as complete.
func (c *imapConn) close() {
	c.release()
	_ = c.raw.Close()
}

func (c *imapConn) handshake() error {
	c.setLimits()
	settings, silence := c.cfg.Trust.TLSConfig(c.cfg.Host), maxHelloSilence
	if c.cfg.smallHello {
		clienthello.ShrinkHello(settings)
	}
	if c.cfg.smallHello || silence >= c.patience {
		silence = 0 // the deadline ends it
	}
	secure, err := clienthello.Handshake(c.ctx, c.raw, settings, silence)
	if err != nil {
		c.unanswered = errors.Is(err, clienthello.ErrUnanswered)
		return &Error{Stage: StageTLS, Err: c.explainError(err)}
	}
	state := secure.ConnectionState()
	c.tls, c.rw = &state, secure
	c.r.Reset(secure)
	c.caps = nil // capabilities from before the handshake do not count (RFC 9051 section 6.2.1)
	return nil
}

// greeting reads the server's first response.
func (c *imapConn) greeting() error {
	c.setLimits()
	got, err := c.readResponse()
	if err != nil {
		return &Error{Stage: StageConnect, Err: err}
	}
	reply, ok := c.parseStatus(got.rest)
	switch {
	case got.tag != "*" || !ok:
		return &Error{Stage: StageConnect, Err: fmt.Errorf("%w: it does not begin with a greeting", ErrMalformed)}
	case reply.Status == "PREAUTH":
		c.preauth = true
	case reply.Status != "OK":
		return &Error{Stage: StageConnect, Reply: reply}
	}
	return nil
}

// startTLS requests the upgrade without asking for the capabilities first: a
// server that does not know it refuses, and nothing else is sent.
func (c *imapConn) startTLS() error {
	if c.preauth {
		// STARTTLS is not possible after PREAUTH (RFC 9051 section 7.1.4); an
		// attacker may send PREAUTH to get the message in the clear.
		return &Error{Stage: StageTLS, Err: fmt.Errorf("%w: it greets with PREAUTH", smtpclient.ErrSTARTTLSNotOffered)}
	}
	if c.caps != nil && !c.caps.has("STARTTLS") {
		return &Error{Stage: StageTLS, Err: smtpclient.ErrSTARTTLSNotOffered}
	}
	reply, err := c.runCommand(c.newCommand("STARTTLS"))
	switch {
	case err != nil:
		return &Error{Stage: StageTLS, Err: err}
	case reply.Status != "OK":
		return &Error{Stage: StageTLS, Reply: reply, Err: smtpclient.ErrSTARTTLSNotOffered}
	case c.r.Buffered() > 0:
		return &Error{Stage: StageTLS, Err: smtpclient.ErrInjectedResponse}
	}
	return nil
}

// isAlive reports whether the server is still connected. If it was silent for a
// while, or something has arrived, it is asked with NOOP.
func (c *imapConn) isAlive(silent bool) bool {
	if !silent && !c.hasUnsolicited() {
		return true
	}
	defer func(d time.Duration) { c.patience = d }(c.patience)
	c.patience = min(c.patience, maxNoop)
	reply, err := c.runCommand(c.newCommand("NOOP"))
	return err == nil && reply.Status == "OK" && c.bye.IsZero()
}

// hasUnsolicited reports whether the server has sent an unsolicited response, like a BYE,
// or closed the connection. It waits a millisecond for one, which is much less
// than a round trip.
func (c *imapConn) hasUnsolicited() bool {
	_ = c.raw.SetReadDeadline(time.Now().Add(time.Millisecond)) // as in allow
	_, err := c.r.Peek(1)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// logout sends LOGOUT. The answer changes nothing, and the wait for it is
// short.
func (c *imapConn) logout() {
	c.patience = min(c.patience, time.Second)
	_, _ = c.runCommand(c.newCommand("LOGOUT"))
}

// setLimits sets the time and octet limits of the next exchange.
func (c *imapConn) setLimits() {
	c.budget = maxAnswer
	_ = c.raw.SetDeadline(time.Now().Add(c.patience)) // fails only on a closed socket; the next read reports that
}

// explainError adds the context's error, or the deadline, as the cause of a failed
// wait.
func (c *imapConn) explainError(err error) error {
	switch {
	case c.ctx.Err() != nil:
		return fmt.Errorf("%w while waiting for the server", context.Cause(c.ctx))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the server did not answer within %s: %w", c.patience, os.ErrDeadlineExceeded)
	}
	return err
}
