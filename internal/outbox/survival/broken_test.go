package survival

import (
	"context"
	"time"

	"github.com/yanmail/yan/internal/outbox"
)

// slowMarks takes its time to mark, as a disk does, so that letters are marked ahead.
type slowMarks struct{ outbox.Store }

func (s slowMarks) Mark(ctx context.Context, owner string, leases []outbox.Lease) ([]outbox.Lease, error) {
	disk := time.NewTimer(2 * time.Millisecond)
	defer disk.Stop()
	<-disk.C
	return s.Store.Mark(ctx, owner, leases)
}

// What follows is broken on purpose.

// unmarked says that letters are marked, and does not mark them.
type unmarked struct{ outbox.Store }

func (unmarked) Mark(context.Context, string, []outbox.Lease) ([]outbox.Lease, error) {
	return nil, nil
}

// rashStore tries again what is in doubt, as others do.
type rashStore struct{ outbox.Store }

func (s rashStore) Settle(ctx context.Context, settlements []outbox.Settlement) ([]outbox.Lease, error) {
	for i := range settlements {
		if settlements[i].State == outbox.InDoubt {
			settlements[i].State = outbox.Deferred
		}
	}
	return s.Store.Settle(ctx, settlements)
}

// forgetful acknowledges every third letter without keeping it.
type forgetful struct {
	outbox.Store
	n outbox.ID
}

func (s *forgetful) Enqueue(ctx context.Context, m outbox.New) (outbox.Receipt, error) {
	if s.n++; s.n%3 == 0 {
		return outbox.Receipt{ID: s.n}, nil
	}
	return s.Store.Enqueue(ctx, m)
}
