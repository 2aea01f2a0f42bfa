package outboxtest

import (
	"errors"
	"fmt"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

var moveRules = []contractRule{
	{"every legal move can be made", testMoves},
	{"every verb does in every state what it says", testVerbs},
}

// testMoves makes each transition between states: by a user's verb if there is one, else by a worker or
// Sweep.
func testMoves(s *fixture) {
	made := 0
	for _, from := range queue.States() {
		for _, to := range transitions(from) {
			l, owner := s.reach(from)
			verb, byPerson := verbFor(from, to)
			switch {
			case byPerson:
				s.change(verb, l.ID)
			case to == queue.Leased:
				account := s.show(l.ID).Account
				s.clock.Advance(time.Minute)
				s.join(owner + " again")
				s.claim(outbox.Claim{Owner: owner + " again", Account: account, Recipients: 1})
			case to == queue.Sending:
				s.mark(owner, l)
			case to == queue.Expired:
				s.clock.Advance(time.Hour)
				s.sweep()
			default:
				s.settle(l, to)
			}
			if got := s.status(l.ID).State; got != to {
				s.Errorf("from %s to %s: it is %s", from, to, got)
				continue
			}
			made++
		}
	}
	if want := 46; made != want {
		s.Errorf("%d moves were made, want %d", made, want)
	}
}

func verbFor(from, to queue.State) (queue.Verb, bool) {
	for _, v := range queue.Verbs() {
		if goes, ok := v.Target(from); ok && goes == to {
			return v, true
		}
	}
	return "", false
}

func testVerbs(s *fixture) {
	tried, possible := 0, 0
	for _, from := range queue.States() {
		for _, verb := range queue.Verbs() {
			tried++
			what := fmt.Sprintf("%s of %s", verb, from)
			l, _ := s.reach(from)
			before := s.show(l.ID)
			s.clock.Advance(time.Second)
			changed, err := s.store.Change(s.ctx, outbox.Change{Verb: verb, Filter: queue.Filter{IDs: []queue.ID{l.ID}}})
			after := s.show(l.ID)
			to, ok := verb.Target(from)
			if !ok {
				s.same(what, queue.Changed{Untouched: 1}, changed)
				s.same(what, before, after)
				var move *queue.StateError
				if !errors.As(err, &move) || *move != (queue.StateError{ID: l.ID, From: from, Verb: verb}) {
					s.Errorf("%s: error %v", what, err)
				}
				continue
			}
			possible++
			s.must(what, err)
			s.same(what, queue.Changed{Messages: 1, Recipients: 1}, changed)
			s.verbDone(what, verb, to, before, after)
			if s.settle(l, queue.HandedOver) != to.Final() {
				s.Errorf("%s: the worker's answer is accepted: %v", what, !to.Final())
			}
		}
	}
	if tried != 70 || possible != 17 {
		s.Errorf("%d combinations were tried, %d possible; want 70 and 17", tried, possible)
	}
}

// verbDone checks a message after a verb.
func (s *fixture) verbDone(what string, verb queue.Verb, to queue.State, before, after queue.Entry) {
	s.Helper()
	now, want := s.clock.Now(), before
	st := before.Recipients[0]
	from := st.State
	st.State, st.Updated, st.Worker, st.Due, st.Marked = to, now, "", after.Recipients[0].Due, time.Time{}
	want.Recipients = []queue.Recipient{st}
	kind := map[queue.Verb]queue.EventKind{
		queue.Hold: "held", queue.Release: queue.EventReleased, queue.Retry: queue.EventRetry, queue.Cancel: "cancelled",
		queue.ResolveSent: "handed_over", queue.ResolveResend: queue.EventResent, queue.ResolveFound: queue.EventFound,
	}[verb]
	want.Events = append(want.Events, queue.Event{
		ID: before.ID, Address: st.Address, Account: before.Account, Kind: kind, State: to, At: now,
	})
	if from == queue.Expired { // Retry restarts its lifetime
		want.Expires = now.Add(outbox.Lifetime)
	}
	s.same(what, want, after)
	switch {
	case verb == queue.Retry || verb == queue.ResolveResend:
		s.same(what+": due", now, st.Due)
	case verb == queue.Release: // of messages claimed as soon as they were enqueued
		s.same(what+": due", before.Created, st.Due)
	default:
		s.same(what+": due", time.Time{}, st.Due)
	}
}
