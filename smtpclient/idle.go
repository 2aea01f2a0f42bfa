package smtpclient

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/yanmail/yan/smtp"
)

// restAfter is the idle time after which Wake checks the server with NOOP; a middlebox may have
// dropped the connection silently.
const restAfter = 10 * time.Second

// Park marks the connection as idle. Until Wake is called, only Quit and Close may be called.
func (c *Conn) Park() { c.parked = time.Now() }

// Wake ends the idle time and reports whether the connection can be used. A server that hung up,
// or sent anything (421, or QQ's binary frame), makes it unusable; this is detected before the
// next MAIL is sent. If Wake returns false, it has closed the connection. After a long idle time
// it waits for a reply, at most Timeouts.Quit.
func (c *Conn) Wake(ctx context.Context) bool {
	defer c.w.useContext(ctx)()
	return c.checkAlive()
}

// checkAlive is Wake within the current context of the connection.
func (c *Conn) checkAlive() bool {
	if c.parked.IsZero() {
		return c.Usable()
	}
	rested := time.Since(c.parked)
	c.parked = time.Time{}
	if c.broken.Load() || !c.isQuiet() {
		c.Close()
		return false
	}
	return rested <= restAfter || c.answersNoop()
}

// isQuiet reports whether the server has neither hung up nor sent anything. It asks the kernel; if
// that is impossible, or there is data (which may be only a TLS session ticket), it tries a short
// read.
func (c *Conn) isQuiet() bool {
	if nothing, known := nothingToRead(c.w.raw); known && nothing {
		return !c.w.hasUnsolicited()
	}
	_ = c.w.raw.SetReadDeadline(time.Now().Add(time.Millisecond)) // fails only on a closed socket, which Peek reports
	_, err := c.w.r.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// answersNoop checks with NOOP whether the server is still there.
func (c *Conn) answersNoop() bool {
	err := c.w.sendLines(c.cfg.Timeouts.Quit, []byte("NOOP\r\n"), "NOOP")
	var reply smtp.Reply
	if err == nil {
		reply, err = c.w.readReplyWithin(c.cfg.Timeouts.Quit)
	}
	if err != nil || !reply.Positive() {
		c.Close()
		return false
	}
	return true
}
