package outboxtest

import (
	"slices"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

var pruneRules = []contractRule{
	{"Prune forgets what is finished, by the age of its end", testPrune},
	{"Prune leaves what is not finished, and bodies of what was not handed over", testPruneStates},
	{"what was pruned is gone with its events", testPruneEvents},
}

func (s *fixture) prune(r outbox.Retention, want outbox.Pruned) {
	s.Helper()
	got, err := s.store.Prune(s.ctx, r)
	s.must("Prune", err)
	s.same("Prune", want, got)
}

func testPrune(s *fixture) {
	keep := outbox.Retention{Bodies: time.Hour, Messages: 10 * time.Hour}
	large := newLetter("1@example.org", "2@example.org")
	large.Content = newText(500_000)
	first, second := s.enqueue(large), s.enqueue(newLetter())
	s.join("w")
	ls := s.leases("w", 3)
	s.settle(ls[0], queue.HandedOver)
	s.settle(ls[2], queue.HandedOver)
	s.clock.Advance(30 * time.Minute)
	s.settle(ls[1], queue.HandedOver) // the last recipient of first
	s.prune(keep, outbox.Pruned{})
	s.clock.Advance(30*time.Minute - time.Millisecond)
	s.prune(keep, outbox.Pruned{})
	s.clock.Advance(time.Millisecond)
	s.prune(keep, outbox.Pruned{Bodies: 1, Bytes: 300})
	s.prune(keep, outbox.Pruned{})
	if a, b := s.show(first), s.show(second); !a.HasBody || a.Subject != "Hello" || b.HasBody || b.Subject != "" || b.Size != 300 {
		s.Errorf("bodies are %v and %v, subjects %q and %q", a.HasBody, b.HasBody, a.Subject, b.Subject)
	}
	s.clock.Advance(30 * time.Minute)
	s.prune(keep, outbox.Pruned{Bodies: 1, Bytes: 500_000})
	s.clock.Advance(8*time.Hour + 30*time.Minute - time.Millisecond)
	s.prune(keep, outbox.Pruned{})
	s.clock.Advance(time.Millisecond)
	s.prune(keep, outbox.Pruned{Messages: 1})
	_, err := s.store.Show(s.ctx, second)
	s.is("Show of what is forgotten", err, queue.ErrNotFound)
	_, err = s.store.Body(s.ctx, second)
	s.is("Body of what is forgotten", err, queue.ErrNotFound)
	s.show(first)
	s.prune(outbox.Retention{Bodies: time.Hour}, outbox.Pruned{Messages: 1})
	if n := s.found(queue.Filter{}); n != 0 {
		s.Errorf("%d messages are left", n)
	}
}

func testPruneStates(s *fixture) {
	states := queue.States()
	slices.Reverse(states) // Expired takes a Sweep, which would change others
	for _, state := range states {
		l, _ := s.reach(state)
		s.clock.Advance(time.Hour)
		want := outbox.Pruned{}
		if state == queue.HandedOver {
			want = outbox.Pruned{Bodies: 1, Bytes: 300}
		}
		s.prune(outbox.Retention{Bodies: time.Hour, Messages: time.Hour + 1*time.Minute}, want)
		if s.show(l.ID).HasBody != (state != queue.HandedOver) {
			s.Errorf("%s: has its body: %v", state, s.show(l.ID).HasBody)
		}
		want = outbox.Pruned{}
		if state.Final() {
			want = outbox.Pruned{Messages: 1, Bytes: 300}
		}
		if state == queue.HandedOver {
			want.Bytes = 0
		}
		s.prune(outbox.Retention{Bodies: time.Hour}, want)
	}
	id := s.enqueue(newLetter("1@example.org", "2@example.org"))
	s.join("w")
	ls := s.leases("w", 2)
	s.settle(ls[0], queue.HandedOver)
	s.prune(outbox.Retention{}, outbox.Pruned{})
	s.settle(ls[1], queue.Failed)
	s.prune(outbox.Retention{Messages: time.Hour}, outbox.Pruned{})
	n := 1
	_, err := s.store.Change(s.ctx, outbox.Change{Verb: queue.Retry, Filter: queue.Filter{IDs: []queue.ID{id}}, N: &n})
	s.must("Retry", err)
	s.settle(s.leases("w", 1)[0], queue.HandedOver)
	s.prune(outbox.Retention{Messages: time.Hour}, outbox.Pruned{Bodies: 1, Bytes: 300})
}

func testPruneEvents(s *fixture) {
	n := newLetter()
	n.Key = "k"
	gone := s.enqueue(n)
	stays := s.enqueue(newLetter())
	s.change(queue.Cancel, gone)
	s.prune(outbox.Retention{}, outbox.Pruned{Messages: 1, Bytes: 300})
	events, _ := s.events("", 10)
	if len(events) != 1 || events[0].ID != stays {
		s.Errorf("events are %+v", events)
	}
	if id := s.enqueue(n); id <= stays {
		s.Errorf("the ID %d is used again", id)
	}
	stats, err := s.store.Stats(s.ctx)
	s.must("Stats", err)
	s.same("Stats", []queue.AccountStats{{Account: "a", Count: map[queue.State]int{queue.Queued: 2}}}, stats.Accounts)
	if !s.settle(outbox.Lease{ID: gone, Token: 1}, queue.HandedOver) {
		s.Error("an answer of what is forgotten is believed")
	}
}
