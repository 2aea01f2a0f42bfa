package smtpclient

import (
	"errors"
	"os"
	"time"

	"github.com/yanmail/yan/smtp"
)

// parked watches an idle connection: a server that hangs up, or says anything
// (421, or QQ's binary frame), makes it unusable before the next MAIL is sent.
type parked struct {
	since time.Time
	done  chan error
}

// restAfter is the idle time after which Wake asks the server whether it is
// still there; a middlebox may have dropped the connection without a word.
const restAfter = 10 * time.Second

// Park is called by the owner of a connection that has nothing to send. Until
// Wake is called, nothing else may be.
func (c *Conn) Park() {
	p := &parked{since: time.Now(), done: make(chan error, 1)}
	c.parked = p
	_ = c.w.raw.SetReadDeadline(time.Time{}) // fails only on a closed socket, which Peek reports
	go func() {
		_, err := c.w.r.Peek(1)
		p.done <- err
	}()
}

// Wake ends the rest and reports whether the connection can be used. A false
// Wake has closed it.
func (c *Conn) Wake() bool {
	p := c.parked
	if p == nil {
		return c.Usable()
	}
	c.parked = nil
	_ = c.w.raw.SetReadDeadline(longAgo()) // as in Park
	err := <-p.done
	if !errors.Is(err, os.ErrDeadlineExceeded) || c.broken.Load() || !c.quiet() {
		c.Close()
		return false
	}
	if time.Since(p.since) > restAfter {
		return c.answers()
	}
	return true
}

// quiet reports whether the server has neither hung up nor said anything. The
// deadline that ended the rest may have been faster than the news, so the
// kernel is asked; where it can't be, or has something, a moment is waited.
func (c *Conn) quiet() bool {
	if nothing, known := nothingToRead(c.w.raw); known && nothing {
		return true
	}
	_ = c.w.raw.SetReadDeadline(time.Now().Add(time.Millisecond)) // as in Park
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
