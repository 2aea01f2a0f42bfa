package transport

import (
	"context"
	"iter"
	"runtime"
	"sync"
	"time"

	"github.com/yanmail/yan/smtpclient"
)

const (
	// minQueue is the minimum number of messages queued per connection, so that they are composed
	// while others are sent.
	minQueue = 8
	// minQueueForNewConn: a new connection costs about 8 round trips and pays off from 8
	// queued messages on.
	minQueueForNewConn = 8
	// maxLosses is how many connections one message may cost.
	maxLosses = 2
	// maxFruitless is how many connections in a row may be lost before anything was decided on
	// them: three messages that each break their connections are tolerated.
	maxFruitless = 2 * 3
)

// batchRun is one SendAll with three kinds of goroutines: the feeder queues the caller's messages,
// workers send them, and the caller takes the results.
type batchRun struct {
	s     *SMTP
	ctx   context.Context // the caller's
	ahead int             // queued messages per connection

	// opening is cancelled when no more connections are needed.
	opening context.Context
	cancel  context.CancelFunc
	stop    func() bool // stops watching ctx

	mu   sync.Mutex
	room *sync.Cond // the feeder waits on it
	news *sync.Cond // the caller waits on it

	queue fifo[*delivery] // not tried yet
	again fifo[*delivery] // sent before queue
	alone fifo[*delivery] // each may have cost a connection
	taken int             // taken from the iterator and not settled
	ready []done
	// fed says that the feeder has ended, closing that no more messages are sent, and cause is
	// the error of messages that were taken but not tried.
	fed, closing bool
	cause        error

	workers []*worker
	working sync.WaitGroup
	dialing int  // workers waiting for a connection
	carried bool // there was a connection
	// enough is the time until which no more workers are started: the last one got no connection,
	// and the others have one.
	enough time.Time
	// fruitless is the number of connections in a row that were lost without a decision.
	fruitless int
	// failure is the error of the last connection attempt; messages that come before retry are
	// not tried. retry is zero if the failure is permanent; failures counts them.
	failure  error
	retry    time.Time
	failures int

	panicked any
	goexited bool
	broken   bool // a worker panicked: its messages are not settled
}

// done is the result of one message.
type done struct {
	index  int
	result smtpclient.Result
}

func (s *SMTP) newRun(ctx context.Context) *batchRun {
	r := &batchRun{s: s, ctx: ctx, ahead: max(minQueue, positiveOr(s.cfg.Window.Messages, 32))}
	r.room, r.news = sync.NewCond(&r.mu), sync.NewCond(&r.mu)
	r.opening, r.cancel = context.WithCancel(ctx)
	r.stop = context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.endRun(context.Cause(ctx))
	})
	return r
}

// feedMessages ranges over the caller's messages. A panic or Goexit in there is passed to the caller's
// goroutine.
func (r *batchRun) feedMessages(messages iter.Seq[smtpclient.Transaction]) {
	returned := false
	defer func() {
		panicked := recover()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.fed, r.goexited = true, !returned && panicked == nil
		if panicked != nil {
			r.panicked = panicked
		}
		r.news.Signal()
		if r.taken == 0 {
			r.wakeAll()
		}
	}()
	i := 0
	for t := range messages {
		if !r.addMessage(&delivery{index: i, t: r.s.prepareTransaction(t)}) {
			break
		}
		i++
	}
	returned = true
}

// rethrowPanic ends the caller's goroutine as the iterator ended the feeder's.
func (r *batchRun) rethrowPanic() {
	if r.panicked != nil {
		panic(r.panicked)
	}
	if r.goexited {
		runtime.Goexit()
	}
}

// addMessage queues a message, and waits until there is room for the next. It reports whether another is
// wanted.
func (r *batchRun) addMessage(d *delivery) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing && r.cause == nil {
		return false
	}
	r.taken++
	switch {
	case r.closing:
		d.failRemaining(r.cause)
		r.settleMessage(d)
	case d.t.Envelope.Len() == 0:
		r.settleMessage(d)
	case r.isDown():
		d.failRemaining(r.failure)
		r.settleMessage(d)
	default:
		r.queue.push(d)
		if len(r.workers) == 0 {
			r.startWorker()
		} else {
			r.wakeOne()
		}
	}
	if r.isFull(1) {
		r.startWorkerIfBusy()
		// It waits until half of the queue is sent: waking a goroutine for every message would
		// cost more than the message.
		for !r.closing && r.isFull(2) {
			r.room.Wait()
		}
	}
	return !r.closing
}

