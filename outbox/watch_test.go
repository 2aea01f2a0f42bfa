package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/outbox"
	"github.com/yanmail/yan/queue"
)

// logged receives the lines of a log.
type logged chan string

func (l logged) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func (l logged) newLogger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func mustEnqueue(t *testing.T, box *outbox.Outbox) queue.ID {
	t.Helper()
	receipt, err := box.Enqueue(t.Context(), testMessage("me@qq.com"), outbox.EnqueueOptions{Account: "a"})
	if err != nil {
		t.Fatal(err)
	}
	return receipt.ID
}

// neverFires is a clock that never fires: everything must arrive without it.
func neverFires(time.Duration) <-chan time.Time { return nil }

// Watch continues from a stored cursor: no event is repeated or missed.
func TestWatchGoesOnFromACursor(t *testing.T) {
	t.Parallel()
	box := inMemory(t, new(account.File))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	const n = 700 // more than one read returns
	for range n {
		mustEnqueue(t, box)
	}
	var kept queue.Cursor
	var seen []queue.ID
	for len(seen) < n {
		for e, err := range box.WatchBy(ctx, kept, neverFires) {
			if err != nil {
				t.Fatal(err)
			}
			seen, kept = append(seen, e.ID), e.Cursor
			if len(seen)%97 == 0 || len(seen) == n {
				break // a restart
			}
		}
		if ctx.Err() != nil {
			t.Fatalf("only %d events", len(seen))
		}
	}
	for i, id := range seen {
		if id != queue.ID(i+1) {
			t.Fatalf("event %d is of message %s", i, id)
		}
	}
}

// muteStore is a store that wakes no watcher.
type muteStore struct{ *outboxtest.Model }

func (muteStore) Wake() <-chan struct{} { return nil }

// Events during the loop are yielded without waiting for a timer: those of this process, and
// those that the store announces.
func TestWatchIsWoken(t *testing.T) {
	t.Parallel()
	model := outboxtest.NewModel(outboxtest.NewClock())
	for name, test := range map[string]struct{ watches, enqueues *outbox.Outbox }{
		"this process": func() (b struct{ watches, enqueues *outbox.Outbox }) {
			b.watches = outbox.OnStore(muteStore{outboxtest.NewModel(outboxtest.NewClock())}, outbox.Options{Accounts: new(account.File)})
			b.enqueues = b.watches
			return b
		}(),
		"the store": {outbox.OnStore(model, outbox.Options{Accounts: new(account.File)}), outbox.OnStore(model, outbox.Options{Accounts: new(account.File)})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			mustEnqueue(t, test.enqueues)
			cursor, err := test.watches.Cursor(ctx)
			if err != nil {
				t.Fatal(err)
			}
			second := mustEnqueue(t, test.enqueues)
			var told []queue.ID
			var others sync.WaitGroup
			for e, err := range test.watches.WatchBy(ctx, cursor, neverFires) {
				if err != nil {
					t.Fatal(err)
				}
				if told = append(told, e.ID); len(told) == 3 {
					break
				}
				others.Go(func() {
					if _, err := test.enqueues.Enqueue(ctx, testMessage("me@qq.com"), outbox.EnqueueOptions{Account: "a"}); err != nil {
						t.Error(err)
					}
				})
			}
			others.Wait()
			if len(told) != 3 || told[0] != second {
				t.Errorf("got %v, want %s first", told, second)
			}
		})
	}
}

// failingEvents is a store whose Events fails several times.
type failingEvents struct {
	*outboxtest.Model
	errs chan error
}

func (f failingEvents) Events(ctx context.Context, after queue.Cursor, limit int) ([]queue.Event, queue.Cursor, error) {
	select {
	case err := <-f.errs:
		return nil, "", err
	default:
		return f.Model.Events(ctx, after, limit)
	}
}

// A lost connection is yielded as an error, the pauses grow, and no event in between is
// missed.
func TestWatchSurvivesErrors(t *testing.T) {
	t.Parallel()
	lost := errors.New("the connection is lost")
	store := failingEvents{outboxtest.NewModel(outboxtest.NewClock()), make(chan error, 10)}
	box := outbox.OnStore(store, outbox.Options{Accounts: new(account.File)})
	for range 8 {
		store.errs <- lost
	}
	first := mustEnqueue(t, box)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var waited []time.Duration
	at := func(d time.Duration) <-chan time.Time {
		waited = append(waited, d)
		now := make(chan time.Time, 1)
		now <- time.Time{}
		return now
	}
	failures := 0
	for e, err := range box.WatchBy(ctx, "", at) {
		if err == nil {
			if e.ID != first {
				t.Errorf("got an event of %s", e.ID)
			}
			break
		}
		if failures++; !errors.Is(err, lost) {
			t.Errorf("got %v", err)
		}
	}
	if failures != 8 || len(waited) != 8 || waited[0] != time.Second || waited[1] != 2*time.Second || waited[7] != time.Minute {
		t.Errorf("%d failures, waited %v", failures, waited)
	}
}

// The loop ends: silently when its context is done, and with the reason if the outbox is
// closed.
func TestWatchEnds(t *testing.T) {
	t.Parallel()
	box := inMemory(t, new(account.File))
	mustEnqueue(t, box)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for _, err := range box.WatchBy(ctx, "", neverFires) {
		if err != nil {
			t.Errorf("got %v", err)
		}
		n++
		cancel()
	}
	if n != 1 {
		t.Errorf("%d events", n)
	}
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
	n = 0
	for _, err := range box.WatchBy(t.Context(), "", neverFires) {
		if n++; !errors.Is(err, queue.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
	if n != 1 {
		t.Errorf("got %d events", n)
	}
}
