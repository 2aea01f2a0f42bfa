package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
)

// failingStore is a store in which one method fails several times, before or after it has done its
// work.
type failingStore struct {
	outbox.Store
	method string
	behind bool
	err    error

	mu    sync.Mutex
	times int
	count int // how often it failed
}

// mustFail reports whether this call of a method must fail.
func (s *failingStore) mustFail(method string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if method != s.method || s.times == 0 {
		return false
	}
	s.times--
	s.count++
	return true
}

func (s *failingStore) failureCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// callOrFail calls do, or fails instead of it or after it.
func callOrFail[T any](s *failingStore, method string, do func() (T, error)) (T, error) {
	if !s.mustFail(method) {
		return do()
	}
	if s.behind {
		_, _ = do() // the caller does not get the result
	}
	var none T
	return none, s.err
}

func (s *failingStore) callNone(method string, do func() error) error {
	_, err := callOrFail(s, method, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

func (s *failingStore) Join(ctx context.Context, w queue.Worker, lease time.Duration) error {
	return s.callNone("Join", func() error { return s.Store.Join(ctx, w, lease) })
}

func (s *failingStore) Renew(ctx context.Context, owner string, lease time.Duration) error {
	return s.callNone("Renew", func() error { return s.Store.Renew(ctx, owner, lease) })
}

func (s *failingStore) Leave(ctx context.Context, owner string) error {
	return s.callNone("Leave", func() error { return s.Store.Leave(ctx, owner) })
}

func (s *failingStore) Claim(ctx context.Context, c outbox.Claim) (outbox.Batch, error) {
	return callOrFail(s, "Claim", func() (outbox.Batch, error) { return s.Store.Claim(ctx, c) })
}

func (s *failingStore) Mark(ctx context.Context, owner string, leases []outbox.Lease) ([]outbox.Lease, error) {
	return callOrFail(s, "Mark", func() ([]outbox.Lease, error) { return s.Store.Mark(ctx, owner, leases) })
}

func (s *failingStore) Settle(ctx context.Context, settlements []outbox.Settlement) ([]outbox.Lease, error) {
	return callOrFail(s, "Settle", func() ([]outbox.Lease, error) { return s.Store.Settle(ctx, settlements) })
}

func (s *failingStore) Body(ctx context.Context, id queue.ID) (io.ReadCloser, error) {
	return callOrFail(s, "Body", func() (io.ReadCloser, error) { return s.Store.Body(ctx, id) })
}

func (s *failingStore) Slots(ctx context.Context, owner, account string, want, most int) (int, error) {
	return callOrFail(s, "Slots", func() (int, error) { return s.Store.Slots(ctx, owner, account, want, most) })
}

func (s *failingStore) Sweep(ctx context.Context) (outbox.Swept, error) {
	return callOrFail(s, "Sweep", func() (outbox.Swept, error) { return s.Store.Sweep(ctx) })
}

func (s *failingStore) Due(ctx context.Context) ([]outbox.Due, error) {
	return callOrFail(s, "Due", func() ([]outbox.Due, error) { return s.Store.Due(ctx) })
}

func (s *failingStore) List(ctx context.Context, f queue.Filter) (queue.Page, error) {
	return callOrFail(s, "List", func() (queue.Page, error) { return s.Store.List(ctx, f) })
}

func (s *failingStore) Unreported(ctx context.Context, limit int) ([]outbox.PendingReport, error) {
	return callOrFail(s, "Unreported", func() ([]outbox.PendingReport, error) { return s.Store.Unreported(ctx, limit) })
}

func (s *failingStore) Stats(ctx context.Context) (queue.Stats, error) {
	return callOrFail(s, "Stats", func() (queue.Stats, error) { return s.Store.Stats(ctx) })
}

// soonAfter makes pauses pass in a hundredth of their time.
func soonAfter(d time.Duration) <-chan time.Time { return time.After(d / 100) }

// never is a Grace that does not end.
const never = 24 * time.Hour

// verySoon makes pauses pass in 20 ms at most, so that a lease of an hour is renewed all the
// time.
func verySoon(d time.Duration) <-chan time.Time {
	if d >= never {
		return nil
	}
	return time.After(min(d/100, 20*time.Millisecond))
}

// enqueueLarge enqueues a message whose body does not come with its claim.
func (w *testWorld) enqueueLarge() {
	w.t.Helper()
	content, err := message.Compose(&message.Message{From: "me@example.org", To: []string{"a@example.org"}, Subject: "Hello",
		Text: strings.Repeat("Hello World\n", 7000)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = content.Close() })
	envelope, err := content.Envelope()
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err = w.model.Enqueue(w.t.Context(), outbox.NewMessage{Account: account, Envelope: envelope, MessageID: content.MessageID(), Content: content}); err != nil {
		w.t.Fatal(err)
	}
}

// allAre reports whether n recipients are in a state.
func (w *testWorld) allAre(state queue.State, n int) bool {
	stats, err := w.model.Stats(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return len(stats.Accounts) == 1 && stats.Accounts[0].Count[state] == n
}

// If a call of the store fails, whether or not it did its work, no message is lost and none is
// sent twice.
func TestEveryCallOfTheStoreMayFail(t *testing.T) {
	t.Parallel()
	methods := []string{"Join", "Renew", "Leave", "Claim", "Mark", "Settle", "Body", "Slots", "Sweep", "Due", "List", "Unreported"}
	for _, method := range methods {
		for _, times := range []int{1, 5} {
			for _, behind := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d/%v", method, times, behind), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					for range 40 {
						w.enqueueTo("a@example.org")
						w.enqueueLarge()
					}
					store := &failingStore{Store: w.model, method: method, times: times, behind: behind, err: errors.New("it is asleep")}
					w.opts.Store, w.opts.After, w.opts.Grace = store, verySoon, never
					w.opts.Lease = time.Hour // so that it does not lapse by the clock of the store
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					done := make(chan error, 1)
					go func() { done <- delivery.New(w.opts).Run(ctx) }()
					w.advanceBy(time.Second, "every message", func() bool {
						return w.allAre(queue.HandedOver, 80) && (method == "Leave" || store.failureCount() == times)
					})
					cancel()
					if err := <-done; err != nil {
						t.Error(err)
					}
					if n, twice := w.countDeliveries(); n != 80 || len(twice) > 0 {
						t.Errorf("the server has %d, twice %v", n, twice)
					}
					if store.failureCount() == 0 {
						t.Error("nothing failed")
					}
				})
			}
		}
	}
}

