package delivery

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/markahead"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// mostAhead limits how many messages are marked before their turn: as many more are in
// doubt when the machine stops.
const mostAhead = 64

// errMark wraps an error of the store that kept a message from being marked.
var errMark = errors.New("marking the message as being sent")

// newMarker returns the marker of the account worker's messages. The store marks them durably
// before they are sent. As many messages as are sent in the time of two syncs are marked in
// one commit, so that they do not wait for the disk.
func newMarker(c *accountWorker) *markahead.Marker[*queuedMessage] {
	return markahead.New(markahead.Options[*queuedMessage]{
		Commit: c.markBatch,
		Target: c.markRate.batchTarget,
		Began: func(p *queuedMessage) {
			p.since = c.d.o.Now()
			c.markRate.countMessage(c.d.o.Measure())
		},
		Guard: func(commit func()) { c.s.runGuarded("the marker of an account", commit) },
	})
}

// markBatch marks the recipients of a batch as being sent. It is cancelled when the grace period
// for messages in flight is over: none may begin after that.
func (c *accountWorker) markBatch(batch []*queuedMessage) []error {
	var leases []outbox.Lease
	for _, p := range batch {
		for _, r := range p.item.Recipients {
			leases = append(leases, p.leaseOf(r))
		}
	}
	began, start := c.d.o.Now(), c.d.o.Measure()
	lost, err := c.d.o.Store.Mark(c.s.hard, c.s.owner, leases)
	took := c.d.o.Now().Sub(began)
	c.markRate.countCommit(c.d.o.Measure().Sub(start))
	if c.s.recordUse(err) {
		c.d.o.Observe(WorkerEvent{Kind: Marked, Account: c.account, Count: len(leases), Began: began, Took: took})
	}
	taken := make(map[queue.ID]bool, len(lost))
	for _, l := range lost {
		taken[l.ID] = true
	}
	errs := make([]error, len(batch))
	for i, p := range batch {
		switch {
		case err != nil:
			errs[i] = fmt.Errorf("%w: %w", errMark, err)
		case taken[p.item.ID]:
			errs[i] = errTaken
		}
	}
	return errs
}

// markRate measures the time of a commit, and the interval between two messages.
type markRate struct {
	mu                sync.Mutex
	latency, interval time.Duration // recent averages
	last              time.Time     // when a message began
}

// countMessage counts a message that begins.
func (r *markRate) countMessage(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.last.IsZero() {
		r.interval = ewma(r.interval, now.Sub(r.last))
	}
	r.last = now
}

// countCommit counts a commit.
func (r *markRate) countCommit(took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.latency = ewma(r.latency, took)
}

// batchTarget returns how many messages to mark in one commit.
func (r *markRate) batchTarget() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.interval <= 0 || r.latency <= 0 {
		return 1
	}
	// Rounded: a message that waits for its own mark begins a little more than a
	// commit after the one before, and no second one would ever be marked with it.
	return min(max(int((2*r.latency+r.interval/2)/r.interval), 1), mostAhead)
}

// ewma returns an exponentially weighted moving average (weight 1/8).
func ewma(mean, next time.Duration) time.Duration {
	if mean == 0 {
		return next
	}
	return mean + (next-mean)/8
}
