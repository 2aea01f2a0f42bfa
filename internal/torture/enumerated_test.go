package torture

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/smtp"
)

// impatience is how long a client waits that is going to be stalled. A wait
// that ends although nothing is stalled only makes a course less exact, never
// wrong.
const impatience = 100 * time.Millisecond

// gang carries out many courses side by side: those that are stalled wait for
// time to pass, and cost nothing.
func gang(t *testing.T, courses <-chan func(*Gate)) {
	var group sync.WaitGroup
	for range 48 {
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

// places lists where something can go wrong in what was seen: on every
// connection behind every reply, instead of every reply, and at every seventh
// of a message, and one octet short of its end.
func places(seen []Seen) []Fault {
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

// tally counts over all courses of a suite.
type tally struct {
	courses, acted atomic.Int64
	mu             sync.Mutex
	counts         map[smtp.Status]int
}

func (a *tally) add(v verdict) {
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

func (a *tally) log(t *testing.T, began time.Time) {
	t.Helper()
	took := time.Since(began)
	t.Logf("%d courses in %v (%.0f a second), %d faults happened; outcomes %v", a.courses.Load(), took.Round(time.Millisecond),
		float64(a.courses.Load())/took.Seconds(), a.acted.Load(), a.counts)
}

// report fails the test on contradictions; it tells of few, they are mostly
// the same.
func report(t *testing.T, what string, v verdict, err error) {
	t.Helper()
	if err == nil && len(v.wrong) == 0 {
		return
	}
	t.Errorf("%s: %v\n%q\n%s", what, err, v.wrong, shorten(v.transcript, 80))
}

// every scenario, in every mode, with everything that can go wrong at every
// place where it can.
func enumerate(t *testing.T, sendAll int, actions []Action, floor int64) {
	sum := &tally{}
	began := time.Now()
	courses := make(chan func(*Gate))
	var feeder sync.WaitGroup
	feeder.Go(func() {
		defer close(courses)
		for _, s := range scenarios() {
			for _, m := range modes() {
				if t.Failed() {
					return // what fails here fails in hundreds of places
				}
				c := s.in(m)
				c.sendAll = sendAll
				if s.loose {
					c.wait = impatience // it stalls by itself
				}
				name := s.name + ", " + m.name
				v, err := c.run()
				report(t, name, v, err)
				sum.add(v)
				if !s.loose && v.counts[smtp.Unknown] > 0 {
					t.Errorf("%s: %d unknown although nothing went wrong on the way\n%s", name, v.counts[smtp.Unknown], v.transcript)
				}
				for _, place := range places(v.seen) {
					for _, action := range actions {
						f := place
						f.Action = action
						courses <- func(gate *Gate) {
							c := c
							c.gate = gate
							c.faults = []Fault{f}
							if action == Stall || action == StallReplies {
								c.wait = impatience
							}
							v, err := c.run()
							report(t, fmt.Sprintf("%s, %s", name, f), v, err)
							sum.add(v)
						}
					}
				}
			}
		}
	})
	gang(t, courses)
	feeder.Wait()
	sum.log(t, began)
	if sum.courses.Load() < floor || sum.acted.Load() < floor*9/10 {
		t.Errorf("only %d courses, with %d faults; there must be %d", sum.courses.Load(), sum.acted.Load(), floor)
	}
	for _, status := range smtp.Statuses() {
		if sum.counts[status] == 0 {
			t.Errorf("not one outcome was %q", status)
		}
	}
}

func TestEveryScenarioWithEveryFaultAtEveryPlace(t *testing.T) {
	t.Parallel()
	enumerate(t, 0, []Action{Cut, Reset, Stall}, 1000)
}

// The same through a transport, which sends again what can be sent again:
// nobody may ever get a message twice.
func TestEveryScenarioThroughATransport(t *testing.T) {
	t.Parallel()
	enumerate(t, 2, []Action{Cut, Reset, Stall}, 1000)
}
