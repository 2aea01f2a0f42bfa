package delivery

import (
	"errors"
	"fmt"
	"time"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

const (
	// leastClaim and mostClaim limit how many recipients are claimed at a time: as many as are
	// sent in about half a second, so that other machines get their share, but not fewer than
	// most servers accept in one transaction.
	leastClaim, mostClaim = 100, 512
	// firstClaim is how many are claimed before a server has answered, while very many
	// account workers are running.
	firstClaim = 10
	// claimBytes limits the bodies that come with a claim.
	claimBytes = 4 << 20
	// mostUnsettled is how many settlements may wait for the store before no more is claimed.
	mostUnsettled = 4096
)

// errPaused and errStopped are the errors of messages that were not begun.
var (
	errPaused  = localerr.New("the account is paused")
	errStopped = localerr.New("delivery stopped before this message")
	// errTaken: a user cancelled the message, or another worker has it.
	errTaken = localerr.New("the message was cancelled before it was sent")
)

// claimLoop claims ahead of the sending, and yields one message at a time to the transport.
func (c *accountWorker) claimLoop(yield func(smtpclient.Transaction) bool) {
	for c.over.Err() == nil {
		batch, ok := c.claimBatch()
		if !ok {
			return
		}
		for i := range batch.Items {
			if c.over.Err() != nil {
				c.requeueItems(batch.Items[i:])
				return
			}
			if !c.submit(&batch.Items[i], yield) {
				c.requeueItems(batch.Items[i+1:])
				return
			}
		}
		if len(batch.Items) == 0 && !c.waitForWork(batch.Wait) {
			return
		}
	}
}

// claimBatch leases due recipients; ok is false if the account worker should end.
func (c *accountWorker) claimBatch() (outbox.Batch, bool) {
	c.settler.waitForRoom(c.over)
	c.copies.waitForRoom(c.over)
	c.mu.Lock()
	n := min(max(c.rate.perSecond()/2, leastClaim), mostClaim)
	c.mu.Unlock()
	bytes := int64(claimBytes)
	if !c.sends.Load() && c.d.isCrowded() {
		n, bytes = firstClaim, 0 // its server may be dead, like many others
	}
	began := c.d.o.Now()
	batch, err := c.d.o.Store.Claim(c.s.hard, outbox.Claim{Owner: c.s.owner, Account: c.account, Recipients: n, Bytes: bytes, Pace: c.route.Pace})
	if errors.Is(err, outbox.ErrLapsed) {
		c.s.end(errLapsed)
		return batch, false
	}
	if !c.s.recordUse(err) {
		c.retryLater(time.Second)
		if !errors.Is(err, queue.ErrFull) {
			// The claim may have leased messages that this worker does not know of, until it
			// leaves.
			c.s.end(fmt.Errorf("%w: %w", errUncertain, err))
		}
		return batch, false
	}
	count := 0
	for i := range batch.Items {
		count += len(batch.Items[i].Recipients)
	}
	if count > 0 {
		c.mu.Lock()
		c.leased += count
		c.mu.Unlock()
		c.d.o.Observe(WorkerEvent{Kind: Claimed, Account: c.account, Count: count, Began: began, Took: c.d.o.Now().Sub(began)})
	}
	return batch, true
}

// waitForWork waits for work; it returns false if the account worker should end.
func (c *accountWorker) waitForWork(wait time.Duration) bool {
	if wait > idleTime {
		c.retryLater(wait)
		return false
	}
	if wait <= 0 {
		if c.s.drain {
			return false
		}
		wait = idleTime
		wake := c.d.o.Store.Wake()
		due, err := c.d.o.Store.Due(c.over)
		if err != nil {
			return false
		}
		for _, account := range due {
			if account.Account == c.account {
				wait = min(wait, account.In)
			}
		}
		if wait <= 0 {
			// Something is due that could not be claimed: another worker is claiming it.
			wait = 50 * time.Millisecond
		}
		if wait >= idleTime && c.inFlight() == 0 {
			select {
			case <-wake:
				return true
			case <-c.d.o.After(wait):
				return false
			case <-c.over.Done():
				return false
			}
		}
		select {
		case <-wake:
		case <-c.d.o.After(wait):
		case <-c.over.Done():
		}
		return c.over.Err() == nil
	}
	select {
	case <-c.d.o.After(wait):
	case <-c.over.Done():
	}
	return c.over.Err() == nil
}

// submit hands one message to the transport; it returns false if that wants no more.
func (c *accountWorker) submit(item *outbox.Item, yield func(smtpclient.Transaction) bool) bool {
	p := &queuedMessage{c: c, item: *item, since: c.d.o.Now()}
	to := make([]smtp.Address, len(item.Recipients))
	for i := range item.Recipients {
		to[i] = item.Recipients[i].Address
	}
	envelope, err := smtp.NewEnvelope(item.From, to...)
	if err == nil && !item.DSN.IsZero() {
		envelope, err = envelope.WithDSN(item.DSN)
	}
	if err != nil {
		c.holdUnreadable(p, err)
		return true
	}
	p.mark = c.marks.Add(p)
	c.mu.Lock()
	c.messages = append(c.messages, p)
	c.mu.Unlock()
	// The transport has the message now, whether or not it wants another.
	return yield(smtpclient.Transaction{Envelope: envelope, Content: p, Ready: p.checkReady,
		// A program that asks for notifications, such as mutt, does not know the provider.
		DropDSN: true})
}

// holdUnreadable settles a malformed message as Held, for a user to look at.
func (c *accountWorker) holdUnreadable(p *queuedMessage, err error) {
	settlements := make([]outbox.Settlement, 0, len(p.item.Recipients))
	for _, r := range p.item.Recipients {
		settlements = append(settlements, outbox.Settlement{Lease: p.leaseOf(r), State: queue.Held,
			Answer: queue.Answer{Err: err.Error()}})
	}
	c.settler.addSettlements(p, settlements)
}

// requeueItems requeues messages that were claimed and not begun.
func (c *accountWorker) requeueItems(items []outbox.Item) {
	for i := range items {
		p := &queuedMessage{c: c, item: items[i], since: c.d.o.Now()}
		var settlements []outbox.Settlement
		for _, r := range items[i].Recipients {
			settlements = append(settlements, outbox.Settlement{Lease: p.leaseOf(r), State: queue.Queued})
		}
		c.settler.addSettlements(p, settlements)
	}
}

// isCrowded reports whether more account workers are running than may send.
func (d *Delivery) isCrowded() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.workers) > mostWorkers
}
