package outboxtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

var claimRules = []contractRule{
	{"claims come in the order of priority, due time, message and place", testClaimOrder},
	{"a claim takes so many recipients and no more", testClaimLimit},
	{"recipients of one message that are due come together", testClaimTogether},
	{"nothing is claimed before its time, or of another account", testClaimDue},
	{"what has had its time may be claimed until Sweep has been", testClaimExpired},
	{"Due tells when it is worth to claim", testDueRule},
}

// batchContent returns the content of a batch as "message:recipients", in the order of the items.
func batchContent(batch outbox.Batch, names map[queue.ID]string) string {
	var all []string
	for _, item := range batch.Items {
		name := names[item.ID] + ":"
		for _, r := range item.Recipients {
			name += fmt.Sprint(r.N)
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func testClaimOrder(s *fixture) {
	now := s.clock.Now()
	names := map[queue.ID]string{}
	add := func(name string, p queue.Priority, after time.Duration) {
		n := newLetter("1@example.org", "2@example.org")
		n.Priority = p
		n.NotBefore = now.Add(after)
		names[s.enqueue(n)] = name
	}
	add("normal late", queue.Normal, 3*time.Second)
	add("low", queue.Low, 0)
	add("normal", queue.Normal, time.Second)
	add("high late", queue.High, 4*time.Second)
	add("normal too", queue.Normal, time.Second)
	add("high", queue.High, 2*time.Second)
	s.clock.Advance(10 * time.Second)
	s.join("w")
	want := "high:01 high late:01 normal:01 normal too:01 normal late:01 low:01"
	if got := batchContent(s.claim(outbox.Claim{Owner: "w", Account: "a", Recipients: 100}), names); got != want {
		s.Errorf("claimed %q, want %q", got, want)
	}
	s.must("Leave", s.store.Leave(s.ctx, "w"))
	s.join("v")
	var got []string
	for range 6 {
		got = append(got, batchContent(s.claim(outbox.Claim{Owner: "v", Account: "a", Recipients: 2}), names))
	}
	if strings.Join(got, " ") != want {
		s.Errorf("claimed one by one %q, want %q", got, want)
	}
}

func testClaimLimit(s *fixture) {
	names := map[queue.ID]string{}
	for _, name := range []string{"a", "b", "c"} {
		names[s.enqueue(newLetter("1@example.org", "2@example.org", "3@example.org"))] = name
	}
	s.join("w")
	for _, test := range []struct {
		n    int
		want string
	}{{0, ""}, {-1, ""}, {1, "a:0"}, {4, "a:12 b:01"}, {3, "b:2 c:01"}, {100, "c:2"}, {100, ""}} {
		if got := batchContent(s.claim(outbox.Claim{Owner: "w", Account: "a", Recipients: test.n}), names); got != test.want {
			s.Errorf("a claim of %d: got %q, want %q", test.n, got, test.want)
		}
	}
}

// testClaimTogether claims a message whose first recipient is due before another message and whose
// second is due after it.
func testClaimTogether(s *fixture) {
	first := s.enqueue(newLetter("1@example.org", "2@example.org", "3@example.org"))
	s.join("w")
	ls := s.leases("w", 3)
	for i, after := range []time.Duration{3 * time.Second, time.Second, time.Hour} {
		_, err := s.store.Settle(s.ctx, []outbox.Settlement{{Lease: ls[i], State: queue.Deferred, After: after}})
		s.must("Settle", err)
	}
	s.clock.Advance(2 * time.Second)
	second := s.enqueue(newLetter())
	s.clock.Advance(2 * time.Second)
	names := map[queue.ID]string{first: "first", second: "second"}
	if got := batchContent(s.claim(outbox.Claim{Owner: "w", Account: "a", Recipients: 3}), names); got != "first:01 second:0" {
		s.Errorf("claimed %q", got)
	}
}

func testClaimDue(s *fixture) {
	n := newLetter()
	n.NotBefore = s.clock.Now().Add(time.Second)
	s.enqueue(n)
	s.join("w")
	s.clock.Advance(time.Second - time.Millisecond)
	s.leases("w", 0)
	for _, account := range []string{"", "A", "b", "a "} {
		if got := s.claim(outbox.Claim{Owner: "w", Account: account, Recipients: 1}); len(got.Items) != 0 || got.Wait != 0 {
			s.Errorf("account %q: got %+v", account, got)
		}
	}
	s.clock.Advance(time.Millisecond)
	s.leases("w", 1)
	s.leases("w", 0)
}

func testClaimExpired(s *fixture) {
	n := newLetter()
	n.Expires = s.clock.Now().Add(time.Second)
	s.enqueue(n)
	s.clock.Advance(time.Minute)
	s.join("w")
	s.same("Due", []outbox.Due{{Account: "a"}}, s.due())
	s.leases("w", 1)
	s.same("Sweep", outbox.Swept{}, s.sweep())
}

func testDueRule(s *fixture) {
	s.same("Due", []outbox.Due(nil), s.due())
	now := s.clock.Now()
	add := func(account string, after time.Duration) queue.ID {
		n := newLetter()
		n.Account, n.NotBefore = account, now.Add(after)
		return s.enqueue(n)
	}
	add("b", time.Hour)
	add("b", time.Minute)
	add("a", 0)
	add("", time.Second)
	held := add("c", 0)
	s.change(queue.Hold, held)
	for _, p := range []outbox.Pause{{Account: "b", For: 30 * time.Second}, {Account: "a", For: time.Minute}, {Account: "none", For: time.Minute}} {
		_, err := s.store.Pause(s.ctx, p)
		s.must("Pause", err)
	}
	s.same("Due", []outbox.Due{{Account: "", In: time.Second}, {Account: "a", In: time.Minute}, {Account: "b", In: time.Minute}}, s.due())
	s.clock.Advance(30 * time.Second)
	s.same("Due later", []outbox.Due{{Account: ""}, {Account: "a", In: 30 * time.Second}, {Account: "b", In: 30 * time.Second}}, s.due())
	s.join("w")
	s.claim(outbox.Claim{Owner: "w", Recipients: 1})
	s.must("Resume", s.store.Resume(s.ctx, "a"))
	due := s.due()
	due[0].Resumed = 0 // see the rule about a pause
	s.same("Due at last", []outbox.Due{{Account: "a"}, {Account: "b", In: 30 * time.Second}}, due)
}
