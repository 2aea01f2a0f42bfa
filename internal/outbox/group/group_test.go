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

type testPage struct{ entries []int }

func (p *testPage) addEntry(n int) { p.entries = append(p.entries, n) }

func (b *book) newCommitter(t *testing.T) *group.Committer[*testPage] {
	c := group.New(group.Backend[*testPage]{
		Begin: func() (*testPage, error) {
			if b.gate != nil {
				<-b.gate
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			b.begun++
			return &testPage{}, b.beginErr
		},
		Commit: func(p *testPage) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.commitErr != nil {
				return b.commitErr
			}
			b.committed++
			b.kept = append(b.kept, p.entries...)
			return nil
		},
		Rollback: func(*testPage) {},
	})
	t.Cleanup(c.Close)
	return c
}

// runInOneTx puts operations into the same transaction: an earlier one is begun, and held, until
// they are queued. It returns their errors in order.
func runInOneTx(t *testing.T, b *book, ops ...func(*testPage) error) []error {
	t.Helper()
	errs := make([]error, len(ops))
	synctest.Test(t, func(t *testing.T) {
		b.gate = make(chan struct{})
		c := b.newCommitter(t)
		go func() { _ = c.Do(context.Background(), func(*testPage) error { return nil }) }()
		synctest.Wait()
		for i, op := range ops {
			go func() { errs[i] = doRecovering(c, op) }()
			synctest.Wait()
		}
		close(b.gate)
		synctest.Wait()
		c.Close()
	})
	return errs
}

type rethrownPanic struct{ value any }

func (t rethrownPanic) Error() string { return fmt.Sprint(t.value) }

func doRecovering(c *group.Committer[*testPage], op func(*testPage) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = rethrownPanic{v}
		}
	}()
	return c.Do(context.Background(), op)
}

func writeEntry(n int) func(*testPage) error {
	return func(p *testPage) error { p.addEntry(n); return nil }
}

func TestOneCommitForAll(t *testing.T) {
	t.Parallel()
	b := &book{}
	var ops []func(*testPage) error
	for n := range 100 {
		ops = append(ops, writeEntry(n))
	}
	for i, err := range runInOneTx(t, b, ops...) {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if b.committed != 2 || len(b.kept) != 100 {
		t.Errorf("%d commits keep %d, want 2 and 100", b.committed, len(b.kept))
	}
}

var errBad = errors.New("bad")

func failingWrite(n int) func(*testPage) error {
	return func(p *testPage) error { p.addEntry(n); return errBad }
}

func TestFailureIsItsOwn(t *testing.T) {
	t.Parallel()
	for _, bad := range [][]int{{0}, {5}, {9}, {2, 3}, {0, 1, 2, 3, 4, 5, 6, 7}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}} {
		b := &book{}
		var ops []func(*testPage) error
		for n := range 10 {
			if slices.Contains(bad, n) {
				ops = append(ops, failingWrite(n))
				continue
			}
			ops = append(ops, writeEntry(n))
		}
		for i, err := range runInOneTx(t, b, ops...) {
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
	errs := runInOneTx(t, b,
		func(p *testPage) error { calls++; p.addEntry(1); return nil },
		func(*testPage) error { return group.Harmless(fmt.Errorf("found: %w", errBad)) },
		writeEntry(3))
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
	errs := runInOneTx(t, b, writeEntry(1), func(p *testPage) error { calls++; p.addEntry(2); return nil },
		func(*testPage) error { return group.Harmless(errors.New("found")) })
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
	for i, err := range runInOneTx(t, b, writeEntry(1), writeEntry(2)) {
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
	errs := runInOneTx(t, b, writeEntry(1), func(*testPage) error { panic("oh") }, writeEntry(3))
	if errs[0] != nil || errs[2] != nil || errs[1] != (rethrownPanic{"oh"}) {
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
		c := b.newCommitter(t)
		for i := range errs {
			go func() { errs[i] = doRecovering(c, writeEntry(i)) }()
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
		if err := doRecovering(c, writeEntry(9)); !errors.Is(err, group.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
	if errs[0] != nil || !errors.Is(errs[1], group.ErrClosed) || !errors.Is(errs[2], group.ErrClosed) || !slices.Equal(b.kept, []int{0}) {
		t.Errorf("%v, kept %v", errs, b.kept)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	b := &book{}
	c := b.newCommitter(t)
	over, cancel := context.WithCancelCause(context.Background())
	cancel(errBad)
	if err := c.Do(over, writeEntry(1)); !errors.Is(err, errBad) {
		t.Errorf("a context that was over: %v", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	if err := c.Do(ctx, func(p *testPage) error { cancel(errBad); p.addEntry(2); return nil }); err != nil {
		t.Errorf("a context that ended after the start: %v", err)
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
	c := b.newCommitter(t)
	const callers, each = 64, 50
	var wait sync.WaitGroup
	for caller := range callers {
		wait.Go(func() {
			for i := range each {
				n := caller*each + i
				op := writeEntry(n)
				if n%13 == 0 {
					op = failingWrite(n)
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
