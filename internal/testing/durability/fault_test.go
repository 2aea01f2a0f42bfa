package durability

import (
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/faultproxy"
	"github.com/yanmail/yan/internal/testing/outboxtest"
)

var thorough = flag.Bool("thorough", false, "every fault at every octet, not one in turn at some")

// impatience is the timeout of a client that is going to be stalled. A timeout without a stall only
// makes a course less exact, never wrong.
const impatience = 150 * time.Millisecond

// runConcurrently runs many courses concurrently: stalled ones only wait and cost nothing.
func runConcurrently(t *testing.T, size int, courses <-chan func(*faultproxy.Gate)) {
	t.Helper()
	var group sync.WaitGroup
	for range size {
		gate, err := faultproxy.NewGate()
		if err != nil {
			t.Error(err)
			break
		}
		group.Go(func() {
			defer gate.Close()
			for do := range courses {
				do(gate)
			}
		})
	}
	group.Wait()
}

// faultPlaces lists the places for faults on the first connection: before, after and instead of every
// reply, at every stride-th octet of a message, and one octet before its end. The stride is longer
// after the first messages, where all places are alike.
func faultPlaces(seen faultproxy.Seen, stride int64) []faultproxy.Fault {
	all := []faultproxy.Fault{{Conn: 1}}
	for reply := 1; reply <= seen.Replies; reply++ {
		all = append(all, faultproxy.Fault{Conn: 1, Reply: reply}, faultproxy.Fault{Conn: 1, Reply: reply, Instead: true})
	}
	for m, octets := range seen.Messages {
		if m == 5 {
			stride = stride*8 + 5
		}
		for at := int64(1); at <= octets; at++ {
			if at%stride == 1 || stride == 1 || at >= octets-1 {
				all = append(all, faultproxy.Fault{Conn: 1, Message: m + 1, Octets: at})
			}
		}
	}
	return all
}

// disturbance is a fault with the timeouts around it.
type disturbance struct {
	name          string
	action        faultproxy.Action
	wait, release time.Duration
}

func disturbances() []disturbance {
	return []disturbance{
		{name: "cut", action: faultproxy.Cut},
		{name: "reset", action: faultproxy.Reset},
		{name: "stall", action: faultproxy.Stall, wait: impatience},
		{name: "stalled replies", action: faultproxy.StallReplies, wait: impatience},
		// A delay shorter than the client's timeout.
		{name: "delay", action: faultproxy.Stall, release: 5 * time.Millisecond},
	}
}

// courseSums adds up the results of courses.
type courseSums struct {
	mu             sync.Mutex
	courses, acted int
	ahead          int
	during, after  Tally
}

func (s *courseSums) add(v outboxVerdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.courses++
	s.acted += v.acted
	s.ahead = max(s.ahead, v.ahead)
	s.during.Add(v.during)
	s.after.Add(v.after)
}

func (s *courseSums) log(t *testing.T, began time.Time) {
	t.Helper()
	t.Logf("%d courses in %v, %d faults happened, at most %d recipients marked in one commit\nafter the fault:  %s\nwhen repaired:    %s",
		s.courses, time.Since(began).Round(time.Millisecond), s.acted, s.ahead, s.during, s.after)
}

// TestFaultAtEveryReplyAndOctet puts faults at all places between worker and server. The states in
// the outbox must agree with the server, and when the line works again all recipients not in doubt
// are sent to once.
func TestFaultAtEveryReplyAndOctet(t *testing.T) {
	t.Parallel()
	for _, k := range storeKinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			stride := int64(61)
			if *thorough {
				stride = 1
			}
			s := &courseSums{}
			began := time.Now()
			courses := make(chan func(*faultproxy.Gate))
			var feeder sync.WaitGroup
			feeder.Go(func() {
				defer close(courses)
				for _, m := range modes() {
					k.survey(t, m, stride, s, courses)
				}
			})
			runConcurrently(t, k.gang, courses)
			feeder.Wait()
			s.log(t, began)
			if floor := len(modes()) * 100 / k.every; s.courses < floor || s.acted < floor/2 {
				t.Errorf("only %d courses, with %d faults; there must be %d", s.courses, s.acted, floor)
			}
			if k.every > 1 && !*thorough {
				return // too few for every outcome to be certain
			}
			if s.during.InDoubt == 0 || s.during.Pending == 0 || s.during.HandedOver == 0 || s.after.Resent == 0 {
				t.Errorf("not every kind of outcome occurred")
			}
			if s.ahead < 3 { // one letter has two recipients
				t.Errorf("nothing was ever marked ahead")
			}
		})
	}
}

