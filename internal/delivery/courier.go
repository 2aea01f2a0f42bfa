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
	// linger is how long an idle account worker keeps its connections.
	linger = 5 * time.Second
	// noSlot is how long to wait if other workers have all connections.
	noSlot = 2 * time.Second
	// unroutable is how long an account rests that can't be used.
	unroutable = 5 * time.Minute
)

// courier sends the due messages of one account, over one transport, until none is due.
type courier struct {
	s       *shift
	d       *Delivery
	account string
	route   Route

	// over is done when no more messages may begin; its cause is the reason.
	over context.Context
	stop context.CancelCauseFunc

	marks    *markahead.Marker[*parcel]
	markRate markRate
	settler  *settler
	copies   *copier // nil if no copies are kept

	mu      sync.Mutex
	parcels []*parcel   // the messages that were handed to the transport, by index
	first   int         // the index of parcels[0]
	leased  int         // recipients that are not settled
	sends   atomic.Bool // a message reached a server
	// rate is the number of recipients settled in a second, lately.
	rate tempo
}

func newCourier(s *shift, account string) *courier {
	c := &courier{s: s, d: s.d, account: account}
	c.over, c.stop = context.WithCancelCause(s.over)
	c.marks = newMarker(c)
	c.settler = newSettler(c)
	return c
}

// why returns the reason why no more messages may begin.
func (c *courier) why() error { return context.Cause(c.over) }

func (c *courier) inFlight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leased
}

// work sends until no message is due, the account is paused, or the session is over.
func (c *courier) work() {
	defer c.stop(nil)
	defer c.settler.close()
	var err error
	if c.route, err = c.d.o.Route(c.over, c.account); err != nil {
		c.cantBeUsed(err)
		return
	}
	slots, ok := c.slots()
	if !ok {
		return
	}
	defer c.giveSlotsBack()
	sender, err := c.route.Open(c.over, slots)
	if err != nil {
		c.cantBeUsed(err)
		return
	}
	defer func() { _ = sender.Close() }() // sends QUIT, when nothing can be lost any more
	c.carry(sender)
}

// slots reserves connections for this process and returns their number.
func (c *courier) slots() (n int, ok bool) {
	want := c.route.Connections
	if want <= 0 {
		want = 2
	}
	n, err := c.d.o.Store.Slots(c.over, c.s.owner, c.account, want, c.route.MostConnections)
	if c.over.Err() != nil {
		c.giveSlotsBack() // no later account worker may come to replace the reservation
		return 0, false
	}
	if errors.Is(err, outbox.ErrLapsed) {
		c.s.end(errLapsed)
		return 0, false
	}
	if !c.d.used(err) || n <= 0 {
		c.again(noSlot)
		return 0, false
	}
	return n, true
}

func (c *courier) giveSlotsBack() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.over), c.d.o.Grace)
	defer cancel()
	_, err := c.d.o.Store.Slots(ctx, c.s.owner, c.account, 0, c.route.MostConnections)
	if err != nil && !errors.Is(err, outbox.ErrLapsed) {
		c.d.used(err)
	}
}

// again sets when another account worker of this account may start.
func (c *courier) again(in time.Duration) {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	c.d.retryAt[c.account] = c.d.o.Now().Add(in)
}

// cantBeUsed lets an account rest whose settings or secret can't be used on this machine;
// another machine may have the right ones.
func (c *courier) cantBeUsed(err error) {
	if c.over.Err() != nil {
		return
	}
	c.d.restHere(c.account, unroutable, queue.Answer{Err: excerpt.Octets(err.Error(), mostAnswer)})
	c.d.o.Observe(Event{Kind: NoRoute, Account: c.account, Err: err, For: unroutable})
	c.stop(errPaused)
}

// pause pauses the account, and reports it if it was not paused before: for all workers if the
// server asked for it, otherwise in this process.
func (c *courier) pause(rest time.Duration, why queue.Answer) {
	if why.Reply.IsZero() {
		c.d.restHere(c.account, rest, why)
		c.d.o.Observe(Event{Kind: Paused, Account: c.account, For: rest, Answer: why, Here: true})
		c.stop(errPaused)
		return
	}
	began, err := c.d.o.Store.Pause(c.s.hard, outbox.Pause{Account: c.account, For: rest, Answer: why})
	if !c.d.used(err) {
		c.again(min(rest, unroutable)) // at least this process pauses
	}
	if began {
		c.d.o.Observe(Event{Kind: Paused, Account: c.account, For: rest, Answer: why})
	}
	c.stop(errPaused)
}

// carry hands the messages to the transport and settles their results.
func (c *courier) carry(sender Sender) {
	c.copies = newCopier(c)
	defer c.copies.close()
	feed := func(yield func(smtpclient.Transaction) bool) {
		c.s.guarded("the feeder of an account", func() { c.feed(yield) })
	}
	for index, result := range sender.SendAll(c.s.hard, feed) {
		c.took(index, result)
	}
	c.marks.Wait()
}

// took handles the result of a message.
func (c *courier) took(index int, result smtpclient.Result) {
	c.mu.Lock()
	p := c.parcels[index-c.first]
	p.done = true
	for len(c.parcels) > 0 && c.parcels[0].done {
		c.parcels[0] = nil
		c.parcels = c.parcels[1:]
		c.first++
	}
	c.mu.Unlock()
	p.close()
	p.mark.Done()
	c.settle(p, result)
}

// tempo measures events per second, over about the last second.
type tempo struct {
	began time.Time
	n     int
	last  float64
}

func (t *tempo) add(now time.Time, n int) {
	if t.began.IsZero() {
		t.began = now
	}
	t.n += n
	if took := now.Sub(t.began); took >= time.Second {
		t.last, t.began, t.n = float64(t.n)/took.Seconds(), now, 0
	}
}

// perSecond returns the rate of the last full second, or of the first one so far.
func (t *tempo) perSecond() int { return max(int(t.last), t.n) }
