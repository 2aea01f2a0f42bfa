package outboxtest

import (
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Begin starts a transaction of the caller in the outbox's database. Each is committed or rolled
// back once.
type Begin func() (tx outbox.CallerTx, commit, rollback func() error)

// RunIn tests EnqueueIn.
func RunIn(t *testing.T, open func(t *testing.T, clock *Clock) (outbox.Store, Begin)) {
	t.Helper()
	for _, r := range []struct {
		sentence string
		test     func(*fixture, Begin)
	}{
		{"a message is kept with the caller's transaction", testInCommitted},
		{"a name that can't be shown is refused", testInBadNames},
		{"what is rolled back was never there", testInRolledBack},
		{"keys are what they are elsewhere", testInKeys},
		{"events of a transaction that ends late are not missed", testInLate},
	} {
		t.Run(r.sentence, func(t *testing.T) {
			t.Parallel()
			clock := NewClock()
			store, begin := open(t, clock)
			r.test(newFixture(t, store, clock), begin)
		})
	}
}

func (s *fixture) enqueueIn(tx outbox.CallerTx, n outbox.NewMessage) queue.ID {
	s.Helper()
	r, err := s.store.EnqueueIn(s.ctx, tx, n)
	s.must("EnqueueIn", err)
	if r.Duplicate || r.ID < 1 {
		s.Fatalf("EnqueueIn returned %+v", r)
	}
	return r.ID
}

func testInCommitted(s *fixture, begin Begin) {
	large := newLetter("1@example.org", "用户@bücher.example")
	large.Content, large.Key, large.Tags = newText(700_000), "k", []string{"news"}
	plain := large
	plain.Key = ""
	want := s.show(s.enqueue(plain))
	s.enqueue(newLetter())
	tx, commit, _ := begin()
	first, second := s.enqueueIn(tx, large), s.enqueueIn(tx, newLetter())
	if n := s.found(queue.Filter{}); n != 2 {
		s.Errorf("before the commit there are %d messages, want 2", n)
	}
	s.must("commit", commit())
	got := s.show(first)
	want.ID, want.Key = first, "k"
	want.Events[0].ID = first
	s.same("Show", want, got)
	s.sameBody("Body", large.Content.(*testContent), s.body(first))
	s.join("w")
	if ls := s.leases("w", 6); ls[5].ID != second {
		s.Errorf("claimed were %v", ls)
	}
	events, _ := s.events("", 10)
	if len(events) != 4 || events[2].ID != first || events[3].ID != second {
		s.Errorf("events are %+v", events)
	}
}

func testInRolledBack(s *fixture, begin Begin) {
	large := newLetter()
	large.Content, large.Key = newText(700_000), "k"
	tx, _, rollback := begin()
	id := s.enqueueIn(tx, large)
	s.must("rollback", rollback())
	_, err := s.store.Show(s.ctx, id)
	s.is("Show", err, queue.ErrNotFound)
	if events, _ := s.events("", 10); len(events) != 0 {
		s.Errorf("events are %+v", events)
	}
	again := s.enqueue(large)
	s.sameBody("Body", large.Content.(*testContent), s.body(again))
}

func testInKeys(s *fixture, begin Begin) {
	n := newLetter()
	n.Key = "k"
	first := s.enqueue(n)
	tx, commit, _ := begin()
	r, err := s.store.EnqueueIn(s.ctx, tx, n)
	s.must("EnqueueIn", err)
	s.same("the same key", outbox.EnqueueResult{ID: first, Duplicate: true}, r)
	other := n
	other.Key = "other"
	id := s.enqueueIn(tx, other)
	r, err = s.store.EnqueueIn(s.ctx, tx, other)
	s.must("EnqueueIn", err)
	s.same("the same key in the transaction", outbox.EnqueueResult{ID: id, Duplicate: true}, r)
	n.Fingerprint[0] = 1
	_, err = s.store.EnqueueIn(s.ctx, tx, n)
	s.is("another fingerprint", err, queue.ErrConflict)
	s.must("commit behind a conflict", commit())
	s.show(id)
}

// testInLate starts a transaction before another message is enqueued, and ends it after that if the
// store allows both at once.
func testInLate(s *fixture, begin Begin) {
	tx, commit, _ := begin()
	late := s.enqueueIn(tx, newLetter())
	enqueued := make(chan queue.ID, 1)
	go func() {
		r, err := s.store.Enqueue(s.ctx, newLetter())
		if err != nil {
			s.Errorf("Enqueue: %v", err)
		}
		enqueued <- r.ID
	}()
	var other queue.ID
	select {
	case other = <-enqueued:
	case <-time.After(300 * time.Millisecond): // it waits for the transaction
	}
	before, at := s.events("", 10)
	s.must("commit", commit())
	if other == 0 {
		other = <-enqueued
	}
	behind, _ := s.events(at, 10)
	seen := map[queue.ID]int{}
	for _, e := range append(before, behind...) {
		seen[e.ID]++
	}
	if len(seen) != 2 || seen[late] != 1 || seen[other] != 1 {
		s.Errorf("of %d and %d were seen %v", late, other, seen)
	}
}