// survey runs the courses of a mode: one without a fault, to find the places, and one for each
// fault.
func (k storeKind) survey(t *testing.T, m sendMode, stride int64, s *courseSums, courses chan<- func(*faultproxy.Gate)) {
	c := outboxCourse{sendMode: m, connections: 1, open: k.opener(t), letters: []Letter{NewLetter("a", 1, 1, 0), NewLetter("a", 2, 2, 0), NewLetter("a", 3, 1, 400)}}
	for n := 4; n <= m.letters; n++ {
		c.letters = append(c.letters, NewLetter("a", n, 1, 0))
	}
	recipients := len(c.letters) + 1
	v, err := c.run()
	checkVerdict(t, m.name, v, err)
	s.add(v)
	if v.during.HandedOver != recipients || len(v.seen) == 0 {
		t.Errorf("%s: without a fault: %s", m.name, v.during)
		return
	}
	turn, policy := 0, 0
	for i, place := range faultPlaces(v.seen[0], stride) {
		if !k.takes(i) {
			continue
		}
		all := disturbances()
		if !*thorough {
			turn++
			all = all[turn%len(all):][:1]
		}
		for _, d := range all {
			if t.Failed() {
				return // a failure here would fail in hundreds of places
			}
			c := c
			c.wait, c.release = d.wait, d.release
			place.Action = d.action
			c.faults = []faultproxy.Fault{place}
			policy++
			c.doubt = []delivery.DoubtPolicy{delivery.HoldDoubt, delivery.RetryDoubt}[policy/2%2]
			courses <- func(gate *faultproxy.Gate) {
				c.gate = gate
				v, err := c.run()
				if d.release > 0 && err == nil && v.during.HandedOver != recipients {
					v.wrong = append(v.wrong, "a delay: "+v.during.String())
				}
				checkVerdict(t, fmt.Sprintf("%s, %s, %s, policy %s", m.name, d.name, place, c.doubt), v, err)
				s.add(v)
			}
		}
	}
}

// checkVerdict fails the test on contradictions.
func checkVerdict(t *testing.T, what string, v outboxVerdict, err error) {
	t.Helper()
	if err != nil || len(v.wrong) > 0 {
		t.Errorf("%s: %v\n%s\n%s", what, err, FirstFew(v.wrong), v.transcript)
	}
}

// TestCourseFindsABrokenStore is the control: a store that marks nothing, one that forgets a
// letter, and a worker that treats a doubt as a failure must be detected.
func TestCourseFindsABrokenStore(t *testing.T) {
	t.Parallel()
	for _, broken := range []struct {
		name  string
		store func(outbox.Store) outbox.Store
	}{
		{"takes a doubt for a failure", func(s outbox.Store) outbox.Store { return rashStore{s} }},
		{"forgets every third letter", func(s outbox.Store) outbox.Store { return &forgetfulStore{Store: s} }},
	} {
		t.Run(broken.name, func(t *testing.T) {
			t.Parallel()
			c := outboxCourse{sendMode: modes()[1], connections: 1, wait: impatience,
				open: func(clock *outboxtest.Clock) (outbox.Store, error) {
					return broken.store(outboxtest.NewModel(clock)), nil
				},
				letters: []Letter{NewLetter("a", 1, 1, 0), NewLetter("a", 2, 1, 0), NewLetter("a", 3, 1, 0)},
				faults:  []faultproxy.Fault{{Conn: 1, Action: faultproxy.StallReplies, Message: 1, Octets: 60}}}
			v, err := c.run()
			if err != nil {
				t.Fatal(err)
			}
			if len(v.wrong) == 0 {
				t.Errorf("not detected: %s, %s\n%s", v.during, v.after, v.transcript)
			}
			t.Logf("detected: %q", slices.Clip(v.wrong))
		})
	}
}
