package faultproxy

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/smtp"
)

var thorough = flag.Bool("thorough", false, "at every place everything that can go wrong, not one of it in turn")

// impatience is the timeout of a client that is going to be stalled. A timeout without a stall only
// makes a course less exact, never wrong.
const impatience = 100 * time.Millisecond

// runConcurrently runs many courses concurrently: stalled ones only wait and cost nothing.
func runConcurrently(t *testing.T, courses <-chan func(*Gate)) {
	var group sync.WaitGroup
	for range 64 {
		gate, err := NewGate()
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

// faultPlaces lists the places for faults on every connection: after and instead of every reply, at
// every seventh of a message, and one octet before its end.
func faultPlaces(seen []Seen) []Fault {
	var all []Fault
	for i, s := range seen {
		conn := i + 1
		all = append(all, Fault{Conn: conn})
		for reply := 1; reply <= s.Replies; reply++ {
			all = append(all, Fault{Conn: conn, Reply: reply}, Fault{Conn: conn, Reply: reply, Instead: true})
		}
		for m, octets := range s.Messages {
			last := int64(0)
			for _, at := range []int64{octets / 7, octets * 2 / 7, octets * 3 / 7, octets * 4 / 7, octets * 5 / 7, octets * 6 / 7, octets - 1, octets} {
				if at > last { // a lone dot has three octets
					all = append(all, Fault{Conn: conn, Message: m + 1, Octets: at})
					last = at
				}
			}
		}
	}
	return all
}

// outcomeTally counts the courses of a suite.
type outcomeTally struct {
	courses, acted atomic.Int64
	mu             sync.Mutex
	counts         map[smtp.Status]int
}

func (a *outcomeTally) add(v courseVerdict) {
	a.courses.Add(1)
	a.acted.Add(int64(v.acted))
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.counts == nil {
		a.counts = map[smtp.Status]int{}
	}
	for status, n := range v.counts {
		a.counts[status] += n
	}
}

func (a *outcomeTally) log(t *testing.T, began time.Time) {
	t.Helper()
	took := time.Since(began)
	t.Logf("%d courses in %v (%.0f a second), %d faults happened; outcomes %v", a.courses.Load(), took.Round(time.Millisecond),
		float64(a.courses.Load())/took.Seconds(), a.acted.Load(), a.counts)
}

// reportContradictions fails the test on contradictions.
func reportContradictions(t *testing.T, what string, v courseVerdict, err error) {
	t.Helper()
	if err == nil && len(v.wrong) == 0 {
		return
	}
	t.Errorf("%s: %v\n%q\n%s", what, err, v.wrong, shorten(v.transcript, 80))
}

// survey runs every scenario in every mode with a fault at every place: all actions at each place,
// or one in turn.
type survey struct {
	sendAll int
	actions []Action
	sum     outcomeTally
	turn    int
	courses chan func(*Gate)
}

// sight runs one scenario, first without a fault, to find its places.
func (y *survey) sight(t *testing.T, s scenario, m serverMode) {
	c := s.in(m)
	c.sendAll = y.sendAll
	if s.loose {
		c.wait = impatience // it stalls by itself
	}
	name := s.name + ", " + m.name
	v, err := c.run()
	reportContradictions(t, name, v, err)
	y.sum.add(v)
	if !s.loose && v.counts[smtp.Unknown] > 0 {
		t.Errorf("%s: %d unknown without a fault\n%s", name, v.counts[smtp.Unknown], v.transcript)
	}
	if s.sparesOthers() && y.sendAll == 0 {
		y.spared(t, name, s, v)
	}
	for _, place := range faultPlaces(v.seen) {
		actions := y.actions
		if !*thorough {
			actions = y.actions[y.turn%len(y.actions):][:1]
			y.turn++
		}
		for _, action := range actions {
			f := place
			f.Action = action
			y.courses <- func(gate *Gate) {
				c := c
				c.gate, c.faults = gate, []Fault{f}
				if action == Stall || action == StallReplies {
					c.wait = impatience
				}
				v, err := c.run()
				reportContradictions(t, fmt.Sprintf("%s, %s", name, f), v, err)
				y.sum.add(v)
			}
		}
	}
}

// spared checks that a fault of one message affects only that message: without faults on the way,
// all ordinary messages are accepted.
func (y *survey) spared(t *testing.T, name string, s scenario, v courseVerdict) {
	t.Helper()
	for i, d := range s.messages {
		if d.from != "" || d.failAt > 0 || strings.Join(d.to, "") != "" {
			continue
		}
		for _, o := range v.told[fmt.Sprintf("m%d", i+1)] {
			if o.Status != smtp.Accepted {
				t.Errorf("%s: message %d: %s\n%s", name, i+1, o, v.transcript)
			}
		}
	}
}

// through runs the survey; at least floor courses are required.
func (y *survey) through(t *testing.T, floor int64) {
	began := time.Now()
	y.courses = make(chan func(*Gate))
	var feeder sync.WaitGroup
	feeder.Go(func() {
		defer close(y.courses)
		for _, s := range scenarios() {
			for _, m := range modes() {
				if t.Failed() {
					return // a failure here would fail in hundreds of places
				}
				if s.fits(m) {
					y.sight(t, s, m)
				}
			}
		}
	})
	runConcurrently(t, y.courses)
	feeder.Wait()
	y.sum.log(t, began)
	if *thorough {
		floor *= int64(len(y.actions))
	}
	// On a busy machine a client times out before it gets to the place of the fault.
	if y.sum.courses.Load() < floor || y.sum.acted.Load() < floor*2/3 {
		t.Errorf("only %d courses, with %d faults; there must be %d", y.sum.courses.Load(), y.sum.acted.Load(), floor)
	}
	for _, status := range smtp.Statuses() {
		if y.sum.counts[status] == 0 {
			t.Errorf("no outcome was %q", status)
		}
	}
}

func TestEveryScenarioWithAFaultAtEveryPlace(t *testing.T) {
	t.Parallel()
	y := survey{actions: []Action{Cut, Reset, Stall}}
	y.through(t, 3800)
}

// The same through a transport, which resends messages that can be resent: no recipient may receive
// two copies.
func TestEveryScenarioThroughATransport(t *testing.T) {
	t.Parallel()
	y := survey{sendAll: 2, actions: []Action{Stall, Cut, Reset}}
	y.through(t, 3000)
}
