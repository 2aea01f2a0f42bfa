package durability

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/faultproxy"
	"github.com/yanmail/yan/internal/testing/outboxtest"
)

// pastLease is longer than the leases of these workers.
const pastLease = 31 * time.Second

// relay is a course with two workers: the first is stopped, or its clock is set, at one place; the
// second works when the first one's lease has ended; then the first continues.
type relay struct {
	outboxCourse
	// number and done name the call of the first worker, see stop; 0 means none.
	number int
	done   bool
	// step sets the clock instead of stopping the worker; 0 stops it.
	step time.Duration
	// broken wraps the first worker's store, for controls.
	broken func(outbox.Store) outbox.Store
}

// run carries it out. reached is false if the first worker had finished before the place; at is the
// call there.
func (r relay) run() (v outboxVerdict, at string, reached bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := r.outboxCourse.begin(ctx)
	if err != nil {
		return v, "", false, err
	}
	defer func() {
		s.close()
		v.seen, v.acted, v.transcript = s.line.proxy.Seen(), s.line.proxy.Acted(), s.line.proxy.Transcript()
	}()
	place := newStop(r.number, r.done)
	first := s.worker(&v)
	if r.step != 0 {
		var once sync.Once
		first.store = &watchedStore{Store: s.store, at: func(call string, number int, done bool) {
			if number == place.number && done == place.done {
				once.Do(func() {
					place.at = call
					s.clock.Step(r.step)
					close(place.stopped)
				})
			}
		}}
	} else {
		first.store = &watchedStore{Store: s.store, at: place.watch}
	}
	if r.broken != nil {
		first.store = r.broken(first.store)
	}
	drained := make(chan error, 1)
	go func() { drained <- first.drain(ctx) }()
	if r.step == 0 {
		reached, err = s.takeOver(ctx, &v, place, drained)
	} else {
		err = <-drained
		select {
		case <-place.stopped:
			reached = true
		default:
		}
	}
	if err != nil {
		return v, place.at, reached, err
	}
	return s.finish(ctx, v, place.at, reached)
}

// takeOver lets another worker work while the first is stopped past its lease.
func (s *scene) takeOver(ctx context.Context, v *outboxVerdict, place *callStop, drained chan error) (reached bool, err error) {
	stalled := time.NewTicker(time.Millisecond)
	defer stalled.Stop()
	for !reached {
		select {
		case <-place.stopped:
			reached = true
		case <-stalled.C:
			reached = s.line.proxy.Acted() > 0
		case err := <-drained:
			return false, err
		}
	}
	s.clock.Advance(pastLease)
	err = s.worker(v).drain(ctx)
	close(place.goOn)
	s.line.proxy.Release()
	if first := <-drained; err == nil {
		err = first
	}
	return true, err
}

func (s *scene) finish(ctx context.Context, v outboxVerdict, at string, reached bool) (outboxVerdict, string, bool, error) {
	err := s.examine(ctx, &v, s.worker(&v))
	return v, at, reached, err
}

func relayLetters() []Letter {
	var letters []Letter
	for n := range 7 {
		letters = append(letters, NewLetter("s", n+1, 1+n/6, 0))
	}
	return letters
}

// through tries all calls of a worker, before and after each.
func (k storeKind) through(t *testing.T, what string, s *courseSums, calls map[string]int, r func(number int, done bool) relay) {
	t.Helper()
	for _, done := range []bool{false, true} {
		for number := 1; ; number++ {
			if !*thorough && number%k.calls != 0 {
				continue
			}
			if number > 1000 {
				t.Fatalf("%s: a worker makes more than 1000 calls", what)
			}
			c := r(number, done)
			v, at, reached, err := c.run()
			checkVerdict(t, fmt.Sprintf("%s at call %d %s, done %v, policy %s", what, number, at, done, c.doubt), v, err)
			if t.Failed() {
				return
			}
			s.add(v)
			if !reached {
				break
			}
			calls[at]++
		}
	}
}

func policies(n int) delivery.DoubtPolicy {
	return []delivery.DoubtPolicy{delivery.HoldDoubt, delivery.RetryDoubt}[n%2]
}

// opener returns a function that opens stores of this kind for courses.
func (k storeKind) opener(t testing.TB) func(*outboxtest.Clock) (outbox.Store, error) {
	return func(clock *outboxtest.Clock) (outbox.Store, error) {
		return k.open(t, outbox.Options{Now: clock.Now, Uptime: clock.Uptime, MinFree: -1}, clock)
	}
}

