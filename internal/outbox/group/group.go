// Package group lets many callers share one commit. A disk syncs some thousand
// times a second, however many wait for it: whoever comes while a commit is under
// way goes with the next, and nobody waits for a timer.
package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// most is how many operations share a commit: enough that the sync is a small
// part of each, few enough that nobody waits long for the others.
const most = 256

// ErrClosed is why an operation was not carried out behind Close.
var ErrClosed = errors.New("closed")

// Backend begins and ends transactions; one is open at a time.
type Backend[T any] struct {
	Begin    func() (T, error)
	Commit   func(T) error
	Rollback func(T)
}

// Committer carries out operations, those that come together in one transaction.
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

// New starts a committer. Close ends it.
func New[T any](b Backend[T]) *Committer[T] {
	c := &Committer[T]{backend: b, work: make(chan *operation[T], most), quit: make(chan struct{}), ended: make(chan struct{})}
	go c.run()
	return c
}

// Close waits for what is under way; what has not begun is ErrClosed.
func (c *Committer[T]) Close() {
	c.once.Do(func() { close(c.quit) })
	<-c.ended
}

// Do returns when what the operation did is committed, or has failed. It may be
// called a second time, in another transaction, when one of those beside it
// failed: what it found the first time has to be forgotten then. Behind its
// beginning ctx changes nothing, because half a commit is no answer. A panic of the
// operation is a panic of Do; the others do not notice.
func (c *Committer[T]) Do(ctx context.Context, do func(T) error) error {
	err := c.settle(ctx, do)
	var p *panicked
	if errors.As(err, &p) {
		panic(p.value)
	}
	return err
}

func (c *Committer[T]) settle(ctx context.Context, do func(T) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx) // also where there is room in the queue
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
			return ErrClosed // it was put behind the last look at the queue
		}
	}
}

// Harmless wraps the error of an operation that has changed nothing: the others of
// its transaction need not be done again.
func Harmless(err error) error { return &harmless{err} }

type harmless struct{ error }

func (h *harmless) Unwrap() error { return h.error }

func (c *Committer[T]) run() {
	defer close(c.ended)
	batch := make([]*operation[T], 0, most)
	for {
		batch = c.next(batch[:0])
		if len(batch) == 0 {
			return
		}
		c.together(batch)
		clear(batch)
	}
}

// next waits for one operation and takes all that are there.
func (c *Committer[T]) next(batch []*operation[T]) []*operation[T] {
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
		return c.next(batch)
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

// together carries operations out in one transaction. One that fails leaves it for
// one of its own, and the others go again without it; where several fail, each goes
// alone, so that a batch of failures does not take as many tries as it has pairs. A
// transaction that can't be begun or committed is everybody's, and not tried again:
// after a sync that failed the next one succeeds without having written anything.
func (c *Committer[T]) together(batch []*operation[T]) {
	for range most / 64 {
		errs, failed, err := c.try(batch)
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
		c.together(batch[failed : failed+1])
		batch = slices.Delete(batch, failed, failed+1)
	}
	for i := range batch {
		c.together(batch[i : i+1])
	}
}

// try gives the harmless errors of each, or the one for which nothing is kept;
// failed is the operation whose it is, -1 for everybody's.
func (c *Committer[T]) try(batch []*operation[T]) (errs []error, failed int, err error) {
	tx, err := c.backend.Begin()
	if err != nil {
		return nil, -1, err
	}
	errs = make([]error, len(batch))
	for i, op := range batch {
		if err = call(op.do, tx); err == nil {
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

// call makes an error of a panic: the goroutine is everybody's, and its end would
// be that of the program.
func call[T any](do func(T) error, tx T) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicked{value}
		}
	}()
	return do(tx)
}

type panicked struct{ value any }

func (p *panicked) Error() string { return fmt.Sprint("panic: ", p.value) }
