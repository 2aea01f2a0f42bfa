//go:build linux

package durability

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/testing/faultproxy"
	"github.com/yanmail/yan/internal/testing/pgtest"
	"github.com/yanmail/yan/queue"
)

// machines share one database, whose server is killed repeatedly during their commits.
type machines struct {
	*testing.T
	battle *battle
	server *pgtest.Server
	// armed makes the next commit that reaches a failpoint report it.
	armed atomic.Int32
	hit   chan string
	next  atomic.Int64   // letter
	errs  map[string]int // errors that callers got
}

// hook is called at each failpoint of each machine.
func (m *machines) hook(point string) {
	if point != "begin" && m.armed.Add(-1) == 0 {
		m.hit <- point
	}
}

func (m *machines) open(ctx context.Context) *postgres.Store {
	m.Helper()
	s, err := postgres.OpenWith(ctx, m.battle.where, outbox.Options{InlineBytes: inlineBytes}, postgres.TestSettings{Hook: m.hook, Patience: patience})
	if err != nil {
		m.Fatal(err)
	}
	return s
}

// keep enqueues until ctx is done.
func (m *machines) keep(ctx context.Context, s *postgres.Store) {
	for n := m.next.Add(1); ctx.Err() == nil; n = m.next.Add(1) {
		letter := NewLetter("d1", int(n), 1+rand.IntN(2), []int64{0, 3000, 6000}[rand.IntN(3)])
		message, err := letter.New()
		if err != nil {
			m.Error(err)
			return
		}
		receipt, err := s.Enqueue(context.WithoutCancel(ctx), message)
		m.battle.mu.Lock()
		if err == nil {
			m.battle.kept[letter] = receipt.ID
		} else {
			m.errs[kindOf(err)]++
		}
		m.battle.mu.Unlock()
		if err != nil {
			select { // the database is not running
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
}

// kindOf classifies an error, for the report.
func kindOf(err error) string {
	switch {
	case errors.Is(err, queue.ErrUncertain):
		return "uncertain"
	case errors.Is(err, queue.ErrBroken):
		return "broken"
	case errors.Is(err, queue.ErrFull):
		return "full"
	}
	return "nothing kept"
}

var databaseKills = flag.Int("crashes", 2, "how often to kill the database")

// TestDatabaseIsKilled lets two machines enqueue and deliver while the PostgreSQL server is killed
// around their commits and restarted.
func TestDatabaseIsKilled(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t, pgtest.Options{})
	b, err := newBattle(server.Database(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.line.close()
	ctx, cancel := context.WithTimeout(t.Context(), patience+time.Duration(*databaseKills)*20*time.Second)
	defer cancel()
	began := time.Now()
	m := &machines{T: t, battle: b, server: server, hit: make(chan string, 1), errs: map[string]int{}}
	at := m.fight(ctx)
	if err := b.settle(ctx, delivery.HoldDoubt, drained); err != nil {
		t.Fatal(err)
	}
	tally := b.examine(ctx, t, false)
	t.Logf("the database was killed %d times: %v; callers were told %v, in %v\n%s", *databaseKills, at, m.errs, time.Since(began).Round(time.Millisecond), tally)
	if tally.Lost+tally.Duplicates+tally.Pending > 0 || tally.Acknowledged == 0 {
		t.Errorf("%s", tally)
	}
	if len(at) == 0 {
		t.Error("no commit was hit")
	}
}

// fight lets the machines work while the database is killed.
func (m *machines) fight(ctx context.Context) (at map[string]int) {
	m.Helper()
	working, end := context.WithCancel(ctx)
	defer end()
	var group sync.WaitGroup
	for range 2 {
		s := m.open(ctx)
		defer s.Close()
		proxy, err := faultproxy.Start(faultproxy.Config{Serve: m.battle.line.server.Serve})
		if err != nil {
			m.Fatal(err)
		}
		defer func() {
			if err := proxy.Finish(ctx); err != nil {
				m.Error(err)
			}
		}()
		for range 3 {
			group.Go(func() { m.keep(working, s) })
		}
		d := delivery.New(delivery.Options{Store: s, Lease: 3 * time.Second, Grace: time.Second,
			Route: accountWay{port: proxy.Port(), connections: 2}.route})
		group.Go(func() {
			if err := d.Run(working); err != nil {
				m.Errorf("a worker has ended: %v", err)
			}
		})
	}
	at = map[string]int{}
	for range *databaseKills {
		m.armed.Store(int32(20 + rand.IntN(60)))
		select {
		case point := <-m.hit:
			at[point]++
		case <-ctx.Done():
			m.Fatalf("no more commits; so far %v, %v", at, m.errs)
		}
		m.server.Kill(m)
		m.server.Restart(m)
	}
	m.await(ctx)
	end()
	group.Wait()
	return at
}

// await returns when both enqueuing and delivering work again after the last crash.
func (m *machines) await(ctx context.Context) {
	m.Helper()
	before, served := m.next.Load(), m.battle.line.ledger.Deliveries()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for m.next.Load() < before+20 || m.battle.line.ledger.Deliveries() < served+20 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			m.Fatalf("no progress after the crash: %v", m.errs)
		}
	}
}
