package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// leaseWatch is the delivery's store. A command of another process can wake it: without that, the
// store would notice the new message a moment later. It also records when the lease was last
// renewed, which shows that the delivery's heartbeat runs.
type leaseWatch struct {
	outbox.Store
	now func() time.Time

	mu      sync.Mutex
	woke    chan struct{}
	renewed time.Time
}

func newLeaseWatch(s outbox.Store, now func() time.Time) *leaseWatch {
	return &leaseWatch{Store: s, now: now, woke: make(chan struct{})}
}

// Join counts as the first renewal.
func (w *leaseWatch) Join(ctx context.Context, worker queue.Worker, lease time.Duration) error {
	return w.renew(w.Store.Join(ctx, worker, lease))
}

// Renew renews the lease and notes the time.
func (w *leaseWatch) Renew(ctx context.Context, owner string, lease time.Duration) error {
	return w.renew(w.Store.Renew(ctx, owner, lease))
}

func (w *leaseWatch) renew(err error) error {
	if err == nil {
		w.mu.Lock()
		w.renewed = w.now()
		w.mu.Unlock()
	}
	return err
}

// sinceRenewed returns the time since the lease was renewed.
func (w *leaseWatch) sinceRenewed() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now().Sub(w.renewed)
}

// Wake returns a channel that is closed by the store's own wake or by [leaseWatch.wakeWaiters].
func (w *leaseWatch) Wake() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.woke
}

func (w *leaseWatch) wakeWaiters() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.woke)
	w.woke = make(chan struct{})
}

// forwardWakes forwards the store's wakes until ctx is done. It asks for the next channel before it
// forwards a wake, so that none is missed in between.
func (w *leaseWatch) forwardWakes(ctx context.Context, next <-chan struct{}) error {
	for {
		select {
		case <-next:
			next = w.Store.Wake()
			w.wakeWaiters()
		case <-ctx.Done():
			return nil
		}
	}
}
