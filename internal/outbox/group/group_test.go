package group_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/yanmail/yan/internal/outbox/group"
)

// book is a backend that records the committed entries.
type book struct {
	mu        sync.Mutex
	kept      []int
	begun     int
	committed int
	gate      chan struct{} // Begin takes one value; nil: it does not wait
	beginErr  error
	commitErr error
}

type page struct{ entries []int }

func (p *page) write(n int) { p.entries = append(p.entries, n) }

func (b *book) committer(t *testing.T) *group.Committer[*page] {
	c := group.New(group.Backend[*page]{
		Begin: func() (*page, error) {
			if b.gate != nil {
				<-b.gate
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			b.begun++
			return &page{}, b.beginErr
		},
		Commit: func(p *page) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.commitErr != nil {
				return b.commitErr
			}
			b.committed++
			b.kept = append(b.kept, p.entries...)
			return nil
		},
		Rollback: func(*page) {},
	})
	t.Cleanup(c.Close)
	return c
}

// together puts operations into the same transaction: an earlier one is begun, and held, until
// they are queued. It returns their errors in order.
func together(t *testing.T, b *book, ops ...func(*page) error) []error {
	t.Helper()
	errs := make([]error, len(ops))
	synctest.Test(t, func(t *testing.T) {
		b.gate = make(chan struct{})
		c := b.committer(t)
		go func() { _ = c.Do(context.Background(), func(*page) error { return nil }) }()
		synctest.Wait()
		for i, op := range ops {
			go func() { errs[i] = do(c, op) }()
			synctest.Wait()
		}
		close(b.gate)
		synctest.Wait()
		c.Close()
	})
	return errs
}

type thrown struct{ value any }

func (t thrown) Error() string { return fmt.Sprint(t.value) }

func do(c *group.Committer[*page], op func(*page) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = thrown{v}
		}
	}()
	return c.Do(context.Background(), op)
}

func writes(n int) func(*page) error { return func(p *page) error { p.write(n); return nil } }

func TestOneCommitForAll(t *testing.T) {
	t.Parallel()
	b := &book{}
	var ops []func(*page) error
	for n := range 100 {
		ops = append(ops, writes(n))
	}
	for i, err := range together(t, b, ops...) {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if b.committed != 2 || len(b.kept) != 100 {
		t.Errorf("%d commits keep %d, want 2 and 100", b.committed, len(b.kept))
	}
}

var errBad = errors.New("bad")

func fails(n int) func(*page) error {
	return func(p *page) error { p.write(n); return errBad }
}

func TestFailureIsItsOwn(t *testing.T) {
	t.Parallel()
	for _, bad := range [][]int{{0}, {5}, {9}, {2, 3}, {0, 1, 2, 3, 4, 5, 6, 7}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}} {
		b := &book{}
		var ops []func(*page) error
		for n := range 10 {
			if slices.Contains(bad, n) {
				ops = append(ops, fails(n))
				continue
			}
			ops = append(ops, writes(n))
		}
		for i, err := range together(t, b, ops...) {
			if want := slices.Contains(bad, i); errors.Is(err, errBad) != want || want == (err == nil) {
				t.Errorf("%v: operation %d: %v", bad, i, err)
			}
		}
		slices.Sort(b.kept)
		if len(b.kept) != 10-len(bad) || slices.ContainsFunc(b.kept, func(n int) bool { return slices.Contains(bad, n) }) {
			t.Errorf("%v: kept %v", bad, b.kept)
		}
		if b.begun > 1+4+10 { // the first, the batches, and each alone
			t.Errorf("%v: %d transactions for 10 operations", bad, b.begun)
		}
	}
}

func TestHarmlessErrorCostsNobodyAnything(t *testing.T) {
	t.Parallel()
	b := &book{}
	calls := 0
	errs := together(t, b,
		func(p *page) error { calls++; p.write(1); return nil },
		func(*page) error { return group.Harmless(fmt.Errorf("found: %w", errBad)) },
		writes(3))
	if errs[0] != nil || errs[2] != nil || !errors.Is(errs[1], errBad) || errs[1].Error() != "found: bad" {
		t.Errorf("%v", errs)
	}
	if calls != 1 || b.begun != 2 || !slices.Equal(b.kept, []int{1, 3}) {
		t.Errorf("called %d times in %d transactions, kept %v", calls, b.begun, b.kept)
	}
}

