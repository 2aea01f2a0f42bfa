package smtpclient

import (
	"context"
	"sync"
	"time"

	"github.com/yanmail/yan/smtp"
)

// canOverlap reports whether a message can be on the wire together with others: complete, in one
// flight with its envelope.
func (r *connRun) canOverlap(x *transaction) bool {
	return r.c.usesPipelining() && x.fitsOneFlight() && r.c.cfg.Window.Messages > 1
}

// bdatWindow is a part of a run in which MAIL, RCPT and BDAT of several messages are on
// the wire (RFC 3030 section 4.2). One goroutine writes while the one that ranges over the
// run reads, so that a server that stops reading until its replies are read causes no deadlock.
//
// RSET precedes each MAIL after a message whose outcome is not known yet: a server whose
// BDAT failed may keep the transaction open, refuse the MAIL, and add the recipients to
// the wrong message. RFC 1830 section 3 calls that state indeterminate; RFC 3030, which
// replaced it, does not mention it.
type bdatWindow struct {
	run  *connRun
	g    *asyncWrite
	stop context.CancelFunc // cancels a wait for the source

	mu      sync.Mutex // guards the fields below
	changed sync.Cond
	queue   []*pendingTransaction // without all replies; those to the first are being read
	octets  int64                 // of the messages in the queue
	window  int                   // the limit of the queue
	closed  bool                  // no message will be queued any more
	halted  bool                  // no message may be queued any more
}

// pendingTransaction is a message in the window.
type pendingTransaction struct {
	x        *transaction
	commands []command
	body     *body
}

// sendOverlapped sends x and the following messages as long as they can overlap.
func (r *connRun) sendOverlapped(x *transaction) {
	ctx, stop := context.WithCancel(r.ctx)
	s := &bdatWindow{run: r, stop: stop, window: r.c.windowSize()}
	s.changed.L = &s.mu
	c := r.c
	c.grouped = true
	c.out.timeout = c.cfg.Timeouts.DataBlock
	s.g = &asyncWrite{w: c.w, grace: c.cfg.Timeouts.Quit, done: make(chan struct{}), due: s.headHasLeft}
	c.out.moved = s.g.blockWritten
	s.g.beginWrite(func() error {
		defer s.closeQueue()
		return s.writeMessages(ctx, x)
	})
	told := false
	defer func() {
		if !told { // the loop over the run panics: stop waiting
			c.Close()
		}
		s.haltQueue()
		_ = s.g.waitForEnd() // the writer knows how much was sent
		c.out.moved = nil
	}()
	s.readAll()
	told = true
}

// writeMessages writes messages, the first of them x.
func (s *bdatWindow) writeMessages(ctx context.Context, x *transaction) error {
	o := s.run.c.out
	for x != nil {
		p := s.queueMessage(x)
		if p == nil {
			s.run.waiting = x
			break
		}
		x.c.line = x.appendLines(x.c.line[:0], p.commands)
		x.c.traceLines(x.c.line)
		_, _ = o.Write(x.c.line) // the writer keeps its error
		if err := p.body.writeTo(o); err != nil {
			if p.body.failed != nil {
				// The messages before it are complete; their replies are read first.
				_ = o.flushBlock()
				s.waitFor(func() bool { return s.queue[0] == p })
				s.run.c.w.closeAbruptly()
			}
			return err
		}
		var err error
		if x, err = s.nextInStretch(ctx, o); err != nil {
			return err
		}
	}
	return o.flushBlock()
}

// queueMessage waits until the window has room for a message and queues it; it returns nil if the
// message must not be sent on this connection any more.
func (s *bdatWindow) queueMessage(x *transaction) *pendingTransaction {
	bytes := s.run.c.cfg.Window.Bytes
	room := func() bool {
		return len(s.queue) == 0 || s.run.c.proven && len(s.queue) < s.window && s.octets+x.size <= bytes
	}
	s.mu.Lock()
	full := !room()
	s.mu.Unlock()
	if full && s.run.c.out.flushBlock() != nil {
		return nil
	}
	if !s.waitFor(room) {
		return nil
	}
	p := &pendingTransaction{x: x, body: x.newBody()}
	p.body.followed = true
	s.mu.Lock()
	defer s.mu.Unlock()
	p.commands = make([]command, 0, len(x.to)+3)
	if len(s.queue) > 0 || x.c.dirty {
		p.commands = append(p.commands, command{stage: smtp.StageReset})
	}
	p.commands = append(x.appendEnvelope(p.commands), command{stage: smtp.StageBody})
	s.queue = append(s.queue, p)
	s.octets += x.size
	s.changed.Broadcast()
	return p
}

