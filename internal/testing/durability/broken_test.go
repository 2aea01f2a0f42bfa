package durability

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// fakePace is the clock that times commits and messages in these tests, independent of the machine:
// each reading takes a millisecond and each commit twenty, so that letters are marked ahead.
type fakePace struct{ passed atomic.Int64 }

const (
	aLook   = time.Millisecond
	aCommit = 20 * time.Millisecond
)

// now implements delivery.Options.Measure.
func (p *fakePace) now() time.Time { return time.Unix(0, p.passed.Add(int64(aLook))) }

// pacedMarks advances the pace with each commit. The commit also takes some real time, so that
// other goroutines run during it.
type pacedMarks struct {
	outbox.Store
	pace *fakePace
}

func (s pacedMarks) Mark(ctx context.Context, owner string, leases []outbox.Lease) ([]outbox.Lease, error) {
	disk := time.NewTimer(2 * time.Millisecond)
	defer disk.Stop()
	<-disk.C
	s.pace.passed.Add(int64(aCommit))
	return s.Store.Mark(ctx, owner, leases)
}

// The following stores are broken on purpose.

// unmarked reports letters as marked without marking them.
type unmarked struct{ outbox.Store }

func (unmarked) Mark(context.Context, string, []outbox.Lease) ([]outbox.Lease, error) {
	return nil, nil
}

// rashStore retries recipients in doubt, as other mailers do.
type rashStore struct{ outbox.Store }

func (s rashStore) Settle(ctx context.Context, settlements []outbox.Settlement) ([]outbox.Lease, error) {
	for i := range settlements {
		if settlements[i].State == queue.InDoubt {
			settlements[i].State = queue.Deferred
		}
	}
	return s.Store.Settle(ctx, settlements)
}

// forgetfulStore acknowledges every third letter without storing it.
type forgetfulStore struct {
	outbox.Store
	n queue.ID
}

func (s *forgetfulStore) Enqueue(ctx context.Context, m outbox.NewMessage) (outbox.EnqueueResult, error) {
	if s.n++; s.n%3 == 0 {
		return outbox.EnqueueResult{ID: s.n}, nil
	}
	return s.Store.Enqueue(ctx, m)
}
