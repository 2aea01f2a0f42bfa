package delivery_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// panickingStore is a store of which one method panics, once.
type panickingStore struct{ *failingStore }

func (s panickingStore) panicAt(method string) {
	if s.mustFail(method) {
		panic("in " + method)
	}
}

func (s panickingStore) Renew(ctx context.Context, owner string, lease time.Duration) error {
	s.panicAt("Renew")
	return s.Store.Renew(ctx, owner, lease)
}

func (s panickingStore) Claim(ctx context.Context, c outbox.Claim) (outbox.Batch, error) {
	s.panicAt("Claim")
	return s.Store.Claim(ctx, c)
}

func (s panickingStore) Mark(ctx context.Context, owner string, leases []outbox.Lease) ([]outbox.Lease, error) {
	s.panicAt("Mark")
	return s.Store.Mark(ctx, owner, leases)
}

func (s panickingStore) Settle(ctx context.Context, settlements []outbox.Settlement) ([]outbox.Lease, error) {
	s.panicAt("Settle")
	return s.Store.Settle(ctx, settlements)
}

func (s panickingStore) Body(ctx context.Context, id queue.ID) (io.ReadCloser, error) {
	s.panicAt("Body")
	return s.Store.Body(ctx, id)
}

func (s panickingStore) Slots(ctx context.Context, owner, account string, want, most int) (int, error) {
	s.panicAt("Slots")
	return s.Store.Slots(ctx, owner, account, want, most)
}

func (s panickingStore) Sweep(ctx context.Context) (outbox.Swept, error) {
	s.panicAt("Sweep")
	return s.Store.Sweep(ctx)
}

func (s panickingStore) Due(ctx context.Context) ([]outbox.Due, error) {
	s.panicAt("Due")
	return s.Store.Due(ctx)
}

func (s panickingStore) List(ctx context.Context, f queue.Filter) (queue.Page, error) {
	s.panicAt("List")
	return s.Store.List(ctx, f)
}

func (s panickingStore) Unreported(ctx context.Context, limit int) ([]outbox.PendingReport, error) {
	s.panicAt("Unreported")
	return s.Store.Unreported(ctx, limit)
}

// A panic in any goroutine of the delivery ends it with a PartPanicError that has the stack, and
// the leases are returned.
func TestAPanicEndsTheDeliveryAndNotTheProcess(t *testing.T) {
	t.Parallel()
	events := []delivery.WorkerEventKind{delivery.Claimed, delivery.Marked, delivery.Settled, delivery.Copied}
	for _, method := range []string{"Renew", "Claim", "Mark", "Settle", "Body", "Slots", "Sweep", "Due", "List", "Unreported", "Route", "Open", "Append"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			at := panickingStore{&failingStore{Store: w.model, method: method, times: 1}}
			w.opts.Store = at
			open := w.route.Open
			w.route.Open = func(ctx context.Context, n int) (delivery.TransactionSender, error) {
				at.panicAt("Open")
				return open(ctx, n)
			}
			w.route.Mailbox = func(context.Context) (delivery.CopyFolder, error) {
				at.panicAt("Append")
				return nil, errors.New("no mailbox")
			}
			w.opts.Route = func(context.Context, string) (delivery.Route, error) { at.panicAt("Route"); return w.route, nil }
			w.endsWith(t, "in "+method)
		})
	}
	for _, kind := range events {
		t.Run("observing "+string(kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.route.Mailbox = func(context.Context) (delivery.CopyFolder, error) { return nil, errors.New("no mailbox") }
			w.opts.Observe = func(e delivery.WorkerEvent) {
				if e.Kind == kind {
					panic("in the observer")
				}
			}
			w.endsWith(t, "in the observer")
		})
	}
}

// endsWith runs a delivery until it ends by itself, with a panic.
func (w *testWorld) endsWith(t *testing.T, said string) {
	t.Helper()
	for range 20 {
		w.enqueueTo("a@example.org")
		w.enqueueLarge()
	}
	w.opts.After = verySoon
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := delivery.New(w.opts).Run(ctx)
	var p *delivery.PartPanicError
	if !errors.As(err, &p) || !strings.Contains(p.Error(), said) || !strings.Contains(string(p.Stack), "delivery") {
		t.Fatalf("it ended with %v", err)
	}
	stats, err := w.model.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := stats.Accounts[0].Count[queue.Leased]; n != 0 || len(stats.Workers) != 0 {
		t.Errorf("%d are leased still, by %v", n, stats.Workers)
	}
}
