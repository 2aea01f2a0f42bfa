package transport

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// maxDials is how often a worker tries to get another connection after the server ended its own.
const maxDials = 3

// worker sends messages of a run, over one connection at a time. It is the source of that
// connection's run.
type worker struct {
	run  *batchRun
	wake chan struct{}

	// The following fields are guarded by batchRun.mu.
	asleep bool
	link   *pooledConn
	// flight are the transactions on the wire, in order.
	flight fifo[part]
	// current is a message with remaining recipients, because they are too many for one
	// transaction.
	current *delivery
	// alone says that the message on the wire must be alone.
	alone bool
	// turn is the number of messages since the connection was got.
	turn int
	// decided says that something was decided on this connection, and explained that the cause of
	// its end is known.
	decided, explained bool
	last               smtp.Outcome // of the last undecided message
	dials              int          // failed in a row
	carries            bool         // its last attempt got a connection
	counted            bool         // counted in batchRun.dialing since its start
}

// runLoop sends messages until the run is over, or enough other workers do.
func (w *worker) runLoop() {
	r := w.run
	r.mu.Lock()
	defer r.mu.Unlock()
	w.counted = true
	for w.waitForWork() {
		if !w.counted {
			r.dialing++
		}
		w.counted = false
		r.mu.Unlock()
		l, panicked, err := w.getConn()
		r.mu.Lock()
		r.dialing--
		if panicked != nil {
			r.breakOff(panicked)
			break
		}
		if err != nil {
			if !w.withoutConnection(err) {
				break
			}
			continue
		}
		w.serve(l)
	}
	if w.counted {
		r.dialing--
	}
	w.deregister()
}

// waitForWork waits until there is a message that may be sent now. It returns false if
// none will come.
func (w *worker) waitForWork() bool {
	r := w.run
	for !r.isOver() {
		if r.ctx.Err() != nil {
			r.endRun(context.Cause(r.ctx))
			return false
		}
		if r.alone.len()+r.again.len()+r.queue.len() == 0 {
			w.sleepUntilWoken(r.ctx, 0)
			continue
		}
		wait, err := r.s.pace.readyIn()
		switch {
		case err != nil:
			r.failWaiting(err, false)
		case wait > 0:
			w.sleepUntilWoken(r.ctx, wait)
		default:
			return true
		}
	}
	return false
}

// serve sends queued messages over l until none fits, then returns l to the pool.
func (w *worker) serve(l *pooledConn) {
	r := w.run
	fresh := l.messages == 0
	r.carried, r.failures, w.dials, w.carries = true, 0, 0, true
	w.link, w.turn, w.alone, w.decided, w.explained = l, 0, false, false, false
	r.mu.Unlock()
	panicked := w.carryMessages(l)
	usable := panicked == nil && l.conn.Usable()
	if ended := w.catchPanic(func() { r.s.pool.putConn(l) }); panicked == nil {
		panicked = ended
	}
	r.mu.Lock()
	if panicked != nil {
		r.breakOff(panicked)
	}
	w.link = nil
	if d := w.current; d != nil {
		w.current = nil
		w.finishOrRequeue(d, false)
	}
	if !usable && fresh && !w.decided {
		if r.fruitless++; r.fruitless >= maxFruitless {
			r.fruitless = 0
			r.failWaiting(&smtp.Error{Stage: w.last.Stage, Reply: w.last.Reply, Err: w.last.Err}, false)
		}
	}
}

// carryMessages runs messages over a connection. A panic, in here or in the caller's content, is passed
// to the caller's goroutine: here it would end the process.
func (w *worker) carryMessages(l *pooledConn) (panicked *carried) {
	defer func() {
		if v := recover(); v != nil {
			panicked = &carried{value: v, stack: debug.Stack()}
			l.conn.Close() // within a transaction
		}
	}()
	for result := range l.conn.RunSource(w.run.ctx, w) {
		w.recordResult(result)
	}
	return nil
}

// getConn gets a connection. A panic in the caller's code, such as its FreshToken, is passed to
// the caller.
func (w *worker) getConn() (l *pooledConn, panicked *carried, err error) {
	panicked = w.catchPanic(func() { l, err = w.run.s.pool.getConn(w.run.opening) })
	return l, panicked, err
}

// catchPanic calls a function that may panic.
func (w *worker) catchPanic(do func()) (panicked *carried) {
	defer func() {
		if v := recover(); v != nil {
			var again bool
			if panicked, again = v.(*carried); !again {
				panicked = &carried{value: v, stack: debug.Stack()}
			}
		}
	}()
	do()
	return nil
}

