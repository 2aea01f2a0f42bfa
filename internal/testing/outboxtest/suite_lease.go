package outboxtest

import (
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

var leaseRules = []contractRule{
	{"a worker joins once", testJoinOnce},
	{"a lease that has ended can't be renewed", testLapsed},
	{"a lease that is renewed goes on", testRenewed},
	{"who leaves gives back what is leased and not what is being sent", testLeave},
	{"Sweep takes back what lapsed workers had", testSweepLapsed},
	{"Sweep ends what waits and has had its time", testSweepExpired},
	{"Sweep takes back first, then ends", testSweepBoth},
	{"Mark believes only the worker that has it", testMark},
	{"a worker that was stopped can't mark what was taken back", testStopped},
	{"a clock that is set back breaks nothing", testSetBack},
}

func testJoinOnce(s *fixture) {
	s.join("w")
	if err := s.store.Join(s.ctx, queue.Worker{Owner: "w"}, time.Hour); err == nil {
		s.Error("it joined twice")
	}
	s.clock.Advance(lease)
	if err := s.store.Join(s.ctx, queue.Worker{Owner: "w"}, time.Hour); err == nil {
		s.Error("it joined twice, the first time had lapsed")
	}
	s.must("Leave", s.store.Leave(s.ctx, "w"))
	s.join("w")
	stats, err := s.store.Stats(s.ctx)
	s.must("Stats", err)
	s.same("Workers", []queue.WorkerStats{{
		Worker: queue.Worker{Owner: "w", Host: "host-w", PID: 7}, Since: s.clock.Now(), For: lease,
	}}, stats.Workers)
}

func testLapsed(s *fixture) {
	tries := func(owner string, want error) {
		s.Helper()
		s.is("Renew", s.store.Renew(s.ctx, owner, lease), want)
		_, err := s.store.Claim(s.ctx, outbox.Claim{Owner: owner, Account: "a", Recipients: 1})
		s.is("Claim", err, want)
		_, err = s.store.Slots(s.ctx, owner, "a", 1, 0)
		s.is("Slots", err, want)
	}
	tries("nobody", outbox.ErrLapsed)
	s.join("w")
	s.clock.Advance(lease - time.Millisecond)
	tries("w", nil)
	s.clock.Advance(lease)
	tries("w", outbox.ErrLapsed)
	s.same("Sweep", outbox.Swept{Workers: 1}, s.sweep())
	tries("w", outbox.ErrLapsed)
	s.same("Sweep again", outbox.Swept{}, s.sweep())
	s.join("v")
	s.must("Leave", s.store.Leave(s.ctx, "v"))
	tries("v", outbox.ErrLapsed)
	s.must("Leave of nobody", s.store.Leave(s.ctx, "nobody"))
}

func testRenewed(s *fixture) {
	id := s.enqueue(newLetter())
	s.join("w")
	l := s.leases("w", 1)[0]
	for range 5 {
		s.clock.Advance(lease - time.Second)
		s.must("Renew", s.store.Renew(s.ctx, "w", lease))
		s.same("Sweep", outbox.Swept{}, s.sweep())
	}
	if lost := s.mark("w", l); len(lost) > 0 || s.status(id).State != queue.Sending {
		s.Errorf("lost %v, and it is %s", lost, s.status(id).State)
	}
	s.must("Renew", s.store.Renew(s.ctx, "w", time.Second)) // a shorter lease is valid, too
	s.clock.Advance(time.Second)
	s.is("Renew", s.store.Renew(s.ctx, "w", lease), outbox.ErrLapsed)
}

func testLeave(s *fixture) {
	waits, goes := s.enqueue(newLetter()), s.enqueue(newLetter())
	s.join("w")
	s.join("other")
	ls := s.leases("w", 2)
	other := s.enqueue(newLetter())
	s.leases("other", 1)
	due := s.clock.Now()
	s.clock.Advance(time.Second)
	s.mark("w", ls[1])
	if got := s.status(goes).Worker; got != "host-w 7" {
		s.Errorf("the worker is %q", got)
	}
	s.must("Leave", s.store.Leave(s.ctx, "w"))
	if st := s.status(waits); st.State != queue.Queued || !st.Due.Equal(due) || st.Worker != "" || st.Attempts != 0 || !st.Updated.Equal(s.clock.Now()) {
		s.Errorf("the leased recipient is %+v", st)
	}
	if got := s.kinds(waits); got != "enqueued queued" {
		s.Errorf("its events are %q", got)
	}
	if st := s.status(goes); st.State != queue.Sending || st.Worker != "" {
		s.Errorf("the sending recipient is %+v", st)
	}
	if st := s.status(other); st.State != queue.Leased || st.Worker != "host-other 7" {
		s.Errorf("another worker's recipient is %+v", st)
	}
	s.same("Sweep", outbox.Swept{Doubted: 1}, s.sweep())
	if st := s.status(goes); st.State != queue.InDoubt || !st.Doubted {
		s.Errorf("the sending recipient is %+v", st)
	}
}

func testSweepLapsed(s *fixture) {
	waits, goes := s.enqueue(newLetter()), s.enqueue(newLetter())
	due := s.clock.Now()
	s.join("w")
	ls := s.leases("w", 2)
	s.clock.Advance(time.Second)
	s.join("other")
	third := s.enqueue(newLetter())
	s.leases("other", 1)
	s.mark("w", ls[1])
	marked := s.clock.Now()
	s.clock.Advance(lease - 1001*time.Millisecond)
	s.same("Sweep before the end", outbox.Swept{}, s.sweep())
	s.clock.Advance(time.Millisecond)
	s.same("Sweep", outbox.Swept{Requeued: 1, Doubted: 1, Workers: 1}, s.sweep())
	now := s.clock.Now()
	s.same("what was leased", queue.Recipient{Address: address("to@example.org"), State: queue.Queued, Due: due, Updated: now}, s.status(waits))
	s.same("what was being sent", queue.Recipient{
		Address: address("to@example.org"), State: queue.InDoubt, Doubted: true, Updated: now, Marked: marked,
	}, s.status(goes))
	if st := s.status(third); st.State != queue.Leased {
		s.Errorf("another worker's recipient is %+v", st)
	}
	for id, want := range map[queue.ID]queue.Event{
		waits: {Kind: queue.EventLapsed, State: queue.Queued},
		goes:  {Kind: queue.EventKind(queue.InDoubt), State: queue.InDoubt},
	} {
		want.ID, want.Account, want.Address, want.At = id, "a", address("to@example.org"), now
		s.same("events", []queue.Event{want}, s.show(id).Events[1:])
	}
	again := s.leases("other", 1)[0]
	if again.ID != waits || again.Token != 2 {
		s.Errorf("claimed again: %+v", again)
	}
}

func testSweepExpired(s *fixture) {
	expired := map[queue.State]bool{queue.Queued: true, queue.Deferred: true}
	for _, state := range queue.States() {
		if state.Final() {
			continue
		}
		l, owner := s.reach(state)
		for left := time.Hour - 2*time.Millisecond; left > 0; { // reach took one
			s.must("Renew", s.store.Renew(s.ctx, owner, outbox.LongestLease))
			step := min(left, 10*time.Minute)
			s.clock.Advance(step)
			left -= step
		}
		s.same("Sweep before the time", outbox.Swept{}, s.sweep())
		s.clock.Advance(time.Millisecond)
		swept := s.sweep()
		got := s.status(l.ID).State
		if expired[state] && (swept.Expired != 1 || got != queue.Expired) {
			s.Errorf("%s: is %s, and Sweep returned %+v", state, got, swept)
		} else if !expired[state] && (swept.Expired != 0 || got != state) {
			s.Errorf("%s: is %s, and Sweep returned %+v", state, got, swept)
		}
		s.must("Leave", s.store.Leave(s.ctx, owner))
		s.sweep()
		s.clock.Advance(time.Hour)
	}
	n := newLetter()
	n.Expires = s.clock.Now()
	id := s.enqueue(n)
	s.same("Sweep", outbox.Swept{Expired: 1}, s.sweep())
	if got := s.kinds(id); got != "enqueued expired" {
		s.Errorf("its events are %q", got)
	}
}

func testSweepBoth(s *fixture) {
	n := newLetter()
	n.Expires = s.clock.Now().Add(lease)
	id := s.enqueue(n)
	s.join("w")
	s.leases("w", 1)
	s.clock.Advance(lease)
	s.same("Sweep", outbox.Swept{Requeued: 1, Expired: 1, Workers: 1}, s.sweep())
	if got := s.kinds(id); got != "enqueued lapsed expired" {
		s.Errorf("its events are %q", got)
	}
}

func testMark(s *fixture) {
	id := s.enqueue(newLetter("1@example.org", "2@example.org", "3@example.org", "4@example.org", "5@example.org", "6@example.org"))
	s.join("w")
	s.join("other")
	ls := s.leases("w", 6)
	if lost := s.mark("other", ls...); len(lost) != 6 {
		s.Errorf("another's mark lost %v", lost)
	}
	if lost := s.mark("w"); len(lost) != 0 {
		s.Errorf("nothing marked lost %v", lost)
	}
	for n, v := range map[int]queue.Verb{1: queue.Hold, 3: queue.Cancel} {
		_, err := s.store.Change(s.ctx, outbox.Change{Verb: v, Filter: queue.Filter{IDs: []queue.ID{id}}, N: &n})
		s.must(string(v), err)
	}
	wrong := ls[4]
	wrong.Token++
	nobody := outbox.Lease{ID: id + 1000, Token: 1}
	nowhere := outbox.Lease{ID: id, N: 6, Token: 1}
	tries := []outbox.Lease{nobody, ls[5], ls[3], wrong, ls[0], ls[1], nowhere, ls[2]}
	s.same("lost", []outbox.Lease{nobody, ls[3], wrong, ls[1], nowhere}, s.mark("w", tries...))
	s.same("lost the second time", []outbox.Lease{ls[0]}, s.mark("w", ls[0]))
	want := []queue.State{queue.Sending, queue.Held, queue.Sending, queue.Cancelled, queue.Leased, queue.Sending}
	for i, r := range s.show(id).Recipients {
		if r.State != want[i] {
			s.Errorf("recipient %d is %s, want %s", i, r.State, want[i])
		}
	}
	s.clock.Advance(lease) // Sweep has to notice the end
	if lost := s.mark("w", ls[4]); len(lost) != 0 {
		s.Errorf("lost %v before Sweep", lost)
	}
}

func testStopped(s *fixture) {
	id := s.enqueue(newLetter())
	s.join("w")
	old := s.leases("w", 1)[0]
	s.clock.Advance(lease)
	s.sweep()
	if lost := s.mark("w", old); len(lost) != 1 {
		s.Error("it marked what was queued again")
	}
	s.join("other")
	fresh := s.leases("other", 1)[0]
	if lost := s.mark("w", old, fresh); len(lost) != 2 {
		s.Error("it marked what another has")
	}
	if lost := s.mark("other", old); len(lost) != 1 {
		s.Error("an old token marked")
	}
	if lost := s.mark("other", fresh); len(lost) != 0 || s.status(id).State != queue.Sending {
		s.Error("the other could not mark")
	}
	if !s.settle(old, queue.Failed) {
		s.Error("an old token settled")
	}
}

func testSetBack(s *fixture) {
	start := s.clock.Now()
	first := s.enqueue(newLetter())
	s.clock.Advance(-time.Hour)
	s.join("w")
	s.leases("w", 0) // due in an hour
	second := s.enqueue(newLetter())
	if second <= first {
		s.Errorf("after %d came %d", first, second)
	}
	if l := s.leases("w", 1)[0]; l.ID != second {
		s.Errorf("claimed %d", l.ID)
	}
	s.same("Sweep", outbox.Swept{}, s.sweep())
	page, err := s.store.List(s.ctx, queue.Filter{})
	s.must("List", err)
	if len(page.Entries) != 2 || page.Entries[0].ID != second {
		s.Errorf("List returned %+v", page)
	}
	events, _ := s.events("", 1)
	if len(events) != 2 || events[1].ID != second {
		s.Errorf("events are %+v", events)
	}
	s.clock.Set(start)
	s.same("Sweep", outbox.Swept{Requeued: 1, Workers: 1}, s.sweep())
}
