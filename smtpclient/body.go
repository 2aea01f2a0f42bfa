package smtpclient

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/internal/clienthello"
	"github.com/yanmail/yan/smtp"
)

// body is a message on its way to the server: behind a 354 and with dots, or
// as one BDAT LAST.
type body struct {
	x     *transaction
	dots  bool
	start time.Time
	begin int64 // octets of the connection before its first
	// end is the number of octets of the connection with its last; 0 until it
	// is certain that it will be written.
	end    atomic.Int64
	failed error // why it could not be read; wraps ErrContent
	noted  bool
	// followed says that other octets may leave with the last of the message;
	// behind are those that are known.
	followed bool
	behind   []byte
	lines    lineWriter
}

func (x *transaction) body() *body {
	return &body{x: x, dots: !x.chunking, start: time.Now()}
}

// write puts the message into the outlet, with the dot that ends DATA. After
// an error that wraps ErrContent the caller has to cut the connection, so that
// no end can follow.
func (b *body) write(o *countingWriter) error {
	b.begin = o.taken
	if b.x.Progress != nil {
		o.watched(b)
	}
	b.lines = lineWriter{w: o, dots: b.dots, binary: b.x.binary(), lineStart: true, limit: b.x.size}
	_, err := b.x.Content.WriteTo(&b.lines)
	if o.err != nil {
		return o.err
	}
	if err == nil {
		err = b.lines.finish()
	}
	if err != nil {
		b.failed = fmt.Errorf("%w: %w", ErrContent, err)
		return b.failed
	}
	end := []byte{b.lines.last, '.', '\r', '\n'} // the first is what lineWriter holds back
	if !b.dots {
		end = end[:1]
	}
	b.end.Store(o.taken + int64(len(end)))
	_, err = o.Write(end)
	return err
}

// offered reports whether the last octet was, or is just being, handed to the
// kernel: before that the server can't have the message.
func (b *body) offered() bool {
	end := b.end.Load()
	return end != 0 && b.x.c.out.offered.Load() >= end
}

// handed reports whether the kernel has the last octet.
func (b *body) handed() bool {
	end := b.end.Load()
	return end != 0 && b.x.c.out.has(end)
}

// reply reads a reply to the message. One that came before the server could
// have the whole of it is believed only if it says no.
func (b *body) reply(g *asyncWrite) (smtp.Reply, error) {
	c := b.x.c
	var early bool
	reply, err := g.reply(c.cfg.Timeouts.DataEnd, func() {
		early = !b.offered()
		b.note(early)
	})
	if err != nil {
		return smtp.Reply{}, err
	}
	c.leaving = reply.Code == 421
	// What follows the message may have to wait until its reply is read, and
	// with it the end of the write: then the reply is proof enough.
	incomplete := early || !b.followed && !c.out.settle(b.end.Load(), c.cfg.Timeouts.Quit)
	if incomplete {
		c.broken.Store(true)
		c.w.cut()
		_ = g.finish() // whose the message is may close it when its result is told
	}
	if reply.Intermediate() || incomplete && reply.Positive() {
		return smtp.Reply{}, fmt.Errorf("%w: %d in answer to the message", smtp.ErrMalformedReply, reply.Code)
	}
	if b.dots && b.followed && reply.Code == 503 {
		// It is about what came with the dot, and was said before the message was
		// decided upon.
		return smtp.Reply{}, fmt.Errorf("%w: %s", ErrNotPipelined, reply)
	}
	if c.count(reply); reply.Positive() {
		c.countAccepted()
	}
	return reply, nil
}

// note tells the trace, before the first reply to it, that the message is sent.
func (b *body) note(early bool) {
	if early || b.noted {
		return
	}
	b.noted = true
	if w := b.x.c.w; w.trace != nil {
		w.event(MessageSent, strconv.FormatInt(b.x.size, 10), time.Since(b.start))
		b.x.c.show(b.behind)
	}
}

// answered reads the reply to the whole message: one, or with LMTP one for
// each recipient that was accepted (RFC 2033 section 4.2). From here on a lost
// connection means that nobody knows.
func (b *body) answered(g *asyncWrite) error {
	x := b.x
	if !x.anyPending() {
		// A chunk travelled with an envelope that was refused; its reply says
		// only that.
		reply, err := b.reply(g)
		x.c.note421(reply)
		if err != nil && errors.Is(err, os.ErrDeadlineExceeded) && outOfSequence(x.mail) {
			// MAIL was lost, and the reply to RCPT taken for that to it.
			x.clearOutcomes()
			err = fmt.Errorf("%w: none to the message: %w", ErrOutOfStep, err)
		}
		if err == nil && reply.Positive() && x.chunking {
			// Yes to a message that nobody is to get is the answer to something else.
			x.clearOutcomes()
			err = fmt.Errorf("%w: %d in answer to a message without recipients", ErrOutOfStep, reply.Code)
		}
		return err
	}
	for i := range x.outcomes {
		o := &x.outcomes[i]
		if o.Status != "" {
			continue
		}
		reply, err := b.reply(g)
		if err != nil {
			return err
		}
		x.final = reply
		x.c.note421(reply)
		if !x.c.cfg.LMTP {
			x.applyReply(smtp.StageBody, reply)
			break
		}
		o.Status, o.Stage, o.Reply = smtp.StatusOf(reply), smtp.StageBody, reply
	}
	// What a refused chunk leaves behind is not agreed upon (RFC 3030 section 2).
	x.c.dirty = x.chunking && !x.final.Positive()
	return nil
}

// lost settles the pending recipients when a reply was lost, or was none, and
// the writer has ended. What it managed decides: as long as the last octet was
// not handed to the kernel, the server can't have the message.
func (b *body) lost(stage smtp.Stage, err error) {
	x := b.x
	switch {
	case b.failed != nil:
		x.notTried(smtp.StageBody, b.failed)
	case !b.handed(), x.c.leaving && x.final.IsZero() && hungUp(err):
		// A server that said 421 and hung up did not read what was behind. One that
		// said anything after it had read on.
		x.failUnsent(stage, err)
	default:
		x.settle(smtp.Unknown, smtp.StageBody, smtp.Reply{}, err)
	}
}

// hungUp reports that the other side ended the connection, and not in the middle
// of saying something.
func hungUp(err error) bool {
	return slices.ContainsFunc(append(clienthello.ResetErrors(), io.EOF),
		func(end error) bool { return errors.Is(err, end) })
}
