// Package clienthello does the client's side of a TLS handshake with servers that do not
// answer a large ClientHello. Some relays, and firewalls in front of servers, drop a
// ClientHello larger than a packet, as the key share of X25519MLKEM768 makes it: they reset
// the connection, close it or do not answer. A client then connects once more, with [ShrinkHello].
package clienthello

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

	"github.com/yanmail/yan/internal/localerr"
)

// ErrUnanswered: the connection ended, or the server stayed silent, between the ClientHello
// and the server's first octet.
var ErrUnanswered = localerr.New("the server did not answer the TLS ClientHello")

// SmallCurves returns the groups of a key exchange whose key share is small.
func SmallCurves() []tls.CurveID {
	return []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
}

// ShrinkHello makes the ClientHello of a configuration small.
func ShrinkHello(cfg *tls.Config) { cfg.CurvePreferences = SmallCurves() }

// unanswered wraps the error that ended a handshake before the server sent anything.
type unanswered struct{ err error }

func (e unanswered) Error() string { return fmt.Sprintf("%v: %v", ErrUnanswered, e.err) }
func (e unanswered) Unwrap() []error {
	return []error{ErrUnanswered, e.err}
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

// Handshake does a handshake. If silence is positive, it ends with ErrUnanswered if the server
// has sent nothing in that time.
func Handshake(ctx context.Context, raw net.Conn, cfg *tls.Config, silence time.Duration) (*tls.Conn, error) {
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
		return conn, markUnanswered(ctx, watched, err)
	}
	return conn, markUnanswered(ctx, watched, conn.HandshakeContext(ctx))
}

// markUnanswered wraps an error in unanswered if the server had sent nothing before it.
func markUnanswered(ctx context.Context, conn *heardConn, err error) error {
	switch {
	case err == nil || conn.heard.Load() || ctx.Err() != nil:
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.EPIPE), slices.ContainsFunc(ResetErrors(), func(e error) bool { return errors.Is(err, e) }):
		return unanswered{err}
	}
	return err
}
