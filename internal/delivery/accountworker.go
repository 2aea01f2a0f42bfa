package delivery

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/internal/markahead"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/text/excerpt"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtpclient"
)

const (
	// idleTime is how long an idle account worker keeps its connections.
	idleTime = 5 * time.Second
	// noSlot is how long to wait if other workers have all connections.
	noSlot = 2 * time.Second
	// unroutable is how long an account rests that can't be used.
	unroutable = 5 * time.Minute
)

// accountWorker sends the due messages of one account, over one transport, until none is due.
type accountWorker struct {
	s       *leaseSession
	d       *Delivery
	account string
	route   Route

	// over is done when no more messages may begin; its cause is the reason.
	over context.Context
	stop context.CancelCauseFunc

	marks    *markahead.Marker[*queuedMessage]
	markRate markRate
	settler  *settler
	copies   *copier // nil if no copies are kept

	mu       sync.Mutex
	messages []*queuedMessage // the messages that were handed to the transport, by index
	first    int              // the index of messages[0]
	leased   int              // recipients that are not settled
	sends    atomic.Bool      // a message reached a server
	// rate is the number of recipients settled in a second, lately.
	rate rateMeter
}

func newAccountWorker(s *leaseSession, account string) *accountWorker {
	c := &accountWorker{s: s, d: s.d, account: account}
	c.over, c.stop = context.WithCancelCause(s.over)
	c.marks = newMarker(c)
	c.settler = newSettler(c)
	return c
}

// stopCause returns the reason why no more messages may begin.
func (c *accountWorker) stopCause() error { return context.Cause(c.over) }

func (c *accountWorker) inFlight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leased
}

// sendDue sends until no message is due, the account is paused, or the session is over.
func (c *accountWorker) sendDue() {
	defer c.stop(nil)
	defer c.settler.close()
	var err error
	if c.route, err = c.d.o.Route(c.over, c.account); err != nil {
		c.pauseUnusable(err)
		return
	}
	slots, ok := c.reserveSlots()
	if !ok {
		return
	}
	defer c.returnSlots()
	sender, err := c.route.Open(c.over, slots)
	if err != nil {
		c.pauseUnusable(err)
		return
	}
	defer func() { _ = sender.Close() }() // sends QUIT, when nothing can be lost any more
	c.sendMessages(sender)
}

// reserveSlots reserves connections for this process and returns their number.
func (c *accountWorker) reserveSlots() (n int, ok bool) {
	want := c.route.Connections
	if want <= 0 {
		want = 2
	}
	n, err := c.d.o.Store.Slots(c.over, c.s.owner, c.account, want, c.route.MostConnections)
	if c.over.Err() != nil {
		c.returnSlots() // no later account worker may come to replace the reservation
		return 0, false
	}
	if errors.Is(err, outbox.ErrLapsed) {
		c.s.end(errLapsed)
		return 0, false
	}
	if !c.d.recordUse(err) || n <= 0 {
		c.retryLater(noSlot)
		return 0, false
	}
	return n, true
}

func (c *accountWorker) returnSlots() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.over), c.d.o.Grace)
	defer cancel()
	_, err := c.d.o.Store.Slots(ctx, c.s.owner, c.account, 0, c.route.MostConnections)
	if err != nil && !errors.Is(err, outbox.ErrLapsed) {
		c.d.recordUse(err)
	}
}

// retryLater sets when another account worker of this account may start.
func (c *accountWorker) retryLater(in time.Duration) {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	c.d.retryAt[c.account] = c.d.o.Now().Add(in)
}

// pauseUnusable lets an account rest whose settings or secret can't be used on this machine;
// another machine may have the right ones.
func (c *accountWorker) pauseUnusable(err error) {
	if c.over.Err() != nil {
		return
	}
	c.d.pauseHere(c.account, unroutable, queue.Answer{Err: excerpt.Octets(err.Error(), mostAnswer)})
	c.d.o.Observe(WorkerEvent{Kind: NoRoute, Account: c.account, Err: err, For: unroutable})
	c.stop(errPaused)
}

// pauseAccount pauses the account, and reports it if it was not paused before: for all workers if the
// server asked for it, otherwise in this process.
func (c *accountWorker) pauseAccount(rest time.Duration, why queue.Answer) {
	if why.Reply.IsZero() {
		c.d.pauseHere(c.account, rest, why)
		c.d.o.Observe(WorkerEvent{Kind: Paused, Account: c.account, For: rest, Answer: why, Here: true})
		c.stop(errPaused)
		return
	}
	began, err := c.d.o.Store.Pause(c.s.hard, outbox.Pause{Account: c.account, For: rest, Answer: why})
	if !c.d.recordUse(err) {
		c.retryLater(min(rest, unroutable)) // at least this process pauses
	}
	if began {
		c.d.o.Observe(WorkerEvent{Kind: Paused, Account: c.account, For: rest, Answer: why})
	}
	c.stop(errPaused)
}

// sendMessages hands the messages to the transport and settles their results.
func (c *accountWorker) sendMessages(sender TransactionSender) {
	c.copies = newCopier(c)
	defer c.copies.close()
	feed := func(yield func(smtpclient.Transaction) bool) {
		c.s.runGuarded("the feeder of an account", func() { c.claimLoop(yield) })
	}
	for index, result := range sender.SendAll(c.s.hard, feed) {
		c.handleResult(index, result)
	}
	c.marks.Wait()
}

// handleResult handles the result of a message.
func (c *accountWorker) handleResult(index int, result smtpclient.Result) {
	c.mu.Lock()
	p := c.messages[index-c.first]
	p.done = true
	for len(c.messages) > 0 && c.messages[0].done {
		c.messages[0] = nil
		c.messages = c.messages[1:]
		c.first++
	}
	c.mu.Unlock()
	p.closeBody()
	p.mark.Done()
	c.settleResult(p, result)
}

// rateMeter measures events per second, over about the last second.
type rateMeter struct {
	began time.Time
	n     int
	last  float64
}

func (t *rateMeter) addCount(now time.Time, n int) {
	if t.began.IsZero() {
		t.began = now
	}
	t.n += n
	if took := now.Sub(t.began); took >= time.Second {
		t.last, t.began, t.n = float64(t.n)/took.Seconds(), now, 0
	}
}

// perSecond returns the rate of the last full second, or of the first one so far.
func (t *rateMeter) perSecond() int { return max(int(t.last), t.n) }
