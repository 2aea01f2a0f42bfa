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

// batch is a group of operations that share a commit. They are only collected until then,
// because the statements take all of them at once.
type batch[T any] struct {
	all  []*T
	errs []*error // one for each operation
}

// lane returns a committer whose operations are carried out by do, all in one transaction. If
// that fails for a reason that may concern one operation, each gets its own transaction.
//
// There are three lanes: enqueues, claims, and marks with settlements. Their rows rarely
// conflict, so they do not wait for each other.
func lane[T any](s *Store, do func(context.Context, *tx, []*T) error) *group.Committer[*batch[T]] {
	together := func(all []*T) error {
		ctx, cancel := context.WithTimeout(context.Background(), laneTime)
		defer cancel()
		return s.transact(ctx, func(ctx context.Context, t *tx) error { return do(ctx, t, all) })
	}
	return group.New(group.Backend[*batch[T]]{
		Begin: func() (*batch[T], error) { return &batch[T]{}, nil },
		Commit: func(b *batch[T]) error {
			err := together(b.all)
			if len(b.all) == 1 || err == nil || !refused(err) || errors.Is(err, queue.ErrFull) {
				return err
			}
			for i, op := range b.all {
				*b.errs[i] = together([]*T{op})
			}
			return nil
		},
		Rollback: func(*batch[T]) {},
	})
}

// share puts an operation into a lane, and returns after its commit.
func share[T any](ctx context.Context, s *Store, lane *group.Committer[*batch[T]], op *T) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	var own error
	err := lane.Do(ctx, func(b *batch[T]) error {
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
