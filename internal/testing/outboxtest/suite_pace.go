package outboxtest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

var paceRules = []contractRule{
	{"a pace bounds how many messages all workers take", testPace},
	{"a pace costs a token for every item, and none for what is not taken", testPaceTokens},
	{"a paused account has nothing due", testPause},
	{"a longer pause replaces another, a shorter one does not", testPauseLonger},
	{"one of many that pause an account hears that it began", testPauseOnce},
	{"slots of all workers are at most so many", testSlots},
	{"slots end with their worker", testSlotsEnd},
}

func testPace(s *fixture) {
	p := outbox.Pace{Messages: 60, Per: time.Minute, Burst: 3}
	for range 12 {
		s.enqueue(newLetter("1@example.org", "2@example.org"))
	}
	other := newLetter()
	other.Account = "b"
	s.enqueue(other)
	s.join("w")
	s.join("v")
	for i, step := range []struct {
		after time.Duration
		owner string
		n     int
		items int
		wait  time.Duration
	}{
		{0, "w", 4, 2, 0},
		{0, "v", 100, 1, time.Second},
		{0, "w", 100, 0, time.Second},
		{400 * time.Millisecond, "w", 100, 0, 600 * time.Millisecond},
		{600 * time.Millisecond, "w", 100, 1, time.Second},
		{2500 * time.Millisecond, "v", 100, 2, 500 * time.Millisecond},
		{0, "v", 0, 0, 500 * time.Millisecond},
		{20 * time.Second, "v", 0, 0, 0},
		{0, "v", 100, 3, time.Second},
		{-5 * time.Second, "v", 100, 0, time.Second},
		{time.Second, "v", 100, 1, time.Second},
	} {
		s.clock.Advance(step.after)
		batch := s.claim(outbox.Claim{Owner: step.owner, Account: "a", Recipients: step.n, Pace: p})
		if len(batch.Items) != step.items || batch.Wait != step.wait {
			s.Errorf("step %d: got %d items and wait %v, want %d and %v", i, len(batch.Items), batch.Wait, step.items, step.wait)
		}
	}
	if batch := s.claim(outbox.Claim{Owner: "w", Account: "b", Recipients: 1, Pace: p}); len(batch.Items) != 1 || batch.Wait != 0 {
		s.Errorf("another account got %+v", batch)
	}
	if batch := s.claim(outbox.Claim{Owner: "w", Account: "a", Recipients: 100}); len(batch.Items) != 2 || batch.Wait != 0 {
		s.Errorf("without a pace %d items came, wait %v", len(batch.Items), batch.Wait)
	}
}

func testPaceTokens(s *fixture) {
	p := outbox.Pace{Messages: 1, Per: time.Second, Burst: 3}
	s.enqueue(newLetter("1@example.org", "2@example.org", "3@example.org"))
	s.join("w")
	for i, step := range []struct {
		n, items int
		wait     time.Duration
	}{{2, 1, 0}, {1, 1, 0}, {5, 0, 0}} {
		batch := s.claim(outbox.Claim{Owner: "w", Account: "a", Recipients: step.n, Pace: p})
		if len(batch.Items) != step.items || batch.Wait != step.wait {
			s.Errorf("step %d: got %d items and wait %v", i, len(batch.Items), batch.Wait)
		}
	}
	s.enqueue(newLetter())
	s.enqueue(newLetter())
	batch := s.claim(outbox.Claim{Owner: "w", Account: "a", Recipients: 5, Pace: p})
	if len(batch.Items) != 1 || batch.Wait != time.Second {
		s.Errorf("got %d items and wait %v", len(batch.Items), batch.Wait)
	}
}

func (s *fixture) pause(p outbox.Pause, want bool) {
	s.Helper()
	began, err := s.store.Pause(s.ctx, p)
	s.must("Pause", err)
	if began != want {
		s.Errorf("Pause for %v: began is %v", p.For, began)
	}
}

func testPause(s *fixture) {
	s.enqueue(newLetter())
	s.join("w")
	s.pause(outbox.Pause{Account: "a", For: 10 * time.Second, Answer: newRefusal("slower")}, true)
	s.clock.Advance(4 * time.Second)
	batch := s.claim(outbox.Claim{Owner: "w", Account: "a", Recipients: 1, Pace: outbox.Pace{Messages: 1, Per: time.Hour}})
	if len(batch.Items) != 0 || batch.Wait != 6*time.Second {
		s.Errorf("paused, but Claim returned %+v", batch)
	}
	stats, err := s.store.Stats(s.ctx)
	s.must("Stats", err)
	s.same("Stats", []queue.AccountStats{{
		Account: "a", Count: map[queue.State]int{queue.Queued: 1}, PausedFor: 6 * time.Second, PauseAnswer: newRefusal("slower"),
	}}, stats.Accounts)
	s.same("resumed before anybody did it", int64(0), s.due()[0].Resumed)
	woken := s.store.Wake()
	s.must("Resume", s.store.Resume(s.ctx, "a"))
	first := s.due()[0].Resumed
	s.clock.Advance(time.Second)
	s.must("Resume what is not paused", s.store.Resume(s.ctx, "a"))
	if second := s.due()[0].Resumed; first == 0 || second == 0 || first == second {
		s.Errorf("Due is the same after Resume: %d, %d", first, second)
	}
	s.woken("Resume", woken)
	s.must("Resume what there is not", s.store.Resume(s.ctx, "z"))
	stats, err = s.store.Stats(s.ctx)
	s.must("Stats", err)
	s.same("Stats", []queue.AccountStats{{Account: "a", Count: map[queue.State]int{queue.Queued: 1}}}, stats.Accounts)
	s.leases("w", 1)
	s.pause(outbox.Pause{Account: "b", For: 0}, false)
	s.pause(outbox.Pause{Account: "b", For: -time.Hour}, false)
	s.pause(outbox.Pause{Account: "b", For: time.Second}, true)
	s.clock.Advance(time.Second)
	s.pause(outbox.Pause{Account: "b", For: time.Second}, true) // it had ended
}

