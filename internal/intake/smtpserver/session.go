package smtpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/internal/intake/admission"
)

// clientSession is one connection. Only interrupt may be called by another goroutine.
type clientSession struct {
	server   *Server
	o        *Options
	ctx      context.Context
	log      *slog.Logger
	begun    time.Time
	stopping atomic.Bool // the server stops: 421 at the next command

	connMu sync.Mutex // guards the change of conn by STARTTLS
	conn   net.Conn
	secure bool // conn is TLS
	in     inputBuffer
	out    replyBuffer

	key     string // of the limits
	peer    admission.Peer
	known   bool  // peer may send: it has logged in, or needs no login
	login   bool  // it has logged in
	unknown error // why a client without a login has no peer

	hello    string // the client's name in EHLO
	extended bool   // EHLO, not HELO
	failures int    // of logins
	errors   int    // commands with a wrong form or order
	commands int    // since the last accepted message

	open  openTransaction // after MAIL; nil outside a transaction
	taken int             // recipients that were accepted
	size  int64           // octets allowed
	max   int             // recipients allowed
	body  *arrivingBody   // while a message arrives
}

// Reasons that end a session.
var (
	errQuit      = errors.New("quit")
	errStopping  = errors.New("the server stops")
	errLongLine  = errors.New("a line is too long")
	errClientTLS = errors.New("the client began TLS")
	errClientWeb = errors.New("the client speaks HTTP")
	errSlow      = errors.New("the client is too slow")
	errDone      = errors.New("the reply has been given")
)

func (c *clientSession) run() {
	if c.o.Implicit && !c.startTLS() {
		return
	}
	c.reply(220, "", c.o.Hostname+" ESMTP Yan")
	for {
		line, err := c.in.line()
		if err == nil {
			err = c.carryOut(line)
		}
		if err != nil {
			c.end(err)
			return
		}
	}
}

// end gives the last reply of a session, if it needs one.
func (c *clientSession) end(why error) {
	switch {
	case errors.Is(why, errQuit):
		c.reply(221, "2.0.0", "bye")
	case errors.Is(why, errDone):
	case errors.Is(why, errStopping):
		c.refuse(refusalReply{421, "4.3.2", "stopping", "the server stops", "try again later"})
	case errors.Is(why, errLongLine):
		c.refuse(refusalReply{500, "5.5.2", "line", "the command is too long", fmt.Sprintf("keep it below %d octets", maxLine)})
	case errors.Is(why, errClientTLS):
		c.sayClientTLS()
		return // a client that waits for a ServerHello can read no reply
	case errors.Is(why, errClientWeb):
		c.log.Warn("SMTP: a client speaks HTTP: its address for the mail server is wrong, or a web page made a browser connect here")
		c.refuse(refusalReply{554, "5.5.1", "protocol", "this is an SMTP server, not HTTP", "check the address and the port"})
	case errors.Is(why, errTooMuch):
		c.refuse(refusalReply{552, "5.3.4", "size", "the message is far larger than the size that EHLO announces", "send a smaller one"})
	case errors.Is(why, errSlow):
		c.log.Info("SMTP: a session timed out")
		c.refuse(refusalReply{421, "4.4.2", "time", "the client was silent or slow for too long", "connect again"})
	default: // the client is gone
		return
	}
	c.hangUp()
}

// sayClientTLS logs the most frequent mistake of configuration.
func (c *clientSession) sayClientTLS() {
	if c.o.TLS != nil {
		c.log.Warn("SMTP: a client began TLS at once, but this port begins in the clear: set the client's encryption to STARTTLS")
		return
	}
	c.log.Warn("SMTP: a client began TLS, but this port has none: set the client's encryption to none, and no STARTTLS")
}

// hangUp writes what is to be written, and gives the client time to read it: if octets of the
// client were left unread, closing would reset the connection and lose the reply.
func (c *clientSession) hangUp() {
	if c.out.flush() != nil {
		return
	}
	w, ok := c.conn.(interface{ CloseWrite() error })
	if !ok || w.CloseWrite() != nil {
		return
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(lingerTime)) // without it Close follows at once
	_, _ = io.Copy(io.Discard, io.LimitReader(c.conn, lingerOctets))
}

const (
	lingerTime   = time.Second
	lingerOctets = 1 << 20
)

func (c *clientSession) close() {
	c.in.release()
	_ = c.conn.Close() // everything that matters has been flushed
}

// survivePanic ends the session alone. The value of a panic may contain content, unless the runtime
// made it.
func (c *clientSession) survivePanic() {
	value := recover()
	if value == nil {
		return
	}
	what := fmt.Sprintf("%T", value)
	if e, ok := value.(runtime.Error); ok {
		what = e.Error()
	}
	c.log.Error("SMTP: a session panicked; the others go on", slog.String("panic", what), slog.String("stack", string(debug.Stack())))
	c.out.drop()
	c.refuse(refusalReply{421, "4.3.0", "bug", "an error in yan ended this session", "try again; the log says more"})
	_ = c.out.flush() // the session has ended in any case
}

// setReadDeadline sets when a read fails, and reports whether the server stops. The order matters:
// interrupt sets its flag first.
func (c *clientSession) setReadDeadline(t time.Time) error {
	_ = c.conn.SetReadDeadline(t) // pipes of "sendmail -bs" may have none
	if c.stopping.Load() {
		return errStopping
	}
	return nil
}

// commandDeadline returns when the next command must be complete.
func (c *clientSession) commandDeadline() time.Time {
	now := c.o.Now()
	t := now.Add(c.o.Limits.Command)
	if !c.known {
		if last := c.begun.Add(c.o.Limits.Login); last.Before(t) {
			t = last
		}
	}
	return t
}

// startTLS does the handshake.
func (c *clientSession) startTLS() bool {
	ctx, cancel := context.WithTimeout(c.ctx, c.o.Limits.Handshake)
	defer cancel()
	_ = c.conn.SetDeadline(c.o.Now().Add(c.o.Limits.Handshake))
	conn := tls.Server(c.conn, c.o.TLS())
	if err := conn.HandshakeContext(ctx); err != nil {
		c.log.Warn("SMTP: TLS failed: "+explainHandshake(err), slog.String("error", err.Error()))
		return false
	}
	_ = conn.SetDeadline(time.Time{})
	c.connMu.Lock()
	defer c.connMu.Unlock()
	c.conn, c.secure = conn, true
	return true
}

// explainHandshake says what to do about a failed handshake.
func explainHandshake(err error) string {
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the client does not speak TLS here: set its encryption to SSL/TLS for this port, or use the port with STARTTLS"
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return "the client did not accept it: it may have to be told to trust the certificate"
	}
	return "the handshake was not completed"
}
