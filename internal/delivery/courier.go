package delivery

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/internal/excerpt"
	"github.com/yanmail/yan/internal/markahead"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtpclient"
)

const (
	// linger is how long a courier with nothing to do keeps its connections for what
	// may come.
	linger = 5 * time.Second
	// noSlot is how long to wait for a connection that others have.
	noSlot = 2 * time.Second
	// unroutable is how long an account rests that can't be used.
	unroutable = 5 * time.Minute
)

// courier sends what is due of one account, over one transport, until nothing is
// due any more.
type courier struct {
	s       *shift
	d       *Delivery
	account string
	route   Route

	// over ends when nothing more is to be begun; its cause says why.
	over context.Context
	stop context.CancelCauseFunc

	marks    *markahead.Marker[*parcel]
	markRate markRate
	settler  *settler
	copies   *copier // nil where none are kept

	mu      sync.Mutex
	parcels []*parcel   // those that were handed to the transport, by index
	first   int         // the index of parcels[0]
	leased  int         // recipients that are not settled
	sends   atomic.Bool // a message reached a server
	// rate is what was settled of late, in recipients a second.
	rate tempo
}

func newCourier(s *shift, account string) *courier {
	c := &courier{s: s, d: s.d, account: account}
	c.over, c.stop = context.WithCancelCause(s.over)
	c.marks = newMarker(c)
	c.settler = newSettler(c)
	return c
}

// why is why nothing more is to be begun.
func (c *courier) why() error { return context.Cause(c.over) }

func (c *courier) inFlight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leased
}

// work sends until nothing is due, the account is paused, or the shift is over.
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
	defer func() { _ = sender.Close() }() // says QUIT, where nothing can be lost any more
	c.carry(sender)
}

// slots are the connections that this process may have.
func (c *courier) slots() (n int, ok bool) {
	want := c.route.Connections
	if want <= 0 {
		want = 2
	}
	n, err := c.d.o.Store.Slots(c.over, c.s.owner, c.account, want, c.route.MostConnections)
	if c.over.Err() != nil {
		c.giveSlotsBack() // no courier may follow that asks for them anew
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

// again is when another courier of this account is worth to begin.
func (c *courier) again(in time.Duration) {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	c.d.retryAt[c.account] = c.d.o.Now().Add(in)
}

// cantBeUsed lets an account rest whose settings or secret make no sense here:
// another machine may have them right.
func (c *courier) cantBeUsed(err error) {
	if c.over.Err() != nil {
		return
	}
	c.d.restHere(c.account, unroutable, queue.Answer{Err: excerpt.Octets(err.Error(), mostAnswer)})
	c.d.o.Observe(Event{Kind: NoRoute, Account: c.account, Err: err, For: unroutable})
	c.stop(errPaused)
}

// pause lets the account rest and says so where it did not: for all workers when the
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
		c.again(min(rest, unroutable)) // at least this process heeds it
	}
	if began {
		c.d.o.Observe(Event{Kind: Paused, Account: c.account, For: rest, Answer: why})
	}
	c.stop(errPaused)
}

// carry hands the messages to the transport and settles what comes of them.
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

// took settles a message.
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

// tempo measures how many things happen in a second, over about the last one.
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

// perSecond is the last full second's, or what there is of the first.
func (t *tempo) perSecond() int { return max(int(t.last), t.n) }