// hangingStore is a store of which one method returns only when its context is done.
type hangingStore struct {
	outbox.Store
	method string
	once   sync.Once
	hangs  chan struct{}
}

func (s *hangingStore) hangIn(ctx context.Context, method string) error {
	if method != s.method {
		return nil
	}
	s.once.Do(func() { close(s.hangs) })
	<-ctx.Done()
	return ctx.Err()
}

func (s *hangingStore) Mark(ctx context.Context, owner string, leases []outbox.Lease) ([]outbox.Lease, error) {
	if err := s.hangIn(ctx, "Mark"); err != nil {
		return nil, err
	}
	return s.Store.Mark(ctx, owner, leases)
}

func (s *hangingStore) Renew(ctx context.Context, owner string, lease time.Duration) error {
	if err := s.hangIn(ctx, "Renew"); err != nil {
		return err
	}
	return s.Store.Renew(ctx, owner, lease)
}

func (s *hangingStore) Claim(ctx context.Context, c outbox.Claim) (outbox.Batch, error) {
	if err := s.hangIn(ctx, "Claim"); err != nil {
		return outbox.Batch{}, err
	}
	return s.Store.Claim(ctx, c)
}

func (s *hangingStore) Settle(ctx context.Context, settlements []outbox.Settlement) ([]outbox.Lease, error) {
	if err := s.hangIn(ctx, "Settle"); err != nil {
		return nil, err
	}
	return s.Store.Settle(ctx, settlements)
}

func (s *hangingStore) Sweep(ctx context.Context) (outbox.Swept, error) {
	if err := s.hangIn(ctx, "Sweep"); err != nil {
		return outbox.Swept{}, err
	}
	return s.Store.Sweep(ctx)
}

// A store that does not answer does not prevent the end of a Run.
func TestAStoreThatHangsDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Claim", "Mark", "Settle", "Renew", "Sweep"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.enqueueTo("a@example.org")
			store := &hangingStore{Store: w.model, method: method, hangs: make(chan struct{})}
			w.opts.Store, w.opts.Lease, w.opts.Grace, w.opts.After = store, 300*time.Millisecond, 20*time.Second, soonAfter
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- delivery.New(w.opts).Run(ctx) }()
			<-store.hangs
			cancel()
			select {
			case <-done:
			case <-time.After(patience):
				t.Fatalf("it has not ended %v after its context", patience)
			}
			switch method {
			case "Mark", "Claim":
				if n, _ := w.countDeliveries(); n != 0 {
					t.Errorf("%d messages left", n)
				}
			}
		})
	}
}

// A reload ends pauses even if the store can't list them at once.
func TestAReloadIsNotForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.enqueueTo("a@example.org")
	if _, err := w.model.Pause(t.Context(), outbox.Pause{Account: account, For: time.Hour, Answer: queue.Answer{Err: "no such account"}}); err != nil {
		t.Fatal(err)
	}
	w.opts.Store = &failingStore{Store: w.model, method: "Stats", times: 1, err: errors.New("it is asleep")}
	w.opts.After, w.opts.Grace = verySoon, never
	d := delivery.New(w.opts)
	d.Reload()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	w.waitFor("the message", func() bool { return w.statesOf(id) == "handed_over" })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
