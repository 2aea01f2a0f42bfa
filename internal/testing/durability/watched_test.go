package durability

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// watchedStore is one worker's view of a store. It reports each call, before and after it.
type watchedStore struct {
	outbox.Store
	// at is called with the name and the number of a call, before and after it; it may block the
	// worker.
	at func(call string, number int, done bool)

	mu     sync.Mutex
	number int
}

func (w *watchedStore) enter(call string) (done func()) {
	w.mu.Lock()
	w.number++
	number := w.number
	w.mu.Unlock()
	w.at(call, number, false)
	return func() { w.at(call, number, true) }
}

func (w *watchedStore) Join(ctx context.Context, who queue.Worker, lease time.Duration) error {
	defer w.enter("Join")()
	return w.Store.Join(ctx, who, lease)
}

func (w *watchedStore) Renew(ctx context.Context, owner string, lease time.Duration) error {
	defer w.enter("Renew")()
	return w.Store.Renew(ctx, owner, lease)
}

func (w *watchedStore) Leave(ctx context.Context, owner string) error {
	defer w.enter("Leave")()
	return w.Store.Leave(ctx, owner)
}

func (w *watchedStore) Claim(ctx context.Context, c outbox.Claim) (outbox.Batch, error) {
	defer w.enter("Claim")()
	return w.Store.Claim(ctx, c)
}

func (w *watchedStore) Mark(ctx context.Context, owner string, leases []outbox.Lease) ([]outbox.Lease, error) {
	defer w.enter("Mark")()
	return w.Store.Mark(ctx, owner, leases)
}

func (w *watchedStore) Settle(ctx context.Context, settlements []outbox.Settlement) ([]outbox.Lease, error) {
	defer w.enter("Settle")()
	return w.Store.Settle(ctx, settlements)
}

func (w *watchedStore) Body(ctx context.Context, id queue.ID) (io.ReadCloser, error) {
	defer w.enter("Body")()
	return w.Store.Body(ctx, id)
}

func (w *watchedStore) Slots(ctx context.Context, owner, account string, want, most int) (int, error) {
	defer w.enter("Slots")()
	return w.Store.Slots(ctx, owner, account, want, most)
}

func (w *watchedStore) Pause(ctx context.Context, p outbox.Pause) (bool, error) {
	defer w.enter("Pause")()
	return w.Store.Pause(ctx, p)
}

func (w *watchedStore) Sweep(ctx context.Context) (outbox.Swept, error) {
	defer w.enter("Sweep")()
	return w.Store.Sweep(ctx)
}

func (w *watchedStore) Due(ctx context.Context) ([]outbox.Due, error) {
	defer w.enter("Due")()
	return w.Store.Due(ctx)
}

func (w *watchedStore) List(ctx context.Context, f queue.Filter) (queue.Page, error) {
	defer w.enter("List")()
	return w.Store.List(ctx, f)
}

func (w *watchedStore) Change(ctx context.Context, c outbox.Change) (queue.Changed, error) {
	defer w.enter("Change")()
	return w.Store.Change(ctx, c)
}

// callStop blocks a worker at one of its calls and at every later one until it may continue. That is
// like SIGSTOP, except that messages in flight continue.
type callStop struct {
	number int
	done   bool // after the call, not before it

	mu      sync.Mutex
	holds   bool
	at      string        // where it was stopped
	stopped chan struct{} // closed when it is stopped
	goOn    chan struct{}
}

func newStop(number int, done bool) *callStop {
	return &callStop{number: number, done: done, stopped: make(chan struct{}), goOn: make(chan struct{})}
}

// watch implements watchedStore.at.
func (s *callStop) watch(call string, number int, done bool) {
	s.mu.Lock()
	if number == s.number && done == s.done {
		s.holds, s.at = true, call
		close(s.stopped)
	}
	holds := s.holds
	s.mu.Unlock()
	if holds {
		<-s.goOn
	}
}
