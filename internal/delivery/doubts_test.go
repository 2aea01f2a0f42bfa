package delivery_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// sendOne makes another worker send up to n recipients in one transaction, and settle them
// with a state.
func (w *testWorld) sendOne(n int, state queue.State) {
	w.t.Helper()
	ctx, owner := w.t.Context(), "other "+strconv.Itoa(int(w.others.Add(1)))
	if err := w.model.Join(ctx, queue.Worker{Owner: owner}, time.Hour); err != nil {
		w.t.Error(err)
	}
	batch, err := w.model.Claim(ctx, outbox.Claim{Owner: owner, Account: account, Recipients: n})
	if err != nil || len(batch.Items) != 1 {
		w.t.Errorf("claimed %d messages: %v", len(batch.Items), err)
		return
	}
	var leases []outbox.Lease
	var settlements []outbox.Settlement
	for _, r := range batch.Items[0].Recipients {
		lease := outbox.Lease{ID: batch.Items[0].ID, N: r.N, Token: r.Token}
		leases = append(leases, lease)
		settlements = append(settlements, outbox.Settlement{Lease: lease, State: state, After: time.Hour})
	}
	if lost, err := w.model.Mark(ctx, owner, leases); err != nil || len(lost) > 0 {
		w.t.Errorf("lost %v: %v", lost, err)
	}
	if stale, err := w.model.Settle(ctx, settlements); err != nil || len(stale) > 0 {
		w.t.Errorf("stale %v: %v", stale, err)
	}
	if err := w.model.Leave(ctx, owner); err != nil {
		w.t.Error(err)
	}
}

// startReconciling runs a worker that resolves doubts until the test ends.
func (w *testWorld) startReconciling() {
	w.t.Helper()
	w.opts.Now, w.opts.Lease = w.clock.Now, 30*time.Millisecond // the clock of the store stands still
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- delivery.New(w.opts).Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
}

// countRoutes counts the calls of Route, which come before each look.
func (w *testWorld) countRoutes() *atomic.Int64 {
	n := &atomic.Int64{}
	w.opts.Route = func(context.Context, string) (delivery.Route, error) { n.Add(1); return w.route, nil }
	return n
}

// A copy is from one transaction: if two are in doubt, it does not say from which.
func TestACopySpeaksForOneTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.enqueueTo("a@example.org", "b@example.org")
	w.sendOne(1, queue.InDoubt)
	w.sendOne(1, queue.InDoubt)
	w.wantStates(id, "in_doubt in_doubt")
	asked := w.countRoutes()
	w.route.Sent = sentFolderBy(func(context.Context, string) (bool, error) { return true, nil })
	w.startReconciling()
	w.advanceUntil("four looks", func() bool { return asked.Load() > 4 || w.statesOf(id) != "in_doubt in_doubt" })
	w.wantStates(id, "in_doubt in_doubt")
}

// Nor does it say so if another transaction was in doubt before, whatever its end was.
func TestACopyMayBeOfAnEarlierDoubt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.enqueueTo("a@example.org", "b@example.org")
	w.sendOne(1, queue.InDoubt)
	if _, err := w.model.Change(t.Context(), outbox.Change{Verb: queue.Cancel, Filter: queue.Filter{IDs: []queue.ID{id}, States: []queue.State{queue.InDoubt}}}); err != nil {
		t.Fatal(err)
	}
	w.sendOne(1, queue.InDoubt)
	w.wantStates(id, "cancelled in_doubt")
	asked := w.countRoutes()
	w.route.Sent = sentFolderBy(func(context.Context, string) (bool, error) { return true, nil })
	w.startReconciling()
	w.advanceUntil("four looks", func() bool { return asked.Load() > 4 || w.statesOf(id) != "cancelled in_doubt" })
	w.wantStates(id, "cancelled in_doubt")
}

