package outboxtest

import (
	"fmt"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

var settleRules = []contractRule{
	{"a settlement keeps its answer, its attempt and its time", testSettled},
	{"a worker is believed in every state that is not final, and in no other", testSettleEverywhere},
	{"a token that is not the last is stale, and an event", testStale},
	{"a token grows with every lease, and attempts count what counts", testTokens},
	{"a late answer is believed until somebody else claims", testLate},
	{"settlements are kept one after the other", testSettleMany},
	{"a state that is none of a settlement's is an error", testSettleOther},
	{"what is in doubt knows when it was marked", testMarkedAt},
}

func testSettled(s *fixture) {
	for _, state := range []queue.State{queue.HandedOver, queue.Failed, queue.Deferred, queue.InDoubt, queue.Held, queue.Queued} {
		l, owner := s.reach(queue.Leased)
		s.mark(owner, l)
		marked := s.clock.Now()
		s.clock.Advance(time.Second)
		now, answer := s.clock.Now(), newRefusal("it's 'so' \u2028 <"+string(state)+">")
		after := 90*time.Second + 5*time.Millisecond
		stale, err := s.store.Settle(s.ctx, []outbox.Settlement{{Lease: l, State: state, After: after, Answer: answer}})
		s.must("Settle", err)
		if len(stale) != 0 {
			s.Errorf("%s: stale is %v", state, stale)
		}
		e := s.show(l.ID)
		want := queue.Recipient{Address: address("to@example.org"), State: state, Updated: now, Answer: answer, Doubted: state == queue.InDoubt}
		event := queue.Event{
			ID: l.ID, Address: want.Address, Account: e.Account, Kind: queue.EventKind(state), State: state, At: now, Answer: answer,
		}
		if state != queue.Queued && state != queue.Held {
			want.Attempts, event.Attempt = 1, 1
		}
		if state == queue.InDoubt {
			want.Marked = marked
		}
		if state.Waiting() {
			want.Due = now.Add(after)
		}
		if state == queue.Deferred {
			event.Due = want.Due
		}
		s.same(string(state), want, e.Recipients[0])
		s.same(string(state), []queue.Event{event}, e.Events[1:])
	}
	l, _ := s.reach(queue.Leased)
	_, err := s.store.Settle(s.ctx, []outbox.Settlement{{Lease: l, State: queue.Deferred, After: -time.Hour}})
	s.must("Settle", err)
	if st := s.status(l.ID); !st.Due.Equal(s.clock.Now()) {
		s.Errorf("before 0 it is due %v", st.Due)
	}
	s.same("no answer", queue.Answer{}, s.status(l.ID).Answer)
}

// settledStates returns the states that a Settlement may have.
func settledStates() []queue.State {
	return []queue.State{queue.HandedOver, queue.Failed, queue.Deferred, queue.InDoubt, queue.Held, queue.Queued}
}

func testSettleEverywhere(s *fixture) {
	tried := 0
	for _, from := range queue.States() {
		for _, to := range settledStates() {
			tried++
			what := fmt.Sprintf("%s settled as %s", from, to)
			l, _ := s.reach(from)
			before := s.show(l.ID)
			s.clock.Advance(time.Second)
			stale := s.settle(l, to)
			after := s.show(l.ID)
			st, events := after.Recipients[0], after.Events[len(before.Events):]
			if stale != from.Final() {
				s.Errorf("%s: stale is %v", what, stale)
			}
			want := to
			switch {
			case from.Final():
				want = from
				if len(events) != 1 || events[0].Kind != queue.EventStale || events[0].State != from || events[0].Attempt != 0 ||
					lineDifference(flatten(newRefusal(string(to)), nil), flatten(events[0].Answer, nil)) != "" {
					s.Errorf("%s: events are %+v", what, events)
				}
				s.same(what, before.Recipients[0], st)
				continue
			case to == queue.Queued && from != queue.Leased && from != queue.Sending:
				s.same(what, before, after)
				continue
			case to == queue.Deferred && from == queue.Held:
				want = queue.Held
			}
			attempts := before.Recipients[0].Attempts
			if to != queue.Queued && to != queue.Held {
				attempts++
			}
			if st.State != want || st.Attempts != attempts || !st.Updated.Equal(s.clock.Now()) || st.Worker != "" {
				s.Errorf("%s: it is %+v, want %s with %d attempts", what, st, want, attempts)
			}
			s.same(what, newRefusal(string(to)), st.Answer)
			if len(events) != 1 || events[0].Kind != queue.EventKind(want) || events[0].State != want {
				s.Errorf("%s: events are %+v", what, events)
			}
		}
	}
	if tried != 60 {
		s.Errorf("%d combinations were tried, want 60", tried)
	}
}

func testStale(s *fixture) {
	l, _ := s.reach(queue.Sending)
	for _, token := range []int64{0, 2, -1} {
		wrong := l
		wrong.Token = token
		before := s.show(l.ID)
		stale, err := s.store.Settle(s.ctx, []outbox.Settlement{{Lease: wrong, State: queue.Failed, Answer: newRefusal("late")}})
		s.must("Settle", err)
		s.same("stale", []outbox.Lease{wrong}, stale)
		e := s.show(l.ID)
		s.same("status", before.Recipients, e.Recipients)
		s.same("event", queue.Event{
			ID: l.ID, Address: address("to@example.org"), Account: e.Account, Kind: queue.EventStale,
			State: queue.Sending, At: s.clock.Now(), Answer: newRefusal("late"),
		}, e.Events[len(e.Events)-1])
	}
	events, _ := s.events("", 100)
	for _, nobody := range []outbox.Lease{{ID: l.ID + 1000, Token: 1}, {ID: l.ID, N: 1, Token: 1}, {ID: l.ID, N: -1, Token: 1}} {
		if !s.settle(nobody, queue.Failed) {
			s.Errorf("%+v is accepted", nobody)
		}
	}
	if now, _ := s.events("", 100); len(now) != len(events) {
		s.Errorf("unknown leases caused %d events", len(now)-len(events))
	}
}

func testTokens(s *fixture) {
	id := s.enqueue(newLetter())
	s.join("w")
	s.must("Renew", s.store.Renew(s.ctx, "w", 24*time.Hour))
	attempts := 0
	for i, to := range []queue.State{queue.Deferred, queue.Queued, queue.Held, queue.InDoubt, queue.Queued, queue.Deferred} {
		items := s.claim(outbox.Claim{Owner: "w", Account: "a", Recipients: 1}).Items
		if len(items) != 1 {
			s.Fatalf("claim %d returned %+v", i, items)
		}
		r := items[0].Recipients[0]
		if r.Token != int64(i+1) || r.Attempts != attempts || r.Doubted != (i > 3) {
			s.Errorf("claim %d returned %+v, want attempts %d", i, r, attempts)
		}
		s.settle(outbox.Lease{ID: id, Token: r.Token}, to)
		switch to {
		case queue.Held:
			s.change(queue.Release, id)
		case queue.InDoubt:
			attempts++
			s.change(queue.ResolveResend, id)
		case queue.Deferred:
			attempts++
		}
		s.leases("w", map[bool]int{true: 0}[to.Waiting()])
		if st := s.status(id); st.Attempts != attempts {
			s.Fatalf("after %s: %d attempts, want %d", to, st.Attempts, attempts)
		}
		s.clock.Advance(time.Minute)
	}
}

func testLate(s *fixture) {
	for _, test := range []struct {
		what string
		lead func(l outbox.Lease)
	}{
		{"swept into doubt", func(l outbox.Lease) { s.clock.Advance(lease); s.sweep() }},
		{"sent again by a person", func(l outbox.Lease) { s.clock.Advance(lease); s.sweep(); s.change(queue.ResolveResend, l.ID) }},
	} {
		l, _ := s.reach(queue.Sending)
		test.lead(l)
		if s.settle(l, queue.HandedOver) || s.status(l.ID).State != queue.HandedOver {
			s.Errorf("%s: a late answer is not accepted", test.what)
		}
	}
	l, _ := s.reach(queue.Leased) // and lapsed before it could mark
	s.clock.Advance(lease)
	s.sweep()
	if s.settle(l, queue.Failed) || s.status(l.ID).State != queue.Failed {
		s.Error("requeued: a late answer is not believed")
	}
	l, _ = s.reach(queue.Leased)
	account := s.show(l.ID).Account
	s.clock.Advance(lease)
	s.sweep()
	s.join("next")
	if len(s.claim(outbox.Claim{Owner: "next", Account: account, Recipients: 1}).Items) != 1 {
		s.Fatal("nothing was claimed")
	}
	if !s.settle(l, queue.HandedOver) || s.status(l.ID).State != queue.Leased {
		s.Error("leased by another: a late answer is believed")
	}
}

func testSettleMany(s *fixture) {
	id := s.enqueue(newLetter("1@example.org", "2@example.org", "3@example.org"))
	s.join("w")
	ls := s.leases("w", 3)
	wrong := ls[1]
	wrong.Token = 9
	stale, err := s.store.Settle(s.ctx, []outbox.Settlement{
		{Lease: ls[2], State: queue.HandedOver},
		{Lease: wrong, State: queue.Failed},
		{Lease: ls[0], State: queue.Deferred},
		{Lease: ls[0], State: queue.Failed},
		{Lease: ls[2], State: queue.Failed},
	})
	s.must("Settle", err)
	s.same("stale", []outbox.Lease{wrong, ls[2]}, stale)
	want := []queue.State{queue.Failed, queue.Leased, queue.HandedOver}
	for i, r := range s.show(id).Recipients {
		if r.State != want[i] || r.Attempts != []int{2, 0, 1}[i] {
			s.Errorf("recipient %d is %+v, want %s", i, r, want[i])
		}
	}
	stale, err = s.store.Settle(s.ctx, nil)
	if err != nil || len(stale) != 0 {
		s.Errorf("settling nothing returned %v, %v", stale, err)
	}
}

func testSettleOther(s *fixture) {
	id := s.enqueue(newLetter("1@example.org", "2@example.org"))
	s.join("w")
	ls := s.leases("w", 2)
	before := s.show(id)
	for _, state := range []queue.State{queue.Leased, queue.Sending, queue.Expired, queue.Cancelled, "", "lost"} {
		_, err := s.store.Settle(s.ctx, []outbox.Settlement{{Lease: ls[0], State: queue.Failed}, {Lease: ls[1], State: state}})
		if err == nil {
			s.Errorf("settled as %q", state)
		}
	}
	s.same("Show", before, s.show(id))
}

func testMarkedAt(s *fixture) {
	settled, swept := s.enqueue(newLetter("a@example.org")), s.enqueue(newLetter("b@example.org"))
	s.join("w")
	leases := s.leases("w", 2)
	s.clock.Advance(time.Second)
	marked := s.clock.Now()
	s.mark("w", leases...)
	s.clock.Advance(time.Second)
	s.settle(leases[0], queue.InDoubt)
	s.clock.Advance(time.Hour)
	s.sweep()
	for _, id := range []queue.ID{settled, swept} {
		if got := s.status(id); got.State != queue.InDoubt || !got.Marked.Equal(marked) {
			s.Errorf("message %d is %s, marked at %v, want %v", id, got.State, got.Marked, marked)
		}
	}
	s.change(queue.ResolveSent, settled)
	if got := s.status(settled); !got.Marked.IsZero() {
		s.Errorf("a doubt that has ended was marked at %v", got.Marked)
	}
}
