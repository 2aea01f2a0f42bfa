package outboxtest

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

var manyRules = []contractRule{
	{"one key of many at once is one message", func(s *fixture) { testManyKeys(s, s.store) }},
	{"workers that claim at once get nothing twice", func(s *fixture) { testManyWorkers(s, s.store) }},
	{"the events of many have no gap", func(s *fixture) { testManyEvents(s, s.store) }},
	{"slots of many at once are at most so many", func(s *fixture) { testManySlots(s, s.store) }},
}

// RunShared tests two stores opened on one outbox, as by processes that share it.
func RunShared(t *testing.T, open func(t *testing.T, clock *Clock) (one, other outbox.Store)) {
	t.Helper()
	for _, r := range []struct {
		sentence string
		test     func(*fixture, outbox.Store)
	}{
		{"one key of many at once is one message", testManyKeys},
		{"workers that claim at once get nothing twice", testManyWorkers},
		{"the events of many have no gap", testManyEvents},
		{"slots of many at once are at most so many", testManySlots},
		{"what one has done the other sees", testSharedSight},
	} {
		t.Run(r.sentence, func(t *testing.T) {
			t.Parallel()
			clock := NewClock()
			one, other := open(t, clock)
			t.Cleanup(func() {
				if err := other.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			r.test(newFixture(t, one, clock), other)
		})
	}
}

func testManyKeys(s *fixture, other outbox.Store) {
	const many = 32
	n := newLetter()
	n.Key = "k"
	receipts := make([]outbox.EnqueueResult, many)
	var group sync.WaitGroup
	for i := range many {
		group.Go(func() {
			var err error
			store := []outbox.Store{s.store, other}[i%2]
			if receipts[i], err = store.Enqueue(s.ctx, n); err != nil {
				s.Errorf("Enqueue: %v", err)
			}
		})
	}
	group.Wait()
	firsts := 0
	for _, r := range receipts {
		if !r.Duplicate {
			firsts++
		}
		if r.ID != receipts[0].ID {
			s.Errorf("the same key is %d and %d", r.ID, receipts[0].ID)
		}
	}
	if firsts != 1 || s.found(queue.Filter{}) != 1 {
		s.Errorf("%d calls enqueued a message, and there are %d messages", firsts, s.found(queue.Filter{}))
	}
}

// testManyWorkers lets four workers claim, mark and settle messages that are enqueued at the same time.
func testManyWorkers(s *fixture, other outbox.Store) {
	const producers, each, workers = 4, 30, 4
	var mu sync.Mutex
	handed := map[string]int{}
	var enqueued, delivered sync.WaitGroup
	for i := range producers {
		enqueued.Go(func() {
			for j := range each {
				n := newLetter(fmt.Sprintf("a%d.%d@example.org", i, j), fmt.Sprintf("b%d.%d@example.org", i, j))
				if _, err := s.store.Enqueue(s.ctx, n); err != nil {
					s.Errorf("Enqueue: %v", err)
				}
			}
		})
	}
	work := func(store outbox.Store, owner string) error {
		if err := store.Join(s.ctx, queue.Worker{Owner: owner}, time.Hour); err != nil {
			return err
		}
		for end := time.Now().Add(patience); time.Now().Before(end); runtime.Gosched() {
			mu.Lock()
			done := len(handed)
			mu.Unlock()
			if done == producers*each*2 {
				return nil
			}
			batch, err := store.Claim(s.ctx, outbox.Claim{Owner: owner, Account: "a", Recipients: 7, Bytes: 1 << 20})
			if err != nil {
				return err
			}
			for _, item := range batch.Items {
				for _, r := range item.Recipients {
					l := outbox.Lease{ID: item.ID, N: r.N, Token: r.Token}
					if lost, err := store.Mark(s.ctx, owner, []outbox.Lease{l}); err != nil || len(lost) > 0 || r.Token != 1 {
						return fmt.Errorf("token %d, lost %v: %w", r.Token, lost, err)
					}
					mu.Lock()
					handed[r.Address.String()]++
					mu.Unlock()
					if stale, err := store.Settle(s.ctx, []outbox.Settlement{{Lease: l, State: queue.HandedOver}}); err != nil || len(stale) > 0 {
						return fmt.Errorf("stale %v: %w", stale, err)
					}
				}
			}
		}
		return fmt.Errorf("not all messages are handed over")
	}
	for i := range workers {
		delivered.Go(func() {
			if err := work([]outbox.Store{s.store, other}[i%2], fmt.Sprint("w", i)); err != nil {
				s.Errorf("worker %d: %v", i, err)
			}
		})
	}
	enqueued.Wait()
	delivered.Wait()
	for to, times := range handed {
		if times != 1 {
			s.Errorf("%s was handed over %d times", to, times)
		}
	}
	stats, err := s.store.Stats(s.ctx)
	s.must("Stats", err)
	if got := stats.Accounts[0].Count; len(got) != 1 || got[queue.HandedOver] != producers*each*2 {
		s.Errorf("in the end there are %v", got)
	}
}

// testManyEvents reads the events while others write, and misses none.
func testManyEvents(s *fixture, other outbox.Store) {
	const writers, each = 6, 40
	var group sync.WaitGroup
	done := make(chan struct{})
	for i := range writers {
		group.Go(func() {
			store := []outbox.Store{s.store, other}[i%2]
			for range each {
				r, err := store.Enqueue(s.ctx, newLetter())
				if err == nil {
					_, err = store.Change(s.ctx, outbox.Change{Verb: queue.Cancel, Filter: queue.Filter{IDs: []queue.ID{r.ID}}})
				}
				if err != nil {
					s.Errorf("writer %d: %v", i, err)
					return
				}
			}
		})
	}
	go func() { group.Wait(); close(done) }()
	seen := map[queue.ID][]queue.EventKind{}
	after, last := queue.Cursor(""), false
	for {
		events, next, err := other.Events(s.ctx, after, 5)
		s.must("Events", err)
		for _, e := range events {
			seen[e.ID] = append(seen[e.ID], e.Kind)
		}
		after = next
		if len(events) == 0 && last {
			break
		}
		select {
		case <-done:
			last = true
		default:
		}
	}
	if len(seen) != writers*each {
		s.Errorf("%d messages were seen, want %d", len(seen), writers*each)
	}
	for id, kinds := range seen {
		if len(kinds) != 2 || kinds[0] != queue.EventEnqueued || kinds[1] != "cancelled" {
			s.Errorf("message %d: events are %v", id, kinds)
		}
	}
}

func testManySlots(s *fixture, other outbox.Store) {
	const workers, most = 8, 5
	got := make([]int, workers)
	var group sync.WaitGroup
	for i := range workers {
		group.Go(func() {
			store, owner := []outbox.Store{s.store, other}[i%2], fmt.Sprint("w", i)
			err := store.Join(s.ctx, queue.Worker{Owner: owner}, lease)
			if err == nil {
				got[i], err = store.Slots(s.ctx, owner, "a", 2, most)
			}
			if err != nil {
				s.Errorf("worker %d: %v", i, err)
			}
		})
	}
	group.Wait()
	sum := 0
	for _, n := range got {
		sum += n
	}
	if sum != most {
		s.Errorf("they have %v, want a sum of %d", got, most)
	}
}

func testSharedSight(s *fixture, other outbox.Store) {
	o := &fixture{T: s.T, ctx: s.ctx, store: other, clock: s.clock}
	n := newLetter()
	n.Content = newText(400_000)
	id := s.enqueue(n)
	o.sameBody("Body", n.Content.(*testContent), o.body(id))
	s.join("w")
	l := s.leases("w", 1)[0]
	o.is("Renew", other.Renew(s.ctx, "w", lease), nil)
	o.change(queue.Hold, id)
	if lost := s.mark("w", l); len(lost) != 1 {
		s.Error("what the other holds was marked")
	}
	s.pause(outbox.Pause{Account: "a", For: time.Minute}, true)
	o.pause(outbox.Pause{Account: "a", For: time.Minute}, false)
	s.same("everything", s.everything(), o.everything())
}