// A copy of a transaction that happens during the look decides nothing.
func TestACopyThatComesDuringTheLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.enqueueTo("a@example.org", "b@example.org")
	w.sendOne(1, queue.InDoubt)
	w.sendOne(1, queue.Deferred)
	w.wantStates(id, "in_doubt deferred")
	asked := w.countRoutes()
	var looked atomic.Int64
	w.route.Open = func(context.Context, int) (delivery.TransactionSender, error) {
		return nil, errors.New("only the others send")
	}
	w.route.Sent = sentFolderBy(func(context.Context, string) (bool, error) {
		if looked.Add(1) == 1 {
			if _, err := w.model.Change(context.WithoutCancel(t.Context()), outbox.Change{Verb: queue.Retry, Filter: queue.Filter{IDs: []queue.ID{id}}}); err != nil {
				t.Error(err)
			}
			if err := w.model.Resume(context.WithoutCancel(t.Context()), account); err != nil {
				t.Error(err)
			}
			w.sendOne(1, queue.InDoubt) // the copy is of this transaction
			asked.Store(0)
		}
		return true, nil
	})
	w.startReconciling()
	w.advanceUntil("four looks", func() bool {
		return looked.Load() > 0 && asked.Load() > 4 || w.countEvents(delivery.Reconciled, queue.HandedOver) > 0
	})
	w.wantStates(id, "in_doubt in_doubt")
}

// A missing copy says as much about two transactions as about one.
func TestNoCopySpeaksForAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.enqueueTo("a@example.org", "b@example.org")
	w.sendOne(1, queue.InDoubt)
	w.sendOne(1, queue.InDoubt)
	w.route.Keeps = true
	w.route.Sent = sentFolderBy(func(context.Context, string) (bool, error) { return false, nil })
	w.startReconciling()
	w.advanceUntil("the second try", func() bool { return w.statesOf(id) == "handed_over handed_over" })
}

// A second doubt is checked as often as the first one.
func TestASecondDoubtIsLookedIntoAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.enqueueTo("a@example.org")
	w.sendOne(1, queue.InDoubt)
	var looked atomic.Int64
	var second atomic.Bool
	w.route.Keeps = true
	w.route.Open = func(context.Context, int) (delivery.TransactionSender, error) {
		return nil, errors.New("only the others send")
	}
	w.route.Sent = sentFolderBy(func(context.Context, string) (bool, error) {
		if looked.Add(1) == 2 && !second.Load() {
			// A user resends it, and there is no answer this time either.
			second.Store(true)
			looked.Store(0)
			if _, err := w.model.Change(context.WithoutCancel(t.Context()), outbox.Change{Verb: queue.ResolveResend, Filter: queue.Filter{IDs: []queue.ID{id}}}); err != nil {
				t.Error(err)
			}
			w.clock.Advance(time.Second)
			w.sendOne(1, queue.InDoubt)
		}
		return false, nil
	})
	w.startReconciling()
	w.advanceUntil("the end of the second doubt", func() bool { return second.Load() && w.statesOf(id) != "in_doubt" })
	if n := looked.Load(); n < 3 {
		t.Errorf("%d looks were enough", n)
	}
}

// Doubts that can't be resolved do not delay others.
func TestAllDoubtsAreLookedInto(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var last queue.ID
	for range 250 {
		last = w.enqueueTo("a@example.org")
		w.sendOne(1, queue.InDoubt)
	}
	e, err := w.model.Show(t.Context(), last)
	if err != nil {
		t.Fatal(err)
	}
	w.route.Sent = sentFolderBy(func(_ context.Context, messageID string) (bool, error) { return messageID == e.MessageID, nil })
	w.startReconciling()
	w.advanceUntil("the last doubt", func() bool { return w.statesOf(last) == "handed_over" })
}

// Failures that can't be reported do not delay others.
func TestAllFailuresAreReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 250 {
		w.enqueueTo("a@example.org")
		w.sendOne(1, queue.Failed)
	}
	content := composeMessage(t, "a@example.org")
	envelope, err := content.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = w.model.Enqueue(t.Context(), outbox.NewMessage{Account: "home", Envelope: envelope, MessageID: content.MessageID(), Content: content,
		Expires: w.clock.Now().Add(time.Second)}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute) // it has expired
	route := w.route
	route.NoReport, route.ReportFrom = false, mustAddress(t, "me@example.org")
	w.opts.Route = func(_ context.Context, name string) (delivery.Route, error) {
		if name == account {
			return delivery.Route{}, errors.New("there is no such account any more")
		}
		return route, nil
	}
	w.startReconciling()
	w.advanceUntil("the report", func() bool { return w.countEvents(delivery.Reported, "") > 0 })
}
