package outboxtest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Random runs the same random operations on a store and on a model. It compares all results and,
// now and then, the whole visible state. The store must be empty and use this clock. The same seed
// means the same operations.
func Random(t *testing.T, seed uint64, steps int, store outbox.Store, clock *Clock) {
	t.Helper()
	p := newStorePair(seed, store, clock)
	if err := p.run(t.Context(), steps); err != nil {
		t.Fatalf("seed %d: %v\nbefore that:\n  %s", seed, err, strings.Join(p.history, "\n  "))
	}
	t.Log(p.done)
	if err := p.wideEnough(steps); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
}

// RunReopen tests that a store is the same after it is closed and reopened. reopen is called after
// Close.
func RunReopen(t *testing.T, open func(t *testing.T, clock *Clock) (store outbox.Store, reopen func() outbox.Store)) {
	t.Helper()
	clock := NewClock()
	store, reopen := open(t, clock)
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	p := newStorePair(1, store, clock)
	for round := range Fewer(8) {
		err := p.run(t.Context(), 150)
		if err == nil {
			err = store.Close()
		}
		if err == nil {
			store = reopen()
			p.stores[0] = store
			err = p.everything(t.Context())
		}
		if err != nil {
			t.Fatalf("round %d: %v\nbefore that:\n  %s", round, err, strings.Join(p.history, "\n  "))
		}
	}
}

// storePair is a store (0) and a model (1) that get the same operations.
type storePair struct {
	random  *rand.Rand
	clock   *Clock
	stores  [2]outbox.Store
	ids     [2][]queue.ID             // of the messages, in their order
	words   map[queue.ID]queue.ID     // the model's ID for each ID of the store
	bodies  map[queue.ID]*testContent // by the model's IDs
	owners  []string                  // of the workers
	joined  int                       // number of workers that ever joined
	ahead   time.Duration             // error of the clock
	leases  []heldLease               // all leases returned
	cursors [2]queue.Cursor           // of the feeds
	kinds   map[queue.EventKind]bool  // seen so far
	done    map[string]int            // operations that succeeded
	history []string                  // the last operations
	quiet   bool                      // comparisons are not recorded in the history
}

// heldLease is a lease of a worker; message is its index in pair.ids.
type heldLease struct {
	owner      string
	message, n int
	token      int64
}

func newStorePair(seed uint64, store outbox.Store, clock *Clock) *storePair {
	return &storePair{
		random: rand.New(rand.NewPCG(seed, 25)), clock: clock, stores: [2]outbox.Store{store, NewModel(clock)},
		words: map[queue.ID]queue.ID{}, bodies: map[queue.ID]*testContent{},
		kinds: map[queue.EventKind]bool{}, done: map[string]int{}, owners: []string{"w0", "w1", "w2"}, joined: 3,
	}
}

func (p *storePair) run(ctx context.Context, steps int) error {
	for step := range steps {
		if err := p.step(ctx); err != nil {
			return fmt.Errorf("step %d: %w", step, err)
		}
		if step%100 == 99 || step == steps-1 {
			if err := p.everything(ctx); err != nil {
				return fmt.Errorf("after step %d: %w", step, err)
			}
		}
	}
	return nil
}

// wideEnough returns an error if a run did not cover every operation and event.
func (p *storePair) wideEnough(steps int) error {
	if steps < 2000 {
		return nil
	}
	for _, o := range operations {
		if p.done[o.name] == 0 {
			return fmt.Errorf("in %d steps there was no %s that succeeded", steps, o.name)
		}
	}
	for _, state := range queue.States() {
		if kind := queue.EventKind(state); !p.kinds[kind] && state != queue.Leased && state != queue.Sending {
			return fmt.Errorf("in %d steps there was no event %s", steps, kind)
		}
	}
	for _, kind := range []queue.EventKind{
		queue.EventEnqueued, queue.EventStale, queue.EventRetry, queue.EventReleased, queue.EventResent, queue.EventFound, queue.EventLapsed,
	} {
		if !p.kinds[kind] {
			return fmt.Errorf("in %d steps there was no event %s", steps, kind)
		}
	}
	return nil
}

func (p *storePair) step(ctx context.Context) error {
	total := 0
	for _, o := range operations {
		total += o.weight
	}
	at := p.random.IntN(total)
	for _, o := range operations {
		if at -= o.weight; at < 0 {
			return o.do(p, ctx)
		}
	}
	return nil
}

// both runs an operation on both sides and compares the results.
func (p *storePair) both(name, details string, do func(side int) (any, error)) (err error) {
	line := fmt.Sprintf("%s %s %s", p.clock.Now().Format("02 15:04:05.000"), name, details)
	if !p.quiet {
		p.history = append(p.history[max(0, len(p.history)-25):], line)
	}
	got, gotErr := do(0)
	want, wantErr := do(1)
	if g, w := errorProperties(gotErr, p.words), errorProperties(wantErr, nil); g != w {
		return fmt.Errorf("%s %s: error %v, want %v", name, details, gotErr, wantErr)
	}
	if wantErr == nil {
		p.done[name]++
	}
	if d := lineDifference(flatten(want, nil), flatten(got, p.words)); d != "" {
		return fmt.Errorf("%s %s:%s", name, details, d)
	}
	return nil
}

