package outbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/yanmail/yan/account"
	store "github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/outbox"
	"github.com/yanmail/yan/queue"
)

// Each method leads to its state, counts changed and unchanged recipients, and returns an
// error if no recipient of the one named message could be changed.
func TestChanges(t *testing.T) {
	t.Parallel()
	box := inMemory(t, new(account.File))
	receipt, err := box.Enqueue(t.Context(), testMessage("me@qq.com"), outbox.EnqueueOptions{Account: "a"})
	if err != nil {
		t.Fatal(err)
	}
	one := queue.Filter{IDs: []queue.ID{receipt.ID}}
	for _, step := range []struct {
		name   string
		change func(context.Context, queue.Filter) (queue.Changed, error)
		want   queue.State
	}{
		{"hold", box.Hold, queue.Held}, {"release", box.Release, queue.Queued}, {"cancel", box.Cancel, queue.Cancelled}, {"retry", box.Retry, queue.Queued},
	} {
		changed, err := step.change(t.Context(), one)
		entry, showErr := box.Show(t.Context(), receipt.ID)
		if err != nil || showErr != nil || changed != (queue.Changed{Messages: 1, Recipients: 1}) || entry.Recipients[0].State != step.want {
			t.Errorf("%s: %+v, %v; %+v, %v", step.name, changed, err, entry, showErr)
		}
	}
	if changed, err := box.Release(t.Context(), queue.Filter{}); err != nil || changed != (queue.Changed{Untouched: 1}) {
		t.Errorf("releasing a message that is not held: %+v, %v", changed, err)
	}
	var wrong *queue.StateError
	if _, err := box.Release(t.Context(), one); !errors.As(err, &wrong) || wrong.From != queue.Queued || wrong.ID != receipt.ID || wrong.Verb != queue.Release {
		t.Errorf("releasing a message that is not held: %v", err)
	}
	if _, err := box.Cancel(t.Context(), queue.Filter{IDs: []queue.ID{99}}); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("cancelling a message that is not there: %v", err)
	}
}

// Resolve ends a doubt with the given resolution; other words are errors, and so are
// recipients that are not in doubt.
func TestResolve(t *testing.T) {
	t.Parallel()
	for resolution, want := range map[queue.Resolution]queue.State{queue.Sent: queue.HandedOver, queue.Resend: queue.Queued} {
		model := outboxtest.NewModel(outboxtest.NewClock())
		box := outbox.OnStore(model, outbox.Options{Accounts: new(account.File)})
		receipt, err := box.Enqueue(t.Context(), testMessage("me@qq.com"), outbox.EnqueueOptions{Account: "a"})
		if err != nil {
			t.Fatal(err)
		}
		var wrong *queue.StateError
		if _, err := box.Resolve(t.Context(), receipt.ID, resolution); !errors.As(err, &wrong) {
			t.Errorf("%s of a queued message: %v", resolution, err)
		}
		settleInDoubt(t, model)
		if _, err := box.Resolve(t.Context(), receipt.ID, "perhaps"); err == nil {
			t.Error("any word is a decision")
		}
		changed, err := box.Resolve(t.Context(), receipt.ID, resolution)
		entry, showErr := box.Show(t.Context(), receipt.ID)
		if err != nil || showErr != nil || changed.Recipients != 1 || entry.Recipients[0].State != want || !entry.Recipients[0].Doubted {
			t.Errorf("%s: %+v, %v; %+v, %v", resolution, changed, err, entry, showErr)
		}
	}
}

// settleInDoubt claims due recipients and settles them as in doubt.
func settleInDoubt(t *testing.T, s store.Store) {
	t.Helper()
	if err := s.Join(t.Context(), queue.Worker{Owner: "w"}, time.Minute); err != nil {
		t.Fatal(err)
	}
	batch, err := s.Claim(t.Context(), store.Claim{Owner: "w", Account: "a", Recipients: 10})
	if err != nil || len(batch.Items) != 1 {
		t.Fatal(batch, err)
	}
	lease := store.Lease{ID: batch.Items[0].ID, N: 0, Token: batch.Items[0].Recipients[0].Token}
	if _, err := s.Mark(t.Context(), "w", []store.Lease{lease}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Settle(t.Context(), []store.Settlement{{Lease: lease, State: queue.InDoubt}}); err != nil {
		t.Fatal(err)
	}
}
