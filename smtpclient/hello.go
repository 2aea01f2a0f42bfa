package smtpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// Some relays and boxes between drop a ClientHello that is larger than one packet,
// as the key share of X25519MLKEM768 makes it: they reset the connection, close it or
// fall silent. Such a connection is dialed once more with a smaller ClientHello.

// unanswered wraps what ended a handshake to which the server had said nothing.
type unanswered struct{ err error }

func (e unanswered) Error() string { return fmt.Sprintf("%v: %v", ErrNoServerHello, e.err) }
func (e unanswered) Unwrap() []error {
	return []error{ErrNoServerHello, e.err}
}

// heardConn notes whether anything was read from a connection.
type heardConn struct {
	net.Conn
	heard atomic.Bool
}

func (h *heardConn) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	if n > 0 {
		h.heard.Store(true)
	}
	return n, err
}

// shakeHands does a handshake. If silence is positive, it ends with ErrNoServerHello
// when the server has not said anything after that time.
func shakeHands(ctx context.Context, raw net.Conn, cfg *tls.Config, silence time.Duration) (*tls.Conn, error) {
	watched := &heardConn{Conn: raw}
	conn := tls.Client(watched, cfg)
	if silence > 0 {
		limited, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		timer := time.AfterFunc(silence, func() {
			if !watched.heard.Load() {
				cancel(os.ErrDeadlineExceeded)
			}
		})
		defer timer.Stop()
		err := conn.HandshakeContext(limited)
		if err != nil && ctx.Err() == nil && context.Cause(limited) != nil {
			err = context.Cause(limited)
		}
		return conn, silent(ctx, watched, err)
	}
	return conn, silent(ctx, watched, conn.HandshakeContext(ctx))
}

// silent marks an error that ended the connection before the server said anything.
func silent(ctx context.Context, conn *heardConn, err error) error {
	switch {
	case err == nil || conn.heard.Load() || ctx.Err() != nil:
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.EPIPE), slices.ContainsFunc(errnoReset(), func(e error) bool { return errors.Is(err, e) }):
		return unanswered{err}
	}
	return err
}

// again reports whether a dial that failed is worth a second one with a smaller
// ClientHello.
func (c Config) again(ctx context.Context, err error) bool {
	return err != nil && !c.SmallHello && errors.Is(err, ErrNoServerHello) && ctx.Err() == nil
}

// silence is how long the server may say nothing to the ClientHello before the
// connection is given up for one with a smaller ClientHello; 0 leaves it to the timeout
// of the handshake.
func (c *Conn) silence() time.Duration {
	if c.cfg.SmallHello || c.cfg.Timeouts.Silence >= c.cfg.Timeouts.Handshake {
		return 0
	}
	return c.cfg.Timeouts.Silence
}