func TestFailedCommitIsEverybodys(t *testing.T) {
	t.Parallel()
	b := &book{commitErr: errBad}
	calls := 0
	errs := together(t, b, writes(1), func(p *page) error { calls++; p.write(2); return nil },
		func(*page) error { return group.Harmless(errors.New("found")) })
	for i, err := range errs {
		if !errors.Is(err, errBad) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if calls != 1 || b.begun != 2 || len(b.kept) > 0 {
		t.Errorf("called %d times in %d transactions, kept %v", calls, b.begun, b.kept)
	}
}

func TestFailedBeginIsEverybodys(t *testing.T) {
	t.Parallel()
	b := &book{beginErr: errBad}
	for i, err := range together(t, b, writes(1), writes(2)) {
		if !errors.Is(err, errBad) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if b.begun != 2 {
		t.Errorf("%d transactions", b.begun)
	}
}

func TestPanicIsTheCallers(t *testing.T) {
	t.Parallel()
	b := &book{}
	errs := together(t, b, writes(1), func(*page) error { panic("oh") }, writes(3))
	if errs[0] != nil || errs[2] != nil || errs[1] != (thrown{"oh"}) {
		t.Errorf("%v", errs)
	}
	slices.Sort(b.kept)
	if !slices.Equal(b.kept, []int{1, 3}) {
		t.Errorf("kept %v", b.kept)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	b := &book{}
	errs := make([]error, 3)
	synctest.Test(t, func(t *testing.T) {
		b.gate = make(chan struct{})
		c := b.committer(t)
		for i := range errs {
			go func() { errs[i] = do(c, writes(i)) }()
			synctest.Wait() // the first has begun, the others wait
		}
		closed := false
		go func() { c.Close(); closed = true }()
		synctest.Wait()
		if closed {
			t.Error("closed while a transaction was open")
		}
		close(b.gate)
		synctest.Wait()
		if !closed {
			t.Error("not closed")
		}
		c.Close()
		if err := do(c, writes(9)); !errors.Is(err, group.ErrClosed) {
			t.Errorf("behind Close: %v", err)
		}
	})
	if errs[0] != nil || !errors.Is(errs[1], group.ErrClosed) || !errors.Is(errs[2], group.ErrClosed) || !slices.Equal(b.kept, []int{0}) {
		t.Errorf("%v, kept %v", errs, b.kept)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	b := &book{}
	c := b.committer(t)
	over, cancel := context.WithCancelCause(context.Background())
	cancel(errBad)
	if err := c.Do(over, writes(1)); !errors.Is(err, errBad) {
		t.Errorf("a context that was over: %v", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	if err := c.Do(ctx, func(p *page) error { cancel(errBad); p.write(2); return nil }); err != nil {
		t.Errorf("a context that ended behind the beginning: %v", err)
	}
	if !slices.Equal(b.kept, []int{2}) {
		t.Errorf("kept %v", b.kept)
	}
}

// Among many concurrent callers, some of which fail, every success is kept once, and no
// failure is.
func TestManyCallers(t *testing.T) {
	t.Parallel()
	b := &book{}
	c := b.committer(t)
	const callers, each = 64, 50
	var wait sync.WaitGroup
	for caller := range callers {
		wait.Go(func() {
			for i := range each {
				n := caller*each + i
				op := writes(n)
				if n%13 == 0 {
					op = fails(n)
				}
				if err := c.Do(context.Background(), op); (n%13 == 0) != errors.Is(err, errBad) || n%13 != 0 && err != nil {
					t.Errorf("%d: %v", n, err)
				}
			}
		})
	}
	wait.Wait()
	slices.Sort(b.kept)
	var want []int
	for n := range callers * each {
		if n%13 != 0 {
			want = append(want, n)
		}
	}
	if !slices.Equal(b.kept, want) {
		t.Errorf("kept %d, want %d", len(b.kept), len(want))
	}
}

func BenchmarkDo(b *testing.B) {
	c := group.New(group.Backend[int]{
		Begin: func() (int, error) { return 0, nil }, Commit: func(int) error { return nil }, Rollback: func(int) {},
	})
	defer c.Close()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := c.Do(context.Background(), func(int) error { return nil }); err != nil {
				b.Error(err)
			}
		}
	})
}