// everything compares the whole visible state.
func (p *storePair) everything(ctx context.Context) error {
	p.quiet = true
	defer func() { p.quiet = false }()
	errs := []error{p.feed(ctx)}
	for _, oldest := range []bool{false, true} {
		errs = append(errs, p.both("whole List", "", func(side int) (any, error) {
			return p.stores[side].List(ctx, queue.Filter{Limit: 1 << 20, Oldest: oldest})
		}))
	}
	errs = append(errs, p.doStats(ctx),
		p.both("whole Due", "", func(side int) (any, error) { return p.stores[side].Due(ctx) }),
		p.both("whole Unreported", "", func(side int) (any, error) { return p.stores[side].Unreported(ctx, 1<<20) }))
	for i := range p.ids[0] {
		if len(p.ids[0])-i > 60 && p.random.IntN(4) > 0 { // old messages now and then
			continue
		}
		errs = append(errs, p.show(ctx, i))
	}
	return errors.Join(errs...)
}

func (p *storePair) doStats(ctx context.Context) error {
	return p.both("Stats", "", func(side int) (any, error) {
		stats, err := p.stores[side].Stats(ctx)
		stats.Bytes, stats.Free = 0, 0
		return stats, err
	})
}

func (p *storePair) show(ctx context.Context, message int) error {
	return p.both("Show", fmt.Sprint(message), func(side int) (any, error) {
		e, err := p.stores[side].Show(ctx, p.id(side, message))
		sortEvents(e.Events, nil)
		return e, err
	})
}

// sortEvents sorts events by recipient and keeps the order of each recipient's events. The order of
// a message's recipients in one operation is not specified.
func sortEvents(events []queue.Event, words map[queue.ID]queue.ID) {
	in := func(id queue.ID) queue.ID {
		if known, ok := words[id]; ok {
			return known
		}
		return id
	}
	slices.SortStableFunc(events, func(a, b queue.Event) int {
		return cmp.Or(cmp.Compare(in(a.ID), in(b.ID)), cmp.Compare(a.N, b.N))
	})
}

// feed compares the events since the last time.
func (p *storePair) feed(ctx context.Context) error {
	limit := 1 + p.random.IntN(30)
	return p.both("Events", fmt.Sprint("by ", limit), func(side int) (any, error) {
		var all []queue.Event
		for {
			events, next, err := p.stores[side].Events(ctx, p.cursors[side], limit)
			if err != nil || len(events) > limit {
				return nil, fmt.Errorf("%d events: %w", len(events), err)
			}
			if p.cursors[side] = next; len(events) == 0 {
				break
			}
			all = append(all, events...)
		}
		for _, e := range all {
			p.kinds[e.Kind] = true
		}
		sortEvents(all, map[int]map[queue.ID]queue.ID{0: p.words}[side])
		return all, nil
	})
}

// id returns a message's ID on a side; an unknown ID for -1.
func (p *storePair) id(side, message int) queue.ID {
	if message < 0 {
		return 1 << 40
	}
	return p.ids[side][message]
}

// place returns the index of the message with an ID on a side.
func (p *storePair) place(side int, id queue.ID) int { return slices.Index(p.ids[side], id) }

// testSameBodies checks the bodies returned with a claim, which may differ between the sides.
func (p *storePair) sameBodies(items []outbox.Item, room int64) error {
	for _, item := range items {
		if item.Body == nil {
			continue
		}
		room -= item.Size
		if item.Size > inlineBody || room < 0 || !bytes.Equal(item.Body, p.bodies[p.words[item.ID]].octets) {
			return fmt.Errorf("claim: message %d came with a body of %d octets of %d, which leaves room for %d", item.ID, len(item.Body), item.Size, room)
		}
	}
	return nil
}

// chance returns true in the given percentage of cases.
func (p *storePair) chance(percent int) bool { return p.random.IntN(100) < percent }

// pick returns one of all.
func pick[T any](p *storePair, all ...T) T { return all[p.random.IntN(len(all))] }

// message returns the index of a message, preferring newer ones; rarely -1, for an unknown one.
func (p *storePair) message() int {
	n := len(p.ids[0])
	if n == 0 || p.chance(2) {
		return -1
	}
	if p.chance(60) {
		return n - 1 - p.random.IntN(min(n, 25))
	}
	return p.random.IntN(n)
}

// span returns a duration, mostly a short one.
func (p *storePair) span() time.Duration {
	return time.Duration(p.random.IntN(5000)) * pick(p, 0, time.Millisecond, time.Millisecond, 20*time.Millisecond, time.Second, time.Minute)
}
