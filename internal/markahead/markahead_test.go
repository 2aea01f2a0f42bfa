package markahead_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/internal/markahead"
)

// disk is a store that takes a second to commit, and records the batches.
type disk struct {
	mu      sync.Mutex
	commits [][]int
}

func (d *disk) commitItems(batch []int) []error {
	time.Sleep(time.Second)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.commits = append(d.commits, slices.Clone(batch))
	return nil
}

// markedItems returns the items that are on the disk.
func (d *disk) markedItems() []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Concat(d.commits...)
}

// addItems returns the marks of the items 0 to n-1.
func addItems(m *markahead.Marker[int], n int) []*markahead.Mark[int] {
	marks := make([]*markahead.Mark[int], n)
	for i := range marks {
		marks[i] = m.Add(i)
	}
	return marks
}

// An item is on the disk before Begin returns, whatever the target is. The commits ahead
// save waiting, and at most a target and a half of items are marked and not begun.
func TestItemsAreMarkedBeforeTheyBegin(t *testing.T) {
	t.Parallel()
	const items = 40
	for target, most := range map[int]time.Duration{1: items * time.Second, 4: 20 * time.Second, 16: 6 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			d := &disk{}
			m := markahead.New(markahead.Options[int]{Commit: d.commitItems, Target: func() int { return target }})
			start := time.Now()
			for i, mark := range addItems(m, items) {
				if err := mark.Begin(); err != nil {
					t.Fatal(err)
				}
				if !slices.Contains(d.markedItems(), i) {
					t.Fatalf("target %d: item %d begins before it is marked", target, i)
				}
				time.Sleep(100 * time.Millisecond)
				if ahead := len(d.markedItems()) - i - 1; ahead > target+target/2 {
					t.Errorf("target %d: %d items are marked ahead", target, ahead)
				}
				mark.Done()
			}
			m.Wait()
			if took := time.Since(start) - items*100*time.Millisecond; took > most {
				t.Errorf("target %d: waited %v for the disk, want at most %v", target, took, most)
			}
			got := slices.Sorted(slices.Values(d.markedItems()))
			if len(got) != items || len(slices.Compact(got)) != items {
				t.Errorf("target %d: the disk has %v", target, d.commits)
			}
		})
	}
}

// With a target of 1 nothing is marked before its turn, in any order.
func TestTargetOfOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		m := markahead.New(markahead.Options[int]{Commit: d.commitItems, Target: func() int { return 1 }})
		marks := addItems(m, 3)
		for _, i := range []int{2, 0, 1, 1} {
			if err := marks[i].Begin(); err != nil {
				t.Fatal(err)
			}
		}
		if got := d.markedItems(); !slices.Equal(got, []int{2, 0, 1}) {
			t.Errorf("marked %v", got)
		}
	})
}

// An item that is done before its turn is not marked, and makes no room for others.
func TestDoneItemsAreNotMarked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		m := markahead.New(markahead.Options[int]{Commit: d.commitItems, Target: func() int { return 3 }})
		marks := addItems(m, 5)
		marks[1].Done()
		if err := marks[0].Begin(); err != nil {
			t.Fatal(err)
		}
		m.Wait()
		if want := [][]int{{0, 2, 3}}; !slices.EqualFunc(d.commits, want, slices.Equal[[]int]) {
			t.Errorf("marked %v, want %v", d.commits, want)
		}
	})
}

// An item that can't be marked is not sent; the others of its commit are.
func TestErrors(t *testing.T) {
	t.Parallel()
	lost := errors.New("lost")
	m := markahead.New(markahead.Options[int]{Target: func() int { return 3 }, Commit: func(batch []int) []error {
		errs := make([]error, len(batch))
		errs[1] = lost
		return errs
	}})
	marks := addItems(m, 3)
	for i, want := range []error{nil, lost, nil} {
		if err := marks[i].Begin(); !errors.Is(err, want) {
			t.Errorf("item %d: %v, want %v", i, err, want)
		}
		if err := marks[i].Err(); !errors.Is(err, want) {
			t.Errorf("item %d: Err is %v, want %v", i, err, want)
		}
	}
}

// A panic of Commit reaches the guard, and leaves no item waiting.
func TestPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var guarded any
		calls := 0
		m := markahead.New(markahead.Options[int]{Target: func() int { return 2 },
			Commit: func([]int) []error {
				if calls++; calls > 1 {
					panic("broken")
				}
				return nil
			},
			Guard: func(commit func()) {
				defer func() { guarded = recover() }()
				commit()
			}})
		marks := addItems(m, 4)
		for i, want := range []error{nil, nil, markahead.ErrAborted, markahead.ErrAborted} {
			if err := marks[i].Begin(); !errors.Is(err, want) {
				t.Errorf("item %d: %v, want %v", i, err, want)
			}
		}
		m.Wait()
		if guarded != "broken" {
			t.Errorf("the guard recovered %v", guarded)
		}
	})
}
