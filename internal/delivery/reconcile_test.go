package delivery_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/queue"
)

// newDoubtful returns a world with one message in doubt, and a worker that checks it whenever the
// clock is advanced.
func newDoubtful(t *testing.T, change func(*testWorld)) (*testWorld, queue.ID) {
	t.Helper()
	w := newWorld(t, "body-cut*1")
	id := w.enqueueTo("a@example.org")
	w.mustDrain()
	w.wantStates(id, "in_doubt")
	w.opts.Now, w.opts.Lease = w.clock.Now, 30*time.Millisecond // checked often, while the store's clock stands still
	change(w)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- delivery.New(w.opts).Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w, id
}

// advanceUntil advances the clock until the condition holds.
func (w *testWorld) advanceUntil(what string, condition func() bool) {
	w.t.Helper()
	w.advanceBy(30*time.Second, what, condition)
}

// advanceBy is advanceUntil with steps of the given length.
func (w *testWorld) advanceBy(step time.Duration, what string, condition func() bool) {
	w.t.Helper()
	late := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
			w.clock.Step(step) // which ends no lease
		case <-late:
			w.t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

func TestACopyInTheSentFolderEndsTheDoubt(t *testing.T) {
	t.Parallel()
	var looked atomic.Int64
	w, id := newDoubtful(t, func(w *testWorld) {
		w.route.Doubt = delivery.RetryDoubt // evidence comes before the policy
		w.route.Sent = sentFolderBy(func(_ context.Context, messageID string) (bool, error) {
			return looked.Add(1) >= 2 && messageID != "", nil // it appears with some delay
		})
	})
	w.advanceUntil("the end of the doubt", func() bool { return w.statesOf(id) != "in_doubt" })
	w.wantStates(id, "handed_over")
	if n, _ := w.countDeliveries(); n != 1 {
		t.Errorf("the server has it %d times", n)
	}
	w.waitFor("the event of it", func() bool { return w.countEvents(delivery.Reconciled, queue.HandedOver) == 1 })
}

func TestHoldKeepsTheDoubt(t *testing.T) {
	t.Parallel()
	var looked atomic.Int64
	w, id := newDoubtful(t, func(w *testWorld) {
		w.route.Sent = sentFolderBy(func(context.Context, string) (bool, error) { looked.Add(1); return false, nil })
	})
	w.advanceUntil("six looks", func() bool { return looked.Load() > 6 })
	w.wantStates(id, "in_doubt")
}

func TestRetrySendsAgain(t *testing.T) {
	t.Parallel()
	w, id := newDoubtful(t, func(w *testWorld) { w.route.Doubt = delivery.RetryDoubt })
	w.advanceUntil("the second try", func() bool { return w.statesOf(id) == "handed_over" })
	if n, twice := w.countDeliveries(); n != 2 || len(twice) != 1 {
		t.Errorf("the server has it %d times: %v", n, twice)
	}
	e, err := w.model.Show(t.Context(), id)
	if err != nil || !e.Recipients[0].Doubted {
		t.Errorf("that it was in doubt is forgotten: %+v, %v", e.Recipients, err)
	}
}

func TestAProviderThatKeepsEveryCopyDisprovesIt(t *testing.T) {
	t.Parallel()
	var looked atomic.Int64
	w, id := newDoubtful(t, func(w *testWorld) {
		w.route.Keeps = true
		w.route.Sent = sentFolderBy(func(context.Context, string) (bool, error) { looked.Add(1); return false, nil })
	})
	w.advanceUntil("the second try", func() bool { return w.statesOf(id) == "handed_over" })
	if looked.Load() < 3 {
		t.Errorf("%d looks were enough", looked.Load())
	}
}

// sentFolderBy returns a Sent folder whose copies arrive in the far future, so after every mark.
func sentFolderBy(find func(context.Context, string) (bool, error)) func(context.Context) (delivery.SentFolder, error) {
	return func(context.Context) (delivery.SentFolder, error) { return foundBy(find), nil }
}

type foundBy func(context.Context, string) (bool, error)

func (f foundBy) Find(ctx context.Context, id string) (delivery.FoundCopy, error) {
	found, err := f(ctx, id)
	return delivery.FoundCopy{Found: found, Arrived: time.Now().AddDate(1000, 0, 0)}, err
}

func (foundBy) Close() {}
