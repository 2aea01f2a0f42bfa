package outboxtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

var eventRules = []contractRule{
	{"events tell what happened, in its order", testEventOrder},
	{"a cursor goes on where it was, however many are asked for", testCursors},
	{"Now is behind all that there are", testCursorNow},
	{"a cursor that is none is an error", testCursorBad},
	{"whoever waits is woken by what may have become due, and by a person", testWake},
}

func testEventOrder(s *fixture) {
	id := s.enqueue(newLetter())
	s.join("w")
	s.must("Renew", s.store.Renew(s.ctx, "w", lease+time.Minute))
	l := s.leases("w", 1)[0]
	s.settle(l, queue.Deferred)
	s.clock.Advance(time.Minute)
	s.leases("w", 1)
	s.clock.Advance(lease)
	s.sweep()
	s.join("v")
	l = s.leases("v", 1)[0]
	s.mark("v", l)
	s.settle(l, queue.InDoubt)
	s.change(queue.ResolveResend, id)
	s.change(queue.Hold, id)
	s.change(queue.Release, id)
	l = s.leases("v", 1)[0]
	s.settle(l, queue.HandedOver)
	s.settle(l, queue.HandedOver)
	want := "enqueued deferred lapsed in_doubt resent held released handed_over stale"
	if got := s.kinds(id); got != want {
		s.Errorf("Show has the events %q, want %q", got, want)
	}
	all, _ := s.events("", 100)
	s.same("Events and Show", s.show(id).Events, all)
	var attempts []string
	for _, e := range all {
		attempts = append(attempts, fmt.Sprint(e.Attempt))
	}
	if got := strings.Join(attempts, ""); got != "010200030" {
		s.Errorf("the attempts are %s", got)
	}
}

func testCursors(s *fixture) {
	_, empty := s.events("", 1)
	if empty == "" || empty == queue.CursorNow {
		s.Errorf("the cursor of an empty outbox is %q", empty)
	}
	for i := range 30 {
		n := newLetter()
		n.Hold = i%2 == 0
		s.enqueue(n)
	}
	s.must("Change", func() error { _, err := s.store.Change(s.ctx, outbox.Change{Verb: queue.Cancel}); return err }())
	all, last := s.events("", 1000)
	if len(all) != 60 {
		s.Fatalf("%d events came, want 60", len(all))
	}
	for _, limit := range []int{1, 7, 59, 60, 61} {
		some, end := s.events("", limit)
		s.same(fmt.Sprintf("by %d", limit), all, some)
		for _, at := range []queue.Cursor{last, end} {
			if rest, _ := s.events(at, limit); len(rest) != 0 {
				s.Errorf("by %d, after the end %q came %d", limit, at, len(rest))
			}
		}
	}
	if some, _ := s.events(empty, 1000); len(some) != 60 {
		s.Errorf("from the beginning came %d", len(some))
	}
	for i, e := range all {
		rest, _, err := s.store.Events(s.ctx, e.Cursor, 1000)
		s.must("Events", err)
		if len(rest) != 59-i {
			s.Fatalf("after the cursor of event %d came %d", i, len(rest))
		}
	}
	shown := s.show(all[0].ID).Events
	if rest, _, _ := s.store.Events(s.ctx, shown[0].Cursor, 1000); len(rest) != 59 {
		s.Errorf("after the first event's cursor from Show came %d", len(rest))
	}
}

func testCursorNow(s *fixture) {
	s.enqueue(newLetter())
	some, at, err := s.store.Events(s.ctx, queue.CursorNow, 10)
	s.must("Events", err)
	if len(some) != 0 || at == queue.CursorNow || at == "" {
		s.Errorf("Now returned %d events, and the cursor %q", len(some), at)
	}
	id := s.enqueue(newLetter())
	some, at, err = s.store.Events(s.ctx, at, 10)
	s.must("Events", err)
	if len(some) != 1 || some[0].ID != id {
		s.Fatalf("then came %+v, and the cursor %q", some, at)
	}
	for _, end := range []queue.Cursor{at, some[0].Cursor} {
		if rest, _ := s.events(end, 10); len(rest) != 0 {
			s.Errorf("after the end %q came %+v", end, rest)
		}
	}
	_, err = s.store.Prune(s.ctx, outbox.Retention{})
	s.must("Prune", err)
	s.change(queue.Cancel, id)
	if _, err = s.store.Prune(s.ctx, outbox.Retention{}); err != nil {
		s.Errorf("Prune: %v", err)
	}
	next := s.enqueue(newLetter()) // a cursor outlives its event
	some, _, err = s.store.Events(s.ctx, at, 10)
	s.must("Events", err)
	if len(some) != 1 || some[0].ID != next {
		s.Errorf("after pruned events came %+v", some)
	}
}

func testCursorBad(s *fixture) {
	for _, bad := range []queue.Cursor{"x", "1 or 1=1", "then", "é"} {
		if _, _, err := s.store.Events(s.ctx, bad, 10); err == nil {
			s.Errorf("%q is accepted as a cursor", bad)
		}
	}
}

func testWake(s *fixture) {
	during := func(what string, do func()) {
		s.Helper()
		wake := s.store.Wake()
		do()
		s.woken(what, wake)
	}
	var id queue.ID
	during("Enqueue", func() { id = s.enqueue(newLetter()) })
	for _, v := range []queue.Verb{queue.Hold, queue.Release, queue.Cancel, queue.Retry} {
		during(string(v), func() { s.change(v, id) })
	}
	s.join("w")
	l := s.leases("w", 1)[0]
	during("Settle", func() { s.settle(l, queue.Deferred) })
	s.change(queue.Retry, id)
	s.leases("w", 1)
	during("Leave", func() { s.must("Leave", s.store.Leave(s.ctx, "w")) })
	s.join("v")
	s.leases("v", 1)
	s.clock.Advance(lease)
	during("Sweep", func() { s.sweep() })
	s.pause(outbox.Pause{Account: "a", For: time.Hour}, true)
	during("Resume", func() { s.must("Resume", s.store.Resume(s.ctx, "a")) })
	wakes := make(chan (<-chan struct{}), 8)
	for range cap(wakes) {
		wakes <- s.store.Wake()
	}
	close(wakes)
	s.enqueue(newLetter())
	for w := range wakes {
		s.woken("one of many", w)
	}
}