// carried is a panic passed from a worker's goroutine to the caller's.
type carried struct {
	value any
	stack []byte
}

func (c *carried) String() string { return fmt.Sprint(c.value) }

// PanicStack returns the stack of the panic.
func (c *carried) PanicStack() []byte { return c.stack }

// breakOff ends the run with a panic of its caller. The caller holds r.mu.
func (r *batchRun) breakOff(panicked *carried) {
	if r.panicked == nil {
		r.panicked = panicked
	}
	r.broken = true
	r.endRun(errPanicked)
	r.news.Signal()
}

var errPanicked = errors.New("a goroutine of the transport panicked")

// withoutConnection decides what follows without a connection: others continue, or it is tried
// again, or nothing can be sent for now. It reports whether the worker continues.
func (w *worker) withoutConnection(err error) bool {
	r := w.run
	if r.ctx.Err() != nil {
		r.endRun(context.Cause(r.ctx))
		return false
	}
	if r.isOver() {
		return false
	}
	w.carries = false
	for _, other := range r.workers {
		if other.carries {
			r.enough = time.Now().Add(raiseEvery)
			return false
		}
	}
	f := diagnosis.Diagnose(diagnosis.FromError(err, r.s.server.Provider.ID))
	passes := f.Permanence == diagnosis.Temporary && !errors.Is(err, ErrClosed) && !errors.Is(err, ErrStopped)
	if passes && r.carried && w.dials < maxDials {
		// The server was reachable a moment ago.
		for until := time.Now().Add(firstPause << w.dials); !r.isOver(); {
			wait := time.Until(until)
			if wait <= 0 {
				break
			}
			w.sleepUntilWoken(r.ctx, wait)
		}
		w.dials++
		return true
	}
	w.dials = 0
	r.failWaiting(err, !passes)
	return true
}

// deregister removes the worker from the list.
func (w *worker) deregister() {
	r := w.run
	for i, other := range r.workers {
		if other == w {
			r.workers = append(r.workers[:i], r.workers[i+1:]...)
			break
		}
	}
	r.room.Signal()
}

// sleepUntilWoken waits for a wake-up, at most for d if that is positive. The lock is held before and
// after.
func (w *worker) sleepUntilWoken(ctx context.Context, d time.Duration) {
	w.asleep = true
	w.run.mu.Unlock()
	var late <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-w.wake:
	case <-late:
	case <-ctx.Done():
	}
	w.run.mu.Lock()
	if !w.asleep { // woken, perhaps at the same moment as by another event
		select {
		case <-w.wake:
		default:
		}
	}
	w.asleep = false
}

func (w *worker) wakeUp() {
	if w.asleep {
		w.asleep = false
		w.wake <- struct{}{}
	}
}

// recordResult records the result of the message that has been on the wire longest.
func (w *worker) recordResult(result smtpclient.Result) {
	r := w.run
	r.mu.Lock()
	p := w.flight.pop()
	r.mu.Unlock()
	v := r.s.assessResult(w.link, p, &result)
	r.mu.Lock()
	defer r.mu.Unlock()
	if v.decided {
		w.decided, r.fruitless = true, 0
	} else if n := len(result.Outcomes); n > 0 {
		w.last = result.Outcomes[n-1]
	}
	w.explained = w.explained || v.explained
	d := p.d
	d.recordResult(p, result, v.again)
	blamed := v.lost && !w.explained
	if blamed {
		// The first lost message is the most likely cause.
		w.explained = true
		d.losses++
	}
	if d.flying == 0 && (d != w.current || d.remaining() == 0) {
		if d == w.current {
			w.current = nil
		}
		w.finishOrRequeue(d, blamed)
	}
	if w.flight.len() == 0 {
		w.alone = false
		w.wakeUp()
	}
	r.startWorkerIfBusy()
}

// finishOrRequeue settles a message that has nothing on the wire, or queues the rest of it.
func (w *worker) finishOrRequeue(d *delivery, blamed bool) {
	r := w.run
	if r.ctx.Err() != nil {
		r.endRun(context.Cause(r.ctx))
	}
	switch {
	case d.flying > 0:
		return
	case d.remaining() == 0:
		r.settleMessage(d)
	case r.cause != nil:
		d.failRemaining(r.cause) // the error on the connection may be a different one
		r.settleMessage(d)
	case r.closing, d.losses >= maxLosses:
		d.giveUp(nil)
		r.settleMessage(d)
	case blamed:
		r.alone.push(d)
		r.wakeAll()
	default:
		r.again.push(d)
		r.wakeAll()
	}
}
