package outboxtest

import (
	"slices"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// RunCopied tests the adoption of copies. copied copies the store's outbox and opens the copy while
// the store is open.
func RunCopied(t *testing.T, open func(t *testing.T, clock *Clock) (store outbox.Store, copied func() outbox.Store)) {
	t.Helper()
	for _, r := range []struct {
		sentence string
		test     func(original, twin *fixture)
	}{
		{"a copy delivers nothing until it is adopted, and what waited is in doubt then", testCopyAdopted},
		{"an outbox that was moved goes on, but for what was being sent", testCopyMoved},
		{"an outbox that lives where it was made is not adopted", testCopyOriginal},
	} {
		t.Run(r.sentence, func(t *testing.T) {
			t.Parallel()
			clock := NewClock()
			store, copied := open(t, clock)
			s := newFixture(t, store, clock)
			for _, state := range queue.States() {
				if state != queue.Expired { // it would take hours, and the other leases would lapse
					s.reach(state)
				}
			}
			r.test(s, newFixture(t, copied(), clock))
		})
	}
}

// states returns the states of all recipients, in the order in which RunCopied created them.
func (s *fixture) states() (all []queue.State) {
	s.Helper()
	page, err := s.store.List(s.ctx, queue.Filter{Oldest: true})
	s.must("List", err)
	for _, e := range page.Entries {
		all = append(all, e.Recipients[0].State)
	}
	return all
}

func (s *fixture) copied() bool {
	s.Helper()
	stats, err := s.store.Stats(s.ctx)
	s.must("Stats", err)
	return stats.Copied
}

func testCopyAdopted(original, s *fixture) {
	before := s.states()
	s.same("the states of both", original.states(), before)
	s.is("Join", s.store.Join(s.ctx, queue.Worker{Owner: "w"}, lease), queue.ErrCopied)
	if !s.copied() || original.copied() {
		s.Errorf("copied: %v, the original: %v", s.copied(), original.copied())
	}
	want, doubted := slices.Clone(before), 0
	for i, state := range want {
		if !state.Final() && state != queue.InDoubt {
			want[i] = queue.InDoubt
			doubted++
		}
	}
	got, err := s.store.Adopt(s.ctx, false)
	s.must("Adopt", err)
	s.same("Adopt", outbox.Adopted{Was: true, Doubted: doubted}, got)
	s.same("the states", want, s.states())
	got, err = s.store.Adopt(s.ctx, false)
	s.must("Adopt", err)
	s.same("Adopt again", outbox.Adopted{}, got)
	s.same("Sweep", outbox.Swept{}, s.sweep())
	s.enqueue(newLetter())
	s.join("w")
	s.leases("w", 1)
	if s.copied() {
		s.Error("it is a copy still")
	}
	original.same("the states of the original", before, original.states())
	original.join("w")
}

func testCopyMoved(_, s *fixture) {
	want := s.states()
	for i, state := range want {
		switch state {
		case queue.Leased:
			want[i] = queue.Queued
		case queue.Sending:
			want[i] = queue.InDoubt
		}
	}
	got, err := s.store.Adopt(s.ctx, true)
	s.must("Adopt", err)
	s.same("Adopt", outbox.Adopted{Was: true, Doubted: 1}, got)
	s.same("the states", want, s.states())
	s.join("w")
}

func testCopyOriginal(s, _ *fixture) {
	before := s.states()
	got, err := s.store.Adopt(s.ctx, false)
	s.must("Adopt", err)
	s.same("Adopt", outbox.Adopted{}, got)
	s.same("the states", before, s.states())
	s.join("w")
	s.clock.Advance(time.Second)
}