func testPauseLonger(s *fixture) {
	look := func(want time.Duration, answer string) {
		s.Helper()
		stats, err := s.store.Stats(s.ctx)
		s.must("Stats", err)
		s.same("Stats", []queue.AccountStats{{Account: "a", PausedFor: want, PauseAnswer: newRefusal(answer)}}, stats.Accounts)
	}
	s.pause(outbox.Pause{Account: "a", For: 10 * time.Second, Answer: newRefusal("one")}, true)
	s.pause(outbox.Pause{Account: "a", For: 5 * time.Second, Answer: newRefusal("two")}, false)
	look(10*time.Second, "one")
	s.pause(outbox.Pause{Account: "a", For: 10 * time.Second, Answer: newRefusal("as long")}, false)
	look(10*time.Second, "one")
	s.clock.Advance(9 * time.Second)
	s.pause(outbox.Pause{Account: "a", For: 5 * time.Second, Answer: newRefusal("three")}, false)
	look(5*time.Second, "three")
	s.clock.Advance(5 * time.Second)
	stats, err := s.store.Stats(s.ctx)
	s.must("Stats", err)
	s.same("Stats", queue.Stats{}.Accounts, stats.Accounts)
}

func testPauseOnce(s *fixture) {
	var began atomic.Int32
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			b, err := s.store.Pause(s.ctx, outbox.Pause{Account: "a", For: time.Duration(i+1) * time.Second})
			if err != nil {
				s.Errorf("Pause: %v", err)
			}
			if b {
				began.Add(1)
			}
		})
	}
	group.Wait()
	if began.Load() != 1 {
		s.Errorf("began was true for %d of 16 calls", began.Load())
	}
	if got := s.claimWait(); got != 16*time.Second {
		s.Errorf("the pause is %v", got)
	}
}

func (s *fixture) claimWait() time.Duration {
	s.join("who asks")
	return s.claim(outbox.Claim{Owner: "who asks", Account: "a", Recipients: 1}).Wait
}

func (s *fixture) slots(owner, account string, want, most, got int) {
	s.Helper()
	n, err := s.store.Slots(s.ctx, owner, account, want, most)
	s.must("Slots", err)
	if n != got {
		s.Errorf("Slots(%s, %s, want %d, most %d) = %d, want %d", owner, account, want, most, n, got)
	}
}

func testSlots(s *fixture) {
	s.join("w")
	s.join("v")
	s.slots("w", "a", 3, 5, 3)
	s.slots("w", "a", 3, 5, 3) // replaces its slots
	s.slots("v", "a", 3, 5, 2)
	s.slots("w", "a", 5, 5, 3)
	s.slots("w", "b", 9, 5, 5)
	s.slots("w", "a", 1, 5, 1)
	s.slots("v", "a", 9, 5, 4)
	s.slots("w", "a", 1, 3, 0) // the limit has become smaller: others keep theirs
	s.slots("v", "a", 9, 0, 9) // as many as it wants
	s.slots("w", "a", 1, 5, 0)
	s.slots("v", "a", -1, 5, 0)
	s.slots("w", "a", 9, 5, 5)
	s.slots("w", "a", 0, 5, 0)
	s.slots("v", "a", 5, 5, 5)
}

func testSlotsEnd(s *fixture) {
	for _, owner := range []string{"w", "v", "u"} {
		s.join(owner)
	}
	s.slots("w", "a", 2, 5, 2)
	s.slots("v", "a", 2, 5, 2)
	s.slots("u", "a", 9, 5, 1)
	s.must("Leave", s.store.Leave(s.ctx, "w"))
	s.slots("u", "a", 9, 5, 3)
	s.clock.Advance(lease / 2)
	s.must("Renew", s.store.Renew(s.ctx, "u", lease))
	s.clock.Advance(lease / 2) // v has lapsed
	s.slots("u", "a", 9, 5, 3)
	s.sweep()
	s.slots("u", "a", 9, 5, 5)
	s.must("Leave", s.store.Leave(s.ctx, "u"))
	s.join("w")
	s.slots("w", "a", 9, 5, 5)
}
