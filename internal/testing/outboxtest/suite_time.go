package outboxtest

import (
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

var timeRules = []contractRule{
	{"what is due now stays due when the clock is set back", testSoonStays},
	{"a date that the sender chose is a date by any clock", testDatesStay},
	{"a pause that was set while the clock was ahead ends", testPausesEnd},
	{"a default lifetime does not end before a try", testUntried},
	{"a default lifetime does not count the time in which nobody tried", testOverdue},
	{"a default lifetime ends by the clock that is right", testLifetimeAhead},
	{"an expiry that the sender chose ends what nobody tried", testFirmExpiry},
	{"a lease does not end by a clock that is set", testLeaseSteps},
	{"a lease ends with the machine", testLeaseReboots},
	{"no lease and no pause is longer than the longest", testLongest},
	{"an automatic Prune does not follow a clock that jumps", testPruneJump},
}

const year = 365 * 24 * time.Hour

func testSoonStays(s *fixture) {
	s.join("w")
	s.clock.Step(year)
	first := s.enqueue(newLetter())
	s.clock.Step(-year)
	second := s.enqueue(newLetter())
	due, err := s.store.Due(s.ctx)
	s.must("Due", err)
	s.same("Due", []outbox.Due{{Account: "a"}}, due)
	if st := s.status(first); st.Due.After(s.clock.Now()) {
		s.Errorf("it is due at %v", st.Due)
	}
	if s.clock.single {
		s.join("again") // the step ended the other worker's lease
		s.same("leased", []outbox.Lease{{ID: second, Token: 1}, {ID: first, Token: 1}}, s.leases("again", 2))
		return
	}
	ls := s.leases("w", 2)
	s.same("leased", []outbox.Lease{{ID: second, Token: 1}, {ID: first, Token: 1}}, ls)
	s.settle(ls[1], queue.Queued) // which causes a pause of a minute
	s.clock.Step(year)
	s.must("Leave", s.store.Leave(s.ctx, "w"))
	s.clock.Step(-year)
	s.join("v")
	if l := s.leases("v", 1)[0]; l.ID != second {
		s.Errorf("claimed %d, want the returned one", l.ID)
	}
}

func testDatesStay(s *fixture) {
	n := newLetter()
	n.NotBefore = s.clock.Now().Add(40 * 24 * time.Hour)
	id := s.enqueue(n)
	s.same("Sweep", outbox.Swept{}, s.sweep())
	s.join("w")
	s.leases("w", 0)
	if st := s.status(id); !st.Due.Equal(n.NotBefore) {
		s.Errorf("it is due at %v", st.Due)
	}
	due, err := s.store.Due(s.ctx)
	s.must("Due", err)
	s.same("Due", []outbox.Due{{Account: "a", In: 40 * 24 * time.Hour}}, due)
	s.clock.Set(n.NotBefore)
	s.join("v")
	s.leases("v", 1)
}

func testPausesEnd(s *fixture) {
	s.enqueue(newLetter("1@example.org", "2@example.org"))
	s.clock.Step(4 * 24 * time.Hour)
	s.join("w")
	ls := s.leases("w", 2)
	s.settle(ls[0], queue.Deferred)
	s.settle(ls[1], queue.Queued)
	_, err := s.store.Pause(s.ctx, outbox.Pause{Account: "a", For: time.Hour, Answer: newRefusal("busy")})
	s.must("Pause", err)
	s.clock.Step(-4 * 24 * time.Hour)
	s.join("v")
	s.leases("v", 0) // the pauses end in four days, until a Sweep
	stats, err := s.store.Stats(s.ctx)
	s.must("Stats", err)
	if a := stats.Accounts[0]; a.PausedFor != 0 || a.PauseAnswer.Class != "" {
		s.Errorf("the account is paused for %v: %+v", a.PausedFor, a.PauseAnswer)
	}
	s.sweep()
	due, err := s.store.Due(s.ctx)
	s.must("Due", err)
	s.same("Due", []outbox.Due{{Account: "a"}}, due)
	began, err := s.store.Pause(s.ctx, outbox.Pause{Account: "a", For: time.Minute})
	if s.must("Pause", err); !began {
		s.Error("a pause does not begin, because of one that is over")
	}
	s.must("Resume", s.store.Resume(s.ctx, "a"))
	s.leases("v", 2)
}

func testUntried(s *fixture) {
	for _, verb := range []queue.Verb{"", queue.Retry} {
		id := s.enqueue(newLetter())
		if verb != "" {
			s.change(verb, id)
		}
		s.clock.Advance(3 * outbox.Lifetime)
		s.same("Sweep", outbox.Swept{}, s.sweep())
		owner := "w" + string(verb)
		s.join(owner)
		l := s.leases(owner, 1)[0]
		s.settle(l, queue.Deferred)
		s.sweep()
		if st := s.status(id); st.State != queue.Deferred {
			s.Errorf("%q: it is %s after its first try", verb, st.State)
		}
		s.clock.Advance(time.Minute) // it is due and not tried
		s.clock.Advance(3 * outbox.Lifetime)
		s.sweep()
		if st := s.status(id); st.State != queue.Deferred {
			s.Errorf("%q: it is %s, though it was due and not tried", verb, st.State)
		}
		s.change(queue.Cancel, id)
	}
}

func testOverdue(s *fixture) {
	id := s.enqueue(newLetter("1@example.org", "2@example.org"))
	expires := s.clock.Now().Add(outbox.Lifetime)
	try := func(late, extended time.Duration) {
		s.Helper()
		s.clock.Advance(late)
		owner := s.clock.Now().String()
		s.join(owner)
		for _, l := range s.leases(owner, 2) {
			s.settle(l, queue.Deferred)
		}
		s.sweep()
		expires = expires.Add(extended)
		if got := s.show(id); !got.Expires.Equal(expires) || got.Recipients[0].State != queue.Deferred {
			s.Errorf("%v late: it is %s and expires at %v, want %v", late, got.Recipients[0].State, got.Expires, expires)
		}
		s.clock.Advance(time.Minute)
	}
	try(0, 0)
	try(outbox.Overdue, 0)
	try(4*24*time.Hour, 4*24*time.Hour)
	try(60*24*time.Hour, 60*24*time.Hour)
	s.must("Leave", s.store.Leave(s.ctx, "w"))
	s.clock.Set(expires.Add(-time.Second))
	s.join("w")
	n := 0
	_, err := s.store.Change(s.ctx, outbox.Change{Verb: queue.Cancel, Filter: queue.Filter{IDs: []queue.ID{id}}, N: &n})
	s.must("Cancel", err)
	l := s.leases("w", 1)[0]
	_, err = s.store.Settle(s.ctx, []outbox.Settlement{{Lease: l, State: queue.HandedOver}})
	s.must("Settle", err)
	if got := s.show(id).Expires; !got.Equal(expires) {
		s.Errorf("expires at %v, want %v", got, expires)
	}
}

func testLifetimeAhead(s *fixture) {
	s.clock.Step(year)
	id := s.enqueue(newLetter())
	s.clock.Step(-year)
	s.join("w")
	s.settle(s.leases("w", 1)[0], queue.Deferred)
	want := s.clock.Now().Add(outbox.Lifetime)
	if got := s.show(id).Expires; !got.Equal(want) {
		s.Errorf("expires at %v, want %v", got, want)
	}
	for n := range 6 {
		owner := string(rune('a' + n))
		s.clock.Advance(24 * time.Hour)
		s.join(owner)
		if st := s.status(id); st.State != queue.Deferred {
			break
		}
		l := s.leases(owner, 1)[0]
		s.settle(l, queue.Deferred)
		s.sweep()
	}
	// Each try was a day late, so it has not expired yet.
	if st := s.status(id); st.State != queue.Deferred {
		s.Errorf("it is %s", st.State)
	}
	for range int(outbox.Lifetime/outbox.Overdue) + 2 {
		s.clock.Advance(outbox.Overdue) // just in time
		owner := s.clock.Now().String()
		s.join(owner)
		if s.status(id).State == queue.Deferred {
			s.settle(s.leases(owner, 1)[0], queue.Deferred)
		}
		s.sweep()
	}
	if st := s.status(id); st.State != queue.Expired {
		s.Errorf("it is %s, but its lifetime is over", st.State)
	}
}

func testFirmExpiry(s *fixture) {
	n := newLetter()
	n.Expires = s.clock.Now().Add(2 * time.Hour)
	untried, tried := s.enqueue(n), s.enqueue(n)
	s.join("w")
	ls := s.leases("w", 2)
	s.settle(ls[1], queue.Deferred)
	s.settle(ls[0], queue.Queued)
	s.clock.Set(n.Expires)
	s.same("Sweep", outbox.Swept{Expired: 2, Workers: 1}, s.sweep())
	for _, id := range []queue.ID{untried, tried} {
		if e := s.show(id); e.Recipients[0].State != queue.Expired || !e.Expires.Equal(n.Expires) {
			s.Errorf("message %d: %+v", id, e)
		}
	}
	s.change(queue.Retry, untried) // now it has the default lifetime
	s.clock.Advance(2 * outbox.Lifetime)
	s.same("Sweep", outbox.Swept{}, s.sweep())
}

func testLeaseSteps(s *fixture) {
	if s.clock.single {
		s.Skip("a server in a database has one clock")
	}
	s.enqueue(newLetter("1@example.org", "2@example.org"))
	s.join("w")
	ls := s.leases("w", 2)
	s.mark("w", ls[0])
	for _, by := range []time.Duration{time.Hour, -2 * time.Hour, year, -year} {
		s.clock.Step(by)
		s.same("Sweep", outbox.Swept{}, s.sweep())
		s.must("Renew", s.store.Renew(s.ctx, "w", lease))
		stats, err := s.store.Stats(s.ctx)
		s.must("Stats", err)
		if w := stats.Workers[0]; w.For != lease {
			s.Errorf("the lease goes on for %v", w.For)
		}
	}
	s.clock.Step(4 * 24 * time.Hour) // and the worker dies
	s.clock.Step(-4 * 24 * time.Hour)
	s.clock.Advance(lease)
	s.same("Sweep", outbox.Swept{Workers: 1, Requeued: 1, Doubted: 1}, s.sweep())
}

func testLeaseReboots(s *fixture) {
	if s.clock.single {
		s.Skip("a database is on another machine")
	}
	s.enqueue(newLetter("1@example.org", "2@example.org"))
	s.join("w")
	s.mark("w", s.leases("w", 2)[0])
	_, err := s.store.Slots(s.ctx, "w", "a", 2, 2)
	s.must("Slots", err)
	s.clock.Reboot()
	s.is("Renew", s.store.Renew(s.ctx, "w", lease), outbox.ErrLapsed)
	s.same("Sweep", outbox.Swept{Workers: 1, Requeued: 1, Doubted: 1}, s.sweep())
	s.join("v")
	got, err := s.store.Slots(s.ctx, "v", "a", 2, 2)
	if s.must("Slots", err); got != 2 {
		s.Errorf("of 2 connections %d are free", got)
	}
}

func testLongest(s *fixture) {
	s.must("Join", s.store.Join(s.ctx, queue.Worker{Owner: "w", Host: "h"}, year))
	s.must("Renew", s.store.Renew(s.ctx, "w", year))
	s.enqueue(newLetter())
	l := s.leases("w", 1)[0]
	_, err := s.store.Settle(s.ctx, []outbox.Settlement{{Lease: l, State: queue.Deferred, After: year}})
	s.must("Settle", err)
	_, err = s.store.Pause(s.ctx, outbox.Pause{Account: "b", For: year})
	s.must("Pause", err)
	stats, err := s.store.Stats(s.ctx)
	s.must("Stats", err)
	if w := stats.Workers[0]; w.For != outbox.LongestLease {
		s.Errorf("a lease of %v", w.For)
	}
	for _, a := range stats.Accounts {
		if a.Account == "b" && a.PausedFor != outbox.LongestPause {
			s.Errorf("a pause of %v", a.PausedFor)
		}
	}
	s.clock.Advance(outbox.LongestPause - time.Millisecond)
	s.join("v")
	s.leases("v", 0)
	s.clock.Advance(time.Millisecond)
	s.leases("v", 1)
}

func testPruneJump(s *fixture) {
	keep := outbox.Retention{Bodies: 24 * time.Hour, Messages: 90 * 24 * time.Hour, Automatic: true}
	n := newLetter()
	n.Key = "k"
	id := s.enqueue(n)
	s.join("w")
	s.settle(s.leases("w", 1)[0], queue.HandedOver)
	s.prune(keep, outbox.Pruned{})
	s.clock.Step(91 * 24 * time.Hour)
	s.prune(keep, outbox.Pruned{Bodies: 1, Bytes: 300}) // a day has passed, as far as it knows
	s.clock.Step(-91 * 24 * time.Hour)
	s.prune(keep, outbox.Pruned{})
	r, err := s.store.Enqueue(s.ctx, n)
	s.must("Enqueue", err)
	s.same("the key", outbox.EnqueueResult{ID: id, Duplicate: true}, r)
	s.clock.Advance(91 * 24 * time.Hour) // time that passes is caught up with
	for range 89 {
		s.prune(keep, outbox.Pruned{})
	}
	s.prune(keep, outbox.Pruned{Messages: 1})
	again := s.enqueue(n)
	s.same("a new one", false, again == id)
	s.change(queue.Cancel, again)
	keep.Automatic = false
	s.clock.Step(91 * 24 * time.Hour)
	s.prune(keep, outbox.Pruned{Messages: 1, Bytes: 300}) // because the caller says so
}
