package transport

import (
	"context"
	"time"

	"github.com/yanmail/yan/smtpclient"
)

// Next returns the connection's next message. While there is none it waits as long as other
// messages are on the wire; an idle connection returns to the pool, which detects its end.
func (w *worker) Next(ctx context.Context, wait bool) (smtpclient.Transaction, bool) {
	r := w.run
	r.mu.Lock()
	for {
		p, pause, ok := w.takeMessage()
		if ok {
			r.mu.Unlock()
			return r.s.transactionOf(w.link, p), true
		}
		if !wait || w.flight.len() == 0 || r.closing || ctx.Err() != nil {
			r.mu.Unlock()
			return smtpclient.Transaction{}, false
		}
		w.sleepUntilWoken(ctx, pause)
	}
}

// takeMessage takes a message. pause is positive if there is one that must wait that long.
func (w *worker) takeMessage() (p part, pause time.Duration, ok bool) {
	r, s := w.run, w.run.s
	for {
		d := w.nextCandidate()
		if d == nil {
			return part{}, 0, false
		}
		limits := s.limits.withAnnounced(w.link.limits)
		wait, epoch, err := s.pace.admitMessage(d.nextCount(limits))
		if wait > 0 || err != nil {
			w.requeue(d)
			return part{}, wait, false
		}
		if p, err = d.takePart(limits); err != nil {
			d.failRemaining(err)
			r.settleMessage(d)
			continue
		}
		if d.remaining() > 0 {
			w.current = d
		}
		p.ordinal, p.epoch = w.link.messages, epoch
		w.link.messages++
		w.turn++
		w.flight.push(p)
		return p, 0, true
	}
}

// nextCandidate returns the next message for this connection.
func (w *worker) nextCandidate() *delivery {
	r := w.run
	if r.closing || w.isFull() {
		return nil
	}
	if d := w.current; d != nil {
		w.current = nil
		return d
	}
	switch {
	case w.hadItsTurn():
		return nil
	case r.alone.len() > 0 && w.flight.len() == 0:
		w.alone = true
		return r.alone.pop()
	case r.again.len() > 0:
		return r.again.pop()
	case r.queue.len() > 0:
		d := r.queue.pop()
		if !r.isFull(2) {
			r.room.Signal()
		}
		return d
	}
	return nil
}

// isFull reports whether the connection can take no other message.
func (w *worker) isFull() bool { return w.alone || !w.run.s.acceptsMore(w.link) }

// hadItsTurn reports whether others want the connection, too.
func (w *worker) hadItsTurn() bool { return w.turn >= w.run.ahead && w.run.s.pool.wanted.Load() > 0 }

// canTake reports whether this worker could send a queued message.
func (w *worker) canTake() bool { return w.link == nil || !w.isFull() && !w.hadItsTurn() }

// requeue puts a message back that may not be sent yet.
func (w *worker) requeue(d *delivery) {
	switch r := w.run; {
	case w.alone:
		w.alone = false
		r.alone.unpop(d)
	case d.begun:
		w.current = d
	default:
		r.queue.unpop(d)
	}
}
