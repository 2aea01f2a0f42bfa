package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// watched is the store that the delivery works on. A command can wake it, too: where
// it enqueued in a process of its own, the store here would notice that a moment
// later. And it knows when the lease was last renewed, which tells that the
// delivery's keeper lives.
type watched struct {
	outbox.Store
	now func() time.Time

	mu      sync.Mutex
	woke    chan struct{}
	renewed time.Time
}

func newWatched(s outbox.Store, now func() time.Time) *watched {
	return &watched{Store: s, now: now, woke: make(chan struct{})}
}

// Join is the first renewal.
func (w *watched) Join(ctx context.Context, worker queue.Worker, lease time.Duration) error {
	return w.renew(w.Store.Join(ctx, worker, lease))
}

// Renew notes the time.
func (w *watched) Renew(ctx context.Context, owner string, lease time.Duration) error {
	return w.renew(w.Store.Renew(ctx, owner, lease))
}

func (w *watched) renew(err error) error {
	if err == nil {
		w.mu.Lock()
		w.renewed = w.now()
		w.mu.Unlock()
	}
	return err
}

// sinceRenewed is how long ago the lease was renewed.
func (w *watched) sinceRenewed() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now().Sub(w.renewed)
}

// Wake is closed when the store's is, and by [watched.wake].
func (w *watched) Wake() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.woke
}

func (w *watched) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.woke)
	w.woke = make(chan struct{})
}

// follow hands on the store's own wakes until ctx is over. The next one is asked for
// before this one is handed on, so that none is missed in between.
func (w *watched) follow(ctx context.Context, next <-chan struct{}) error {
	for {
		select {
		case <-next:
			next = w.Store.Wake()
			w.wake()
		case <-ctx.Done():
			return nil
		}
	}
}
