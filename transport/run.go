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

// run is one SendAll with three kinds of goroutines: the feeder queues the caller's messages,
// workers send them, and the caller takes the results.
type run struct {
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

func (s *SMTP) newRun(ctx context.Context) *run {
	r := &run{s: s, ctx: ctx, ahead: max(minQueue, positive(s.cfg.Window.Messages, 32))}
	r.room, r.news = sync.NewCond(&r.mu), sync.NewCond(&r.mu)
	r.opening, r.cancel = context.WithCancel(ctx)
	r.stop = context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.end(context.Cause(ctx))
	})
	return r
}

// feed ranges over the caller's messages. A panic or Goexit in there is passed to the caller's
// goroutine.
func (r *run) feed(messages iter.Seq[smtpclient.Transaction]) {
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
		if !r.add(&delivery{index: i, t: r.s.prepared(t)}) {
			break
		}
		i++
	}
	returned = true
}

// rethrow ends the caller's goroutine as the iterator ended the feeder's.
func (r *run) rethrow() {
	if r.panicked != nil {
		panic(r.panicked)
	}
	if r.goexited {
		runtime.Goexit()
	}
}

// add queues a message, and waits until there is room for the next. It reports whether another is
// wanted.
func (r *run) add(d *delivery) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing && r.cause == nil {
		return false
	}
	r.taken++
	switch {
	case r.closing:
		d.fail(r.cause)
		r.settle(d)
	case d.t.Envelope.Len() == 0:
		r.settle(d)
	case r.down():
		d.fail(r.failure)
		r.settle(d)
	default:
		r.queue.push(d)
		if len(r.workers) == 0 {
			r.startWorker()
		} else {
			r.wakeOne()
		}
	}
	if r.full(1) {
		r.startWorkerIfBusy()
		// It waits until half of the queue is sent: waking a goroutine for every message would
		// cost more than the message.
		for !r.closing && r.full(2) {
			r.room.Wait()
		}
	}
	return !r.closing
}

// full reports whether the queue, or half of it, is full. Results that the caller has not taken
// count, so that memory is limited while the caller is slow.
func (r *run) full(part int) bool {
	return r.queue.len()+len(r.ready) > 0 && r.queue.len()+len(r.ready) >= r.ahead*max(1, len(r.workers))/part
}

// down reports whether messages that come now are not tried.
func (r *run) down() bool {
	if r.failure != nil && !r.retry.IsZero() && !time.Now().Before(r.retry) {
		r.failure = nil
	}
	return r.failure != nil
}

// fail settles all waiting messages, because there is no connection.
func (r *run) fail(err error, lasts bool) {
	r.failure, r.retry = err, time.Time{}
	if !lasts {
		r.retry = time.Now().Add(min(firstPause<<min(r.failures, 16), longPause))
		r.failures++
	}
	r.failQueued(err)
}

func (r *run) failQueued(err error) {
	for _, q := range []*fifo[*delivery]{&r.alone, &r.again, &r.queue} {
		for q.len() > 0 {
			d := q.pop()
			d.fail(err)
			r.settle(d)
		}
	}
	r.room.Signal()
}

// end settles all waiting messages and stops the run, because ctx is done.
func (r *run) end(cause error) {
	if r.closing {
		return
	}
	r.closing, r.cause = true, cause
	r.failQueued(cause)
	r.wakeAll()
}

// settle passes a message's result to the caller.
func (r *run) settle(d *delivery) {
	r.taken--
	r.ready = append(r.ready, done{d.index, d.result})
	if len(r.ready) == 1 || r.taken == 0 {
		r.news.Signal()
	}
	if r.over() {
		r.wakeAll()
	}
}

// over reports whether no messages are, or will be, left to send.
func (r *run) over() bool { return r.closing || r.fed && r.taken == 0 }

// results waits for results and returns all of them; nil at the end. batch is the previous slice,
// to be reused.
func (r *run) results(batch []done) []done {
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
	if !r.full(2) {
		r.room.Signal()
	}
	return batch
}

// tell yields the results as they come.
func (r *run) tell(yield func(int, smtpclient.Result) bool) {
	var batch []done
	for {
		if batch = r.results(batch); batch == nil {
			return
		}
		for i := range batch {
			if !yield(batch[i].index, batch[i].result) {
				return
			}
		}
	}
}

// close takes no more messages and waits for those on the wire.
func (r *run) close() {
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
func (r *run) startWorker() {
	w := &worker{run: r, wake: make(chan struct{}, 1)}
	r.workers = append(r.workers, w)
	r.dialing++ // until its first connection
	r.working.Go(w.work)
}

// startWorkerIfBusy starts another worker if the queue would be sent sooner with it. The first
// connection is opened alone, as its login may be refused; then at most
// as many at a time as are open.
func (r *run) startWorkerIfBusy() {
	if r.closing || r.queue.len() < minQueueForNewConn || len(r.workers) >= r.s.pace.bound() ||
		r.dialing > 0 && r.dialing >= len(r.workers)-r.dialing {
		return
	}
	if r.enough.IsZero() || !time.Now().Before(r.enough) {
		r.startWorker()
	}
}

// wakeOne wakes a worker that can take a message; wakeAll wakes all of them, because another
// condition has changed.
func (r *run) wakeOne() {
	for _, w := range r.workers {
		if w.asleep && w.takes() {
			w.rouse()
			return
		}
	}
}

func (r *run) wakeAll() {
	for _, w := range r.workers {
		w.rouse()
	}
}
