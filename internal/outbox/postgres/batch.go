package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/yanmail/yan/internal/outbox/group"
	"github.com/yanmail/yan/queue"
)

// laneTime limits a transaction that many callers wait for.
const laneTime = time.Minute

// opBatch is a group of operations that share a commit. They are only collected until then,
// because the statements take all of them at once.
type opBatch[T any] struct {
	all  []*T
	errs []*error // one for each operation
}

// newLane returns a committer whose operations are carried out by do, all in one transaction. If
// that fails for a reason that may concern one operation, each gets its own transaction.
//
// There are three lanes: enqueues, claims, and marks with settlements. Their rows rarely
// conflict, so they do not wait for each other.
func newLane[T any](s *Store, do func(context.Context, *tx, []*T) error) *group.Committer[*opBatch[T]] {
	together := func(all []*T) error {
		ctx, cancel := context.WithTimeout(context.Background(), laneTime)
		defer cancel()
		return s.inTx(ctx, func(ctx context.Context, t *tx) error { return do(ctx, t, all) })
	}
	return group.New(group.Backend[*opBatch[T]]{
		Begin: func() (*opBatch[T], error) { return &opBatch[T]{}, nil },
		Commit: func(b *opBatch[T]) error {
			err := together(b.all)
			if len(b.all) == 1 || err == nil || !isRefusal(err) || errors.Is(err, queue.ErrFull) {
				return err
			}
			for i, op := range b.all {
				*b.errs[i] = together([]*T{op})
			}
			return nil
		},
		Rollback: func(*opBatch[T]) {},
	})
}

// shareCommit puts an operation into a lane, and returns after its commit.
func shareCommit[T any](ctx context.Context, s *Store, lane *group.Committer[*opBatch[T]], op *T) error {
	if err := s.checkOpen(ctx); err != nil {
		return err
	}
	var own error
	err := lane.Do(ctx, func(b *opBatch[T]) error {
		b.all, b.errs = append(b.all, op), append(b.errs, &own)
		return nil
	})
	if errors.Is(err, group.ErrClosed) {
		return queue.ErrClosed
	}
	if err != nil {
		return err
	}
	return own
}
