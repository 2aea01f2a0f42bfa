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

// body is a message being sent: after a 354 with dot-stuffing, or as one BDAT LAST.
type body struct {
	x     *transaction
	dots  bool
	start time.Time
	begin int64 // octets of the connection before the first octet
	// end is the number of octets of the connection up to the last octet; 0 until it is certain
	// that it will be written.
	end    atomic.Int64
	failed error // the error of reading the message; wraps ErrContent
	noted  bool
	// followed says that other octets may be sent together with the end of the message; the field
	// behind holds the known ones.
	followed bool
	behind   []byte
	lines    lineWriter
}

func (x *transaction) newBody() *body {
	return &body{x: x, dots: !x.chunking, start: time.Now()}
}

// writeTo writes the message, with the final dot of DATA. After an error that wraps ErrContent the
// caller must cut the connection, so that the server sees no end of the message.
func (b *body) writeTo(o *countingWriter) error {
	b.begin = o.taken
	if b.x.Progress != nil {
		o.watchBody(b)
	}
	b.lines = lineWriter{w: o, dots: b.dots, binary: b.x.needsBinary(), lineStart: true, limit: b.x.size}
	_, err := b.x.Content.WriteTo(&b.lines)
	if o.err != nil {
		return o.err
	}
	if err == nil {
		err = b.lines.checkEnd()
	}
	if err != nil {
		b.failed = fmt.Errorf("%w: %w", ErrContent, err)
		return b.failed
	}
	end := []byte{b.lines.last, '.', '\r', '\n'} // the first is the octet held back by lineWriter
	if !b.dots {
		end = end[:1]
	}
	b.end.Store(o.taken + int64(len(end)))
	_, err = o.Write(end)
	return err
}

// wasOffered reports whether the last octet was, or is being, passed to the kernel: before that the
// server can't have the message.
func (b *body) wasOffered() bool {
	end := b.end.Load()
	return end != 0 && b.x.c.out.offered.Load() >= end
}

// kernelHas reports whether the kernel has the last octet.
func (b *body) kernelHas() bool {
	end := b.end.Load()
	return end != 0 && b.x.c.out.kernelHas(end)
}

// readReply reads a reply to the message. A positive reply is not believed if it came before the
// server could have the whole message.
func (b *body) readReply(g *asyncWrite) (smtp.Reply, error) {
	c := b.x.c
	var early bool
	reply, err := g.readReply(c.cfg.Timeouts.DataEnd, func() {
		early = !b.wasOffered()
		b.traceSent(early)
	})
	if err != nil {
		return smtp.Reply{}, err
	}
	c.leaving = reply.Code == 421
	// Octets after the message may have to wait until its reply is read, and so the end of the
	// write: then the reply is proof enough.
	incomplete := early || !b.followed && !c.out.waitForKernel(b.end.Load(), c.cfg.Timeouts.Quit)
	if incomplete {
		c.broken.Store(true)
		c.w.closeAbruptly()
		_ = g.waitForEnd() // the caller may close the message after its result
	}
	if reply.Intermediate() || incomplete && reply.Positive() {
		return smtp.Reply{}, fmt.Errorf("%w: %d in answer to the message", smtp.ErrMalformedReply, reply.Code)
	}
	if b.dots && b.followed && reply.Code == 503 {
		// The reply concerns the commands sent with the dot, and was sent before a reply to the
		// message.
		return smtp.Reply{}, fmt.Errorf("%w: %s", ErrNotPipelined, reply)
	}
	if c.countReply(reply); reply.Positive() {
		c.countAccepted()
	}
	return reply, nil
}

// traceSent records in the trace, before the first reply to the message, that it is sent.
func (b *body) traceSent(early bool) {
	if early || b.noted {
		return
	}
	b.noted = true
	if w := b.x.c.w; w.trace != nil {
		w.traceLine(MessageSent, strconv.FormatInt(b.x.size, 10), time.Since(b.start))
		b.x.c.traceLines(b.behind)
	}
}

// readFinalReplies reads the reply to the whole message: one, or with LMTP one for each accepted
// recipient (RFC 2033 section 4.2). From here on a lost connection makes the outcome unknown.
func (b *body) readFinalReplies(g *asyncWrite) error {
	x := b.x
	if !x.anyPending() {
		// A chunk was sent with a refused envelope; its reply has no further meaning.
		reply, err := b.readReply(g)
		x.c.note421(reply)
		if err != nil && errors.Is(err, os.ErrDeadlineExceeded) && outOfSequence(x.mail) {
			// The server lost MAIL, and the reply to RCPT was read as the reply to MAIL.
			x.clearOutcomes()
			err = fmt.Errorf("%w: none to the message: %w", ErrOutOfStep, err)
		}
		if err == nil && reply.Positive() && x.chunking {
			// A positive reply to a message without recipients answers something else.
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
		reply, err := b.readReply(g)
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
	// The state after a refused chunk is not specified (RFC 3030 section 2).
	x.c.dirty = x.chunking && !x.final.Positive()
	return nil
}

// settleLost settles the pending recipients after a reply was lost or invalid, and the writer has
// ended. If the last octet was not passed to the kernel, the server can't have the message.
func (b *body) settleLost(stage smtp.Stage, err error) {
	x := b.x
	switch {
	case b.failed != nil:
		x.notTried(smtp.StageBody, b.failed)
	case !b.kernelHas(), x.c.leaving && x.final.IsZero() && hungUp(err):
		// A server that answered 421 and hung up did not read the rest. A later reply would prove
		// that it did.
		x.failUnsent(stage, err)
	default:
		x.settlePending(smtp.Unknown, smtp.StageBody, smtp.Reply{}, err)
	}
}

// hungUp reports that the server closed the connection, and not within a reply.
func hungUp(err error) bool {
	return slices.ContainsFunc(append(clienthello.ResetErrors(), io.EOF),
		func(end error) bool { return errors.Is(err, end) })
}
