package smtpclient

import (
	"cmp"
	"context"
	"iter"
	"time"

	"github.com/yanmail/yan/smtp"
)

// Source supplies a run with messages, in order. One goroutine at a time calls it, not
// necessarily the one that started the run.
type Source interface {
	// Next returns the next message. With wait it blocks until there is one; ok is false if no
	// message will come any more or ctx is done. Without wait it must not block, and ok is false if
	// there is none at this moment.
	Next(ctx context.Context, wait bool) (t Transaction, ok bool)
}

// pulled is a Source made from an iterator.
type pulled func() (Transaction, bool)

func (p pulled) Next(context.Context, bool) (Transaction, bool) { return p() }

// Window limits the messages of a run that are on the wire without a reply: so many are
// in doubt if the connection is lost.
type Window struct {
	Messages int   // 0 means 32; 1 sends one message after the other
	Bytes    int64 // 0 means 1,000,000; a longer message is sent alone
}

func (w Window) withDefaults() Window {
	return Window{Messages: cmp.Or(max(w.Messages, 0), 32), Bytes: cmp.Or(max(w.Bytes, 0), 1_000_000)}
}

// Run sends messages in order, overlapped as far as the server and Config.Window allow. It
// yields one Result for each message that it takes, in order, as the replies come. While
// the iterator blocks, so does the run.
//
// Run takes no more messages after the connection is lost or [Conn.Spent], or after a reply 421;
// messages that it had already taken get their results, those after the loss with Lost set. If the
// loop breaks, Run takes no more messages, sends those it has taken and waits for their replies. If
// the loop panics, the connection is closed. During the loop the run owns the connection: Send
// would block for ever, and Quit is Close.
func (c *Conn) Run(ctx context.Context, messages iter.Seq[Transaction]) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		next, stop := iter.Pull(messages)
		defer stop()
		c.RunSource(ctx, pulled(next))(yield)
	}
}

// RunSource is [Conn.Run] for a source whose messages arrive over time. While the run
// waits for one, the connection is parked.
func (c *Conn) RunSource(ctx context.Context, source Source) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		c.busy.Lock()
		defer c.busy.Unlock()
		defer c.w.useContext(ctx)()
		r := &connRun{c: c, ctx: ctx, messages: source, yield: yield}
		r.carryOut()
	}
}

// connRun is a Run in progress.
type connRun struct {
	c            *Conn
	ctx          context.Context
	messages     Source
	yield        func(Result) bool
	exhausted    bool         // no more messages are taken
	consumerGone bool         // the loop over the results has ended
	waiting      *transaction // taken, but not begun
}

func (r *connRun) carryOut() {
	settled := false
	defer func() {
		// After a panic of the loop or the source, unread replies remain, which must not be read
		// as replies to another message.
		if !settled || r.c.closing.Code != 0 {
			r.c.Close()
		}
	}()
	first := true
	for x := r.nextMessage(); x != nil; x = r.nextMessage() {
		switch {
		case !first && r.c.Spent():
			x.failUnsent(smtp.StageMail, errSpent)
			r.yieldResult(x)
		case !x.beginMessage(r.ctx):
			r.yieldResult(x)
		case r.canOverlap(x) && r.peekMessage() != nil:
			r.sendOverlapped(x)
		default:
			r.sendSequence(x)
		}
		first = false
	}
	settled = true
}

// nextMessage waits for the next message; it returns nil after the last.
func (r *connRun) nextMessage() *transaction {
	x := r.waiting
	r.waiting = nil
	switch {
	case x != nil:
		if r.c.closing.Code != 0 { // it arrived while x waited
			r.c.Close()
		}
		r.c.checkAlive() // if it fails, the message is settled with the error
		return x
	case r.hasEnded():
		return nil
	}
	t, ok := r.messages.Next(r.ctx, false)
	if !ok {
		r.c.Park()
		if t, ok = r.messages.Next(r.ctx, true); !ok {
			r.c.parked, r.exhausted = time.Time{}, true
			return nil
		}
		r.c.checkAlive() // if it fails, the message is settled with the error
	}
	return r.c.newTransaction(t)
}

// hasEnded reports whether no more messages may be taken.
func (r *connRun) hasEnded() bool {
	return r.exhausted || r.c.broken.Load() || r.c.closing.Code != 0 || r.c.Spent() || r.ctx.Err() != nil
}

// peekMessage returns the next message if it is available now.
func (r *connRun) peekMessage() *transaction {
	if r.waiting == nil && !r.hasEnded() {
		if t, ok := r.messages.Next(r.ctx, false); ok {
			r.waiting = r.c.newTransaction(t)
		}
	}
	return r.waiting
}

// yieldResult yields the result of a message.
func (r *connRun) yieldResult(x *transaction) {
	if x.Progress != nil {
		r.c.out.unwatch(x)
	}
	if !r.consumerGone && !r.yield(x.makeResult()) {
		r.consumerGone, r.exhausted = true, true
	}
}

// usesPipelining reports whether commands may share a flight.
func (c *Conn) usesPipelining() bool { return c.caps.Has("PIPELINING") && !c.cfg.NoPipelining }

// sendSequence sends x and the following messages, as long as the opening of each can share
// the flight of the message before it.
func (r *connRun) sendSequence(x *transaction) {
	for opened := false; x != nil; opened = true {
		f := x.sendEnvelope(opened)
		if f == nil {
			r.yieldResult(x)
			return
		}
		if f.next = r.nextFollower(x); f.next != nil {
			if x.chunking {
				// The message may be refused, and the state after a refused chunk is not specified;
				// see bdatWindow.
				f.after = []command{{stage: smtp.StageReset}}
			}
			f.next.early = !x.chunking
			f.after = f.next.appendOpening(f.after)
		}
		told := false
		ok := f.roundTrip(func(x *transaction) {
			told = true
			r.yieldResult(x)
		})
		if !told {
			r.yieldResult(x)
		}
		if x = f.next; x != nil && !ok {
			r.yieldResult(x)
			return
		}
	}
}

// nextFollower returns the next message if its opening can share a flight with x, the message
// before it.
//
// After a BDAT it can: the chunk has a length. After the dot of DATA it can only at servers known
// to read on there. QUIRK: Haraka refuses commands that came before its reply to the dot, Courier
// and chasquid lose them, and others add them to the message.
func (r *connRun) nextFollower(x *transaction) *transaction {
	if !r.c.usesPipelining() || r.c.cfg.Window.Messages == 1 || r.consumerGone || !x.chunking && !r.c.readsOn() {
		return nil
	}
	y := r.peekMessage()
	if y == nil || y.StopAfter != "" || y.checkMessage() != nil || r.canOverlap(y) {
		return nil
	}
	r.waiting = nil
	return y
}