// isFull reports whether the queue, or half of it, is full. Results that the caller has not taken
// count, so that memory is limited while the caller is slow.
func (r *batchRun) isFull(part int) bool {
	return r.queue.len()+len(r.ready) > 0 && r.queue.len()+len(r.ready) >= r.ahead*max(1, len(r.workers))/part
}

// isDown reports whether messages that come now are not tried.
func (r *batchRun) isDown() bool {
	if r.failure != nil && !r.retry.IsZero() && !time.Now().Before(r.retry) {
		r.failure = nil
	}
	return r.failure != nil
}

// failWaiting settles all waiting messages, because there is no connection.
func (r *batchRun) failWaiting(err error, lasts bool) {
	r.failure, r.retry = err, time.Time{}
	if !lasts {
		r.retry = time.Now().Add(min(firstPause<<min(r.failures, 16), longPause))
		r.failures++
	}
	r.failQueued(err)
}

func (r *batchRun) failQueued(err error) {
	for _, q := range []*fifo[*delivery]{&r.alone, &r.again, &r.queue} {
		for q.len() > 0 {
			d := q.pop()
			d.failRemaining(err)
			r.settleMessage(d)
		}
	}
	r.room.Signal()
}

// endRun settles all waiting messages and stops the run, because ctx is done.
func (r *batchRun) endRun(cause error) {
	if r.closing {
		return
	}
	r.closing, r.cause = true, cause
	r.failQueued(cause)
	r.wakeAll()
}

// settleMessage passes a message's result to the caller.
func (r *batchRun) settleMessage(d *delivery) {
	r.taken--
	r.ready = append(r.ready, done{d.index, d.result})
	if len(r.ready) == 1 || r.taken == 0 {
		r.news.Signal()
	}
	if r.isOver() {
		r.wakeAll()
	}
}

// isOver reports whether no messages are, or will be, left to send.
func (r *batchRun) isOver() bool { return r.closing || r.fed && r.taken == 0 }

// takeResults waits for results and returns all of them; nil at the end. batch is the previous slice,
// to be reused.
func (r *batchRun) takeResults(batch []done) []done {
	clear(batch)
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.ready) == 0 {
		if r.broken || r.fed && r.taken == 0 {
			return nil
		}
		r.news.Wait()
	}
	batch, r.ready = r.ready, batch[:0]
	if !r.isFull(2) {
		r.room.Signal()
	}
	return batch
}

// yieldResults yields the results as they come.
func (r *batchRun) yieldResults(yield func(int, smtpclient.Result) bool) {
	var batch []done
	for {
		if batch = r.takeResults(batch); batch == nil {
			return
		}
		for i := range batch {
			if !yield(batch[i].index, batch[i].result) {
				return
			}
		}
	}
}

// closeRun takes no more messages and waits for those on the wire.
func (r *batchRun) closeRun() {
	r.stop()
	r.mu.Lock()
	r.closing = true
	r.queue, r.again, r.alone = fifo[*delivery]{}, fifo[*delivery]{}, fifo[*delivery]{}
	r.room.Signal()
	r.wakeAll()
	r.mu.Unlock()
	r.cancel()
	r.working.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.fed {
		r.news.Wait()
	}
}

// startWorker starts another worker.
func (r *batchRun) startWorker() {
	w := &worker{run: r, wake: make(chan struct{}, 1)}
	r.workers = append(r.workers, w)
	r.dialing++ // until its first connection
	r.working.Go(w.runLoop)
}

// startWorkerIfBusy starts another worker if the queue would be sent sooner with it. The first
// connection is opened alone, as its login may be refused; then at most
// as many at a time as are open.
func (r *batchRun) startWorkerIfBusy() {
	if r.closing || r.queue.len() < minQueueForNewConn || len(r.workers) >= r.s.pace.connectionBound() ||
		r.dialing > 0 && r.dialing >= len(r.workers)-r.dialing {
		return
	}
	if r.enough.IsZero() || !time.Now().Before(r.enough) {
		r.startWorker()
	}
}

// wakeOne wakes a worker that can take a message; wakeAll wakes all of them, because another
// condition has changed.
func (r *batchRun) wakeOne() {
	for _, w := range r.workers {
		if w.asleep && w.canTake() {
			w.wakeUp()
			return
		}
	}
}

func (r *batchRun) wakeAll() {
	for _, w := range r.workers {
		w.wakeUp()
	}
}
