// Package group lets many callers share one commit. A disk syncs some thousand times a second,
// however many callers wait for it: operations that arrive during a commit share the next one,
// and no caller waits for a timer.
package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// most is the highest number of operations in a commit: enough that the sync is a small part
// of each, few enough that no caller waits long for the others.
const most = 256

// ErrClosed is the error of an operation that was not carried out because of Close.
var ErrClosed = errors.New("closed")

// Backend begins and ends transactions. Only one is open at a time.
type Backend[T any] struct {
	Begin    func() (T, error)
	Commit   func(T) error
	Rollback func(T)
}

// Committer carries out operations. Operations that arrive together share a transaction.
type Committer[T any] struct {
	backend Backend[T]
	work    chan *operation[T]
	quit    chan struct{}
	ended   chan struct{}
	once    sync.Once
}

type operation[T any] struct {
	do      func(T) error
	settled chan error
}

// New starts a committer. Close stops it.
func New[T any](b Backend[T]) *Committer[T] {
	c := &Committer[T]{backend: b, work: make(chan *operation[T], most), quit: make(chan struct{}), ended: make(chan struct{})}
	go c.runBatches()
	return c
}

// Close waits for the transaction in progress. Operations that have not begun, and later ones,
// return ErrClosed.
func (c *Committer[T]) Close() {
	c.once.Do(func() { close(c.quit) })
	<-c.ended
}

// Do returns after the operation's changes are committed, or have failed. It may call the
// operation a second time, in another transaction, if another operation of the first one
// failed; the operation must then discard its earlier results. After the operation has begun,
// ctx has no effect, because a commit can't be interrupted. Do panics if the operation panics;
// the other operations are not affected.
func (c *Committer[T]) Do(ctx context.Context, do func(T) error) error {
	err := c.submitAndWait(ctx, do)
	var p *panicked
	if errors.As(err, &p) {
		panic(p.value)
	}
	return err
}

func (c *Committer[T]) submitAndWait(ctx context.Context, do func(T) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx) // even if the queue has room
	}
	op := &operation[T]{do: do, settled: make(chan error, 1)}
	select {
	case c.work <- op:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.quit:
		return ErrClosed
	}
	select {
	case err := <-op.settled:
		return err
	case <-c.ended:
		select {
		case err := <-op.settled:
			return err
		default:
			return ErrClosed // it was queued after the queue was emptied
		}
	}
}

// Harmless wraps the error of an operation that has changed nothing: the other operations of
// its transaction need not be repeated.
func Harmless(err error) error { return &harmless{err} }

type harmless struct{ error }

func (h *harmless) Unwrap() error { return h.error }

func (c *Committer[T]) runBatches() {
	defer close(c.ended)
	batch := make([]*operation[T], 0, most)
	for {
		batch = c.nextBatch(batch[:0])
		if len(batch) == 0 {
			return
		}
		c.runTogether(batch)
		clear(batch)
	}
}

// nextBatch waits for one operation and takes all queued ones.
func (c *Committer[T]) nextBatch(batch []*operation[T]) []*operation[T] {
	select {
	case <-c.quit:
		for {
			select {
			case op := <-c.work:
				op.settled <- ErrClosed
			default:
				return nil
			}
		}
	default:
	}
	select {
	case op := <-c.work:
		batch = append(batch, op)
	case <-c.quit:
		return c.nextBatch(batch)
	}
	for len(batch) < most {
		select {
		case op := <-c.work:
			batch = append(batch, op)
		default:
			return batch
		}
	}
	return batch
}

// runTogether carries out operations in one transaction. An operation that fails is repeated in a
// transaction of its own, and the others are repeated without it. If several fail, each is
// carried out alone, so that a batch of failures does not take as many attempts as it has
// pairs. If a transaction can't be begun or committed, all operations fail, and none is tried
// again: after a failed sync the next sync succeeds without having written anything.
func (c *Committer[T]) runTogether(batch []*operation[T]) {
	for range most / 64 {
		errs, failed, err := c.tryTogether(batch)
		if failed < 0 || len(batch) == 1 {
			for i, op := range batch {
				if err != nil {
					op.settled <- err
					continue
				}
				op.settled <- errs[i]
			}
			return
		}
		c.runTogether(batch[failed : failed+1])
		batch = slices.Delete(batch, failed, failed+1)
	}
	for i := range batch {
		c.runTogether(batch[i : i+1])
	}
}

// tryTogether returns the harmless error of each operation, or the error for which nothing is kept.
// failed is the operation that caused it, -1 if it concerns all.
func (c *Committer[T]) tryTogether(batch []*operation[T]) (errs []error, failed int, err error) {
	tx, err := c.backend.Begin()
	if err != nil {
		return nil, -1, err
	}
	errs = make([]error, len(batch))
	for i, op := range batch {
		if err = callRecovering(op.do, tx); err == nil {
			continue
		}
		var h *harmless
		if !errors.As(err, &h) {
			c.backend.Rollback(tx)
			return nil, i, err
		}
		errs[i] = h.error
	}
	return errs, -1, c.backend.Commit(tx)
}

// callRecovering turns a panic into an error, because the goroutine is shared by all callers, and its
// panic would end the program.
func callRecovering[T any](do func(T) error, tx T) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicked{value}
		}
	}()
	return do(tx)
}

type panicked struct{ value any }

func (p *panicked) Error() string { return fmt.Sprint("panic: ", p.value) }
