package outboxtest

import (
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

var changeRules = []contractRule{
	{"a change is of the recipients that the filter chooses", testChangeChosen},
	{"a change of one message that can't be made is an error, of many it is not", testChangeErrors},
	{"Retry ignores not before", testRetryScheduled},
	{"Release leaves the due time as it was", testReleaseKeepsDue},
	{"what is queued again by a person has time to live", testNewLife},
	{"what is held, released or retried is not the old worker's", testTakenBack},
	{"what is in doubt is doubted for good", testDoubted},
}

func testChangeChosen(s *fixture) {
	first := s.enqueue(newLetter("ann@example.org", "bob@example.org", "cid@example.org"))
	second := s.enqueue(newLetter("ann@example.com", "bob@example.com"))
	n := newLetter("ann@example.org")
	n.Account = "b"
	third := s.enqueue(n)
	one := 1
	nine := 9
	for i, test := range []struct {
		change outbox.Change
		want   queue.Changed
		states string // of first, second and third
	}{
		{outbox.Change{Verb: queue.Hold, Filter: queue.Filter{To: "ann@", Account: "a"}}, queue.Changed{Messages: 2, Recipients: 2}, "hqq hq q"},
		{outbox.Change{Verb: queue.Hold, Filter: queue.Filter{Account: "a"}, N: &one}, queue.Changed{Messages: 2, Recipients: 2}, "hhq hh q"},
		{outbox.Change{Verb: queue.Hold}, queue.Changed{Messages: 2, Recipients: 2, Untouched: 4}, "hhh hh h"},
		{outbox.Change{Verb: queue.Hold}, queue.Changed{Untouched: 6}, "hhh hh h"},
		{outbox.Change{Verb: queue.Hold, N: &nine}, queue.Changed{}, "hhh hh h"},
		{outbox.Change{Verb: queue.Release, Filter: queue.Filter{IDs: []queue.ID{first, third}, Limit: 1, Before: 1}},
			queue.Changed{Messages: 2, Recipients: 4}, "qqq hh q"},
		{outbox.Change{Verb: queue.Cancel, Filter: queue.Filter{States: []queue.State{queue.Held}, To: "bob"}},
			queue.Changed{Messages: 1, Recipients: 1}, "qqq hc q"},
		{outbox.Change{Verb: queue.Cancel, Filter: queue.Filter{IDs: []queue.ID{second}}},
			queue.Changed{Messages: 1, Recipients: 1, Untouched: 1}, "qqq cc q"},
		{outbox.Change{Verb: queue.Cancel, Filter: queue.Filter{IDs: []queue.ID{second}, To: "nobody"}}, queue.Changed{}, "qqq cc q"},
		{outbox.Change{Verb: queue.Cancel, Filter: queue.Filter{IDs: []queue.ID{second, second + 1000}}},
			queue.Changed{Untouched: 2}, "qqq cc q"},
		{outbox.Change{Verb: queue.Cancel, Filter: queue.Filter{Doubted: true}}, queue.Changed{}, "qqq cc q"},
	} {
		got, err := s.store.Change(s.ctx, test.change)
		s.must("Change", err)
		if got != test.want {
			s.Errorf("change %d: got %+v, want %+v", i, got, test.want)
		}
		states := ""
		for j, id := range []queue.ID{first, second, third} {
			if j > 0 {
				states += " "
			}
			for _, r := range s.show(id).Recipients {
				states += string(r.State[0])
			}
		}
		if states != test.states {
			s.Errorf("change %d: states are %q, want %q", i, states, test.states)
		}
	}
}

func testChangeErrors(s *fixture) {
	id := s.enqueue(newLetter("1@example.org", "2@example.org"))
	_, err := s.store.Change(s.ctx, outbox.Change{Verb: queue.Hold, Filter: queue.Filter{IDs: []queue.ID{id + 1}}})
	s.is("a message that is not there", err, queue.ErrNotFound)
	_, err = s.store.Change(s.ctx, outbox.Change{Verb: queue.Hold, Filter: queue.Filter{IDs: []queue.ID{id + 1, id + 2}}})
	s.must("two that are not there", err)
	one := 1
	changed, err := s.store.Change(s.ctx, outbox.Change{Verb: queue.Release, Filter: queue.Filter{IDs: []queue.ID{id}}, N: &one})
	if d := lineDifference(flatten(queue.StateError{ID: id, N: 1, From: queue.Queued, Verb: queue.Release}, nil), []string{errorProperties(err, nil)}); errorProperties(err, nil) == "no error" {
		s.Errorf("releasing a queued recipient returned no error%s", d)
	}
	if changed != (queue.Changed{Untouched: 1}) {
		s.Errorf("and returned %+v", changed)
	}
	changed, err = s.store.Change(s.ctx, outbox.Change{Verb: "burn", Filter: queue.Filter{}})
	s.must("a verb that there is not", err)
	if changed != (queue.Changed{Untouched: 2}) {
		s.Errorf("an unknown verb returned %+v", changed)
	}
}

func testRetryScheduled(s *fixture) {
	n := newLetter()
	n.NotBefore = s.clock.Now().Add(time.Hour)
	id := s.enqueue(n)
	s.join("w")
	s.leases("w", 0)
	s.change(queue.Retry, id)
	s.same("Due", []outbox.Due{{Account: "a"}}, s.due())
	s.leases("w", 1)
}

func (s *fixture) due() []outbox.Due {
	s.Helper()
	due, err := s.store.Due(s.ctx)
	s.must("Due", err)
	return due
}

func testReleaseKeepsDue(s *fixture) {
	l, _ := s.reach(queue.Deferred)
	due := s.status(l.ID).Due
	s.change(queue.Hold, l.ID)
	if len(s.due()) != 0 {
		s.Errorf("held recipients are due: %v", s.due())
	}
	s.change(queue.Release, l.ID)
	if st := s.status(l.ID); !st.Due.Equal(due) || st.State != queue.Queued {
		s.Errorf("after the release: %s, due %v, want %v", st.State, st.Due, due)
	}
}

func testNewLife(s *fixture) {
	for state, verb := range map[queue.State]queue.Verb{
		queue.Failed: queue.Retry, queue.Cancelled: queue.Retry, queue.Expired: queue.Retry, queue.Deferred: queue.Retry,
		queue.Held: queue.Release, queue.InDoubt: queue.ResolveResend,
	} {
		early, _ := s.reach(state)
		expires := s.show(early.ID).Expires
		s.change(verb, early.ID)
		if state != queue.Expired && !s.show(early.ID).Expires.Equal(expires) {
			s.Errorf("%s of %s changed the remaining lifetime", verb, state)
		}
		l, _ := s.reach(state)
		s.clock.Advance(2 * time.Hour)
		s.change(verb, l.ID)
		s.same(string(verb), s.clock.Now().Add(outbox.Lifetime), s.show(l.ID).Expires)
		s.sweep()
		if got := s.status(l.ID).State; got != queue.Queued {
			s.Errorf("%s of %s: after Sweep it is %s", verb, state, got)
		}
		s.change(queue.Cancel, l.ID)
	}
	l, _ := s.reach(queue.Deferred)
	s.clock.Advance(2 * time.Hour)
	s.change(queue.Hold, l.ID)
	s.change(queue.Cancel, l.ID)
	if e := s.show(l.ID); !e.Expires.Before(s.clock.Now()) {
		s.Errorf("Hold and Cancel changed the expiry to %v", e.Expires)
	}
}

func testTakenBack(s *fixture) {
	for _, back := range [][]queue.Verb{
		{queue.Hold}, {queue.Cancel}, {queue.Hold, queue.Release}, {queue.Cancel, queue.Retry},
	} {
		l, owner := s.reach(queue.Leased)
		for _, v := range back {
			s.change(v, l.ID)
		}
		if lost := s.mark(owner, l); len(lost) != 1 {
			s.Errorf("after %v it could be marked", back)
		}
		if st := s.status(l.ID); st.Worker != "" {
			s.Errorf("after %v its worker is %q", back, st.Worker)
		}
		s.must("Leave", s.store.Leave(s.ctx, owner))
		if len(back) == 1 && s.status(l.ID).State.Waiting() {
			s.Errorf("after %v and Leave it is %s", back, s.status(l.ID).State)
		}
	}
}

func testDoubted(s *fixture) {
	l, _ := s.reach(queue.InDoubt)
	s.change(queue.ResolveResend, l.ID)
	s.join("w")
	items := s.claim(outbox.Claim{Owner: "w", Account: s.show(l.ID).Account, Recipients: 1}).Items
	if len(items) != 1 || !items[0].Recipients[0].Doubted {
		s.Fatalf("Claim returned %+v", items)
	}
	l.Token = 2
	s.settle(l, queue.HandedOver)
	if st := s.status(l.ID); !st.Doubted {
		s.Error("it is not doubted any more")
	}
	page, err := s.store.List(s.ctx, queue.Filter{Doubted: true})
	s.must("List", err)
	if len(page.Entries) != 1 {
		s.Errorf("List returned %d that were in doubt", len(page.Entries))
	}
}