// nextInStretch returns the next message of the window's stretch; nil at its end.
func (s *bdatWindow) nextInStretch(ctx context.Context, o *countingWriter) (*transaction, error) {
	r := s.run
	s.mu.Lock()
	halted := s.halted
	s.mu.Unlock()
	if halted {
		return nil, nil
	}
	if x := r.waiting; x != nil {
		return s.takeIfFits(x, false), nil
	}
	t, ok := r.messages.Next(ctx, false)
	if !ok {
		if err := o.flushBlock(); err != nil {
			return nil, err
		}
		since := time.Now()
		if t, ok = r.messages.Next(ctx, true); !ok {
			return nil, nil
		}
		s.mu.Lock()
		if len(s.queue) == 0 && !s.halted {
			// The connection was idle: check it before sending more.
			halted, r.c.parked = true, since
		}
		halted = halted || s.halted
		s.mu.Unlock()
	}
	return s.takeIfFits(r.c.newTransaction(t), halted), nil
}

// takeIfFits returns x if it can continue this stretch; otherwise x waits for the next.
func (s *bdatWindow) takeIfFits(x *transaction, halted bool) *transaction {
	s.run.waiting = nil
	if halted || x.checkMessage() != nil || !s.run.canOverlap(x) {
		s.run.waiting = x
		return nil
	}
	return x
}

// readAll reads the replies, message by message, until none is left.
func (s *bdatWindow) readAll() {
	for p := s.waitForHead(); p != nil; p = s.waitForHead() {
		stage, err := s.readReplies(p)
		if err != nil {
			s.settleLost(stage, err)
			return
		}
		s.mu.Lock()
		s.run.c.proven = true
		s.queue = s.queue[1:]
		s.octets -= p.x.size
		s.window = s.run.c.windowSize()
		if s.run.hasEnded() {
			s.haltLocked()
		}
		s.changed.Broadcast()
		s.mu.Unlock()
		s.run.yieldResult(p.x)
		if s.run.consumerGone {
			s.haltQueue()
		}
	}
}

func (s *bdatWindow) readReplies(p *pendingTransaction) (smtp.Stage, error) {
	commands := p.commands[:len(p.commands)-1] // the body's reply is read separately
	if stage, err := p.x.readReplies(commands, s.g); err != nil {
		return stage, err
	}
	return smtp.StageBody, p.body.readFinalReplies(s.g)
}

// waitForHead waits for the first unanswered message; nil if there will be none.
func (s *bdatWindow) waitForHead() *pendingTransaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) == 0 && !s.closed {
		s.changed.Wait()
	}
	if len(s.queue) == 0 {
		return nil
	}
	return s.queue[0]
}

// headHasLeft reports that the message whose replies are being read has been sent, so that their timeout
// starts.
func (s *bdatWindow) headHasLeft() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue) > 0 && s.queue[0].body.kernelHas()
}

// settleLost settles every message on the wire.
func (s *bdatWindow) settleLost(stage smtp.Stage, err error) {
	s.haltQueue()
	lost := s.run.c.markLost(stage, s.g.betterCause(err))
	_ = s.g.waitForEnd() // the writer knows how much was sent
	s.mu.Lock()
	queue := s.queue
	s.queue = nil
	s.mu.Unlock()
	for i, p := range queue {
		if i > 0 {
			stage = smtp.StageMail // no reply to it was read
		}
		p.body.settleLost(stage, lost.Err)
		s.run.yieldResult(p.x)
	}
}

// haltQueue prevents more messages from being queued.
func (s *bdatWindow) haltQueue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.haltLocked()
}

func (s *bdatWindow) haltLocked() {
	s.halted = true
	s.stop()
	s.changed.Broadcast()
}

// closeQueue says that no more messages will be queued.
func (s *bdatWindow) closeQueue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.changed.Broadcast()
}

// waitFor waits until a condition holds; it returns false if the window is halted before.
func (s *bdatWindow) waitFor(condition func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.halted && !condition() {
		s.changed.Wait()
	}
	return !s.halted
}
