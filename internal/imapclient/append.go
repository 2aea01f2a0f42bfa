package imapclient

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/smtpclient"
)

// append appends the message to a folder. It is tried once, because the outcome
// of a message without an answer is unknown. untouched is true if the
// connection ended before the server asked for the first octet of the message.
func (c *imapConn) append(f listedFolder, m Message, date time.Time) (untouched bool, err error) {
	fail := func(reply ServerReply, err error) (bool, error) {
		return untouched, &Error{Stage: StageAppend, Reply: reply, Err: err}
	}
	size := m.Size()
	if limit, ok := c.caps.appendLimit(); ok && size > limit {
		return fail(ServerReply{}, fmt.Errorf("%w: it has %d octets, and the limit is %d", smtpclient.ErrTooLarge, size, limit))
	}
	cmd := c.newCommand("APPEND")
	if err := cmd.astring(f.wire); err != nil {
		return fail(ServerReply{}, err)
	}
	cmd.text(` (\Seen) `)
	if !date.IsZero() {
		cmd.text(date.Format(`"02-Jan-2006 15:04:05 -0700" `))
	}
	cmd.literal(size)
	reply, err := c.beginCommand(cmd)
	c.lost = err != nil || reply.Status == "BYE"
	untouched = c.lost && !errors.Is(err, ErrMalformed)
	if err == nil && reply.IsZero() {
		reply, err = c.uploadMessage(cmd, m)
	}
	if err != nil || reply.Status != "OK" {
		return fail(reply, err)
	}
	return false, nil
}

// uploadMessage writes the message and reads the answer concurrently, so that a
// refusal in the middle, or a BYE with a reason, is noticed.
func (c *imapConn) uploadMessage(cmd *commandBuilder, m Message) (ServerReply, error) {
	out := &literalWriter{raw: c.raw, w: c.rw, patience: c.patience, left: m.Size()}
	out.buf = append(make([]byte, 0, chunk), cmd.chunks[len(cmd.chunks)-1]...)
	_ = c.raw.SetReadDeadline(time.Time{}) // until the upload ends, the writer's deadlines limit the wait
	done := make(chan error, 1)
	go func() {
		_, err := m.WriteTo(out)
		err = out.finish(err)
		switch {
		case errors.Is(err, smtpclient.ErrContent):
			_ = c.raw.Close() // the server must not take the part as complete
		case err != nil:
			c.awaitLastReply()
		}
		done <- err
	}()
	reply, readErr := c.answerAfterUpload(cmd.tag)
	whole := out.whole.Load()
	if readErr != nil || !whole || reply.Status == "BYE" {
		c.lost = true
		_ = c.raw.Close() // stops a writer that is still running
	}
	writeErr := <-done
	c.lost = c.lost || writeErr != nil
	switch {
	case errors.Is(writeErr, smtpclient.ErrContent):
		return ServerReply{}, writeErr
	case reply.Status == "OK" && (!whole || writeErr != nil):
		return ServerReply{}, fmt.Errorf("%w: it accepts a message of which it has a part", ErrMalformed)
	case !reply.IsZero() && !(reply.Status == "BYE" && writeErr == nil):
		return reply, nil
	case writeErr != nil && !errors.Is(writeErr, net.ErrClosed):
		return reply, c.explainError(writeErr)
	case writeErr != nil:
		return reply, readErr // the reason why the socket was closed
	case readErr == nil: // a BYE after the whole message says nothing about it
		return reply, ErrUnknown
	}
	return reply, fmt.Errorf("%w: %w", ErrUnknown, readErr)
}

// answerAfterUpload is answer, but skips a late continuation request.
func (c *imapConn) answerAfterUpload(tag string) (ServerReply, error) {
	for {
		if _, reply, err := c.readContinuation(tag); err != nil || !reply.IsZero() {
			return reply, err
		}
	}
}

// chunk is the size of the write buffer for a message.
const chunk = 32 << 10

// literalWriter writes the octets of a message (RFC 9051 section 4.3). It holds back
// the last octet until the message has ended without an error, so that the
// server can't take a part as complete.
type literalWriter struct {
	raw      net.Conn
	w        net.Conn
	patience time.Duration // for each write
	left     int64         // octets of the message still to be written
	buf      []byte
	err      error
	whole    atomic.Bool // the last octet is being or was written
}

var (
	errTooLong = errors.New("it is longer than announced")
	errNUL     = errors.New("it holds a NUL, which IMAP can't store")
)

// Write keeps its first error, so that a message that ignores it can't succeed.
func (l *literalWriter) Write(p []byte) (int, error) {
	switch {
	case l.err != nil:
		return 0, l.err
	case int64(len(p)) > l.left:
		l.err = fmt.Errorf("%w: %w", smtpclient.ErrContent, errTooLong)
	case bytes.IndexByte(p, 0) >= 0: // RFC 9051 section 4.3: CHAR8 is any octet but NUL
		l.err = fmt.Errorf("%w: %w", smtpclient.ErrContent, errNUL)
	}
	total := len(p)
	for len(p) > 0 && l.err == nil {
		if len(l.buf) >= chunk {
			l.flush()
		}
		n := min(len(p), max(chunk-len(l.buf), 0))
		l.buf = append(l.buf, p[:n]...)
		l.left -= int64(n)
		p = p[n:]
	}
	if l.err != nil {
		return 0, l.err
	}
	return total, nil
}

// finish ends the literal and its command; err is the error of the message's
// WriteTo.
func (l *literalWriter) finish(err error) error {
	switch {
	case l.err != nil:
		return l.err
	case err != nil:
		return fmt.Errorf("%w: %w", smtpclient.ErrContent, err)
	case l.left > 0:
		return fmt.Errorf("%w: it is %d octets shorter than announced", smtpclient.ErrContent, l.left)
	}
	l.buf = append(l.buf, "\r\n"...)
	l.whole.Store(true)
	l.flush()
	_ = l.raw.SetReadDeadline(time.Now().Add(l.patience)) // fails only on a closed socket; the next read reports that
	return l.err
}

func (l *literalWriter) flush() {
	_ = l.raw.SetWriteDeadline(time.Now().Add(l.patience)) // as above
	_, l.err = l.w.Write(l.buf)
	l.buf = l.buf[:0]
}
