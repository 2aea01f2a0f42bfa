package smtpclient

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/yanmail/yan/smtp"
)

// restAfter is the idle time after which Wake asks the server whether it is
// still there; a middlebox may have dropped the connection without a word.
const restAfter = 10 * time.Second

// Park is called by the owner of a connection that has nothing to send. Until
// Wake is called, nothing else may be but Quit and Close.
func (c *Conn) Park() { c.parked = time.Now() }

// Wake ends the rest and reports whether the connection can be used: a server
// that hung up, or said anything (421, or QQ's binary frame), makes it unusable
// before the next MAIL is sent. A false Wake has closed it. After a long rest it
// waits for an answer, at most Timeouts.Quit.
func (c *Conn) Wake(ctx context.Context) bool {
	defer c.w.under(ctx)()
	return c.awake()
}

// awake is Wake within whatever context is on the wire.
func (c *Conn) awake() bool {
	if c.parked.IsZero() {
		return c.Usable()
	}
	rested := time.Since(c.parked)
	c.parked = time.Time{}
	if c.broken.Load() || !c.quiet() {
		c.Close()
		return false
	}
	return rested <= restAfter || c.answers()
}

// quiet reports whether the server has neither hung up nor said anything. The
// kernel is asked; where it can't be, or has something (which may be no more
// than a TLS session ticket), a read is tried for a moment.
func (c *Conn) quiet() bool {
	if nothing, known := nothingToRead(c.w.raw); known && nothing {
		return !c.w.ahead()
	}
	_ = c.w.raw.SetReadDeadline(time.Now().Add(time.Millisecond)) // fails only on a closed socket, which Peek reports
	_, err := c.w.r.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// answers asks the server whether it is still there.
func (c *Conn) answers() bool {
	err := c.w.send(c.cfg.Timeouts.Quit, []byte("NOOP\r\n"), "NOOP")
	var reply smtp.Reply
	if err == nil {
		reply, err = c.w.reply(c.cfg.Timeouts.Quit)
	}
	if err != nil || !reply.Positive() {
		c.Close()
		return false
	}
	return true
}