// TestWorkerThatIsStoppedPastItsLease stops a worker at every call of the store, before and after
// it. Another worker takes over its recipients, and none receives two copies when the first worker
// continues.
func TestWorkerThatIsStoppedPastItsLease(t *testing.T) {
	t.Parallel()
	for _, k := range storeKinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			s, calls, began := &courseSums{}, map[string]int{}, time.Now()
			for _, m := range []sendMode{modes()[1], modes()[3]} {
				k.through(t, m.name+", stopped", s, calls, func(number int, done bool) relay {
					return relay{outboxCourse: outboxCourse{sendMode: m, letters: relayLetters(), connections: 1, doubt: policies(number / 2), open: k.opener(t)},
						number: number, done: done}
				})
			}
			s.log(t, began)
			t.Logf("stopped at %v", calls)
			for _, call := range []string{"Join", "Leave", "Claim", "Mark", "Settle", "Slots", "Sweep", "Due"} {
				if calls[call] == 0 && (k.calls == 1 || *thorough) {
					t.Errorf("no worker was stopped at %s", call)
				}
			}
			if s.during.InDoubt+s.during.Resent == 0 && (k.calls == 1 || *thorough) {
				t.Errorf("no recipient was in doubt")
			}
		})
	}
}

// TestWorkerThatIsCutOffPastItsLease is the same for messages in flight: the worker waits for a
// reply, or to write, while its lease ends.
func TestWorkerThatIsCutOffPastItsLease(t *testing.T) {
	t.Parallel()
	for _, k := range storeKinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			s, began := &courseSums{}, time.Now()
			for _, m := range []sendMode{modes()[1], modes()[3]} {
				c := outboxCourse{sendMode: m, letters: relayLetters(), connections: 1, open: k.opener(t)}
				v, err := c.run()
				checkVerdict(t, m.name, v, err)
				for i, place := range faultPlaces(v.seen[0], 29) {
					if !k.takes(i) {
						continue
					}
					place.Action = []faultproxy.Action{faultproxy.StallReplies, faultproxy.Stall}[i/2%2]
					c.faults, c.doubt = []faultproxy.Fault{place}, policies(i)
					v, _, reached, err := relay{outboxCourse: c}.run()
					checkVerdict(t, fmt.Sprintf("%s, %s, policy %s", m.name, place, c.doubt), v, err)
					if t.Failed() {
						return
					}
					if !reached && !strings.Contains(place.String(), "message") && place.Reply < v.seen[0].Replies {
						t.Errorf("%s: %s was not reached", m.name, place)
					}
					s.add(v)
				}
			}
			s.log(t, began)
			if s.acted < 100/k.every || s.during.InDoubt+s.during.Resent == 0 && k.every == 1 {
				t.Errorf("no recipient was in doubt, or only %d workers were cut off", s.acted)
			}
		})
	}
}

// TestClockThatIsSet sets the clock an hour back, an hour ahead, or a year ahead at every call. No
// message ends because of that unless the sender chose an expiry, which is the control.
func TestClockThatIsSet(t *testing.T) {
	t.Parallel()
	for _, k := range storeKinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			const year = 365 * 24 * time.Hour
			for _, c := range []struct {
				step time.Duration
				firm bool
			}{{-time.Hour, false}, {time.Hour, false}, {year, false}, {-year, false}, {year, true}} {
				step := c.step
				s, calls, began := &courseSums{}, map[string]int{}, time.Now()
				k.through(t, fmt.Sprintf("set by %v", step), s, calls, func(number int, done bool) relay {
					return relay{outboxCourse: outboxCourse{sendMode: modes()[1], letters: relayLetters(), connections: 1, doubt: policies(number / 2), open: k.opener(t), firm: c.firm},
						number: number, done: done, step: step}
				})
				s.log(t, began)
				t.Logf("the clock set by %v at %d places: %v", step, s.courses, slices.Sorted(maps.Keys(calls)))
				if !c.firm && s.after.Failed > 0 {
					t.Errorf("the clock was set by %v: %d recipients are expired", step, s.after.Failed)
				}
				if c.firm && s.after.Failed == 0 && (k.calls == 1 || *thorough) {
					t.Errorf("a year has passed, but no recipient is expired")
				}
			}
		})
	}
}

// TestRelayFindsABrokenFence is the control: without marks, recipients of a stopped worker receive
// two copies.
func TestRelayFindsABrokenFence(t *testing.T) {
	t.Parallel()
	found := map[string]int{}
	for number := 1; number <= 40; number++ {
		r := relay{outboxCourse: outboxCourse{sendMode: modes()[1], letters: relayLetters(), connections: 1,
			open: func(clock *outboxtest.Clock) (outbox.Store, error) { return outboxtest.NewModel(clock), nil }},
			number: number, broken: func(s outbox.Store) outbox.Store { return unmarked{s} }}
		v, at, reached, err := r.run()
		if err != nil {
			t.Fatal(err)
		}
		if !reached {
			break
		}
		if len(v.wrong) > 0 {
			found[at]++
		}
	}
	t.Logf("detected when stopped at %v", found)
	if len(found) == 0 {
		t.Error("a worker that marks nothing was not detected")
	}
}
