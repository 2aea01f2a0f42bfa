//go:build linux

package durability

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/testing/faultproxy"
	"github.com/yanmail/yan/queue"
)

var kills = flag.Int("kills", 20, "how many processes to kill, for each store")

// TestKill9 kills processes that enqueue and processes that deliver: at random moments, at the
// store's failpoints, and between the last octet and the reply. Some are stopped past their lease
// first, some can't use the account on their machine, and the server sends replies inside
// transactions that may concern the whole account. All acknowledged letters must be accounted for,
// and no process may wait because of another's fault.
func TestKill9(t *testing.T) {
	t.Parallel()
	for _, k := range storeKinds() {
		if k.place == nil {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			// A kill takes about a second, several on a slow machine.
			ctx, cancel := context.WithTimeout(t.Context(), patience+time.Duration(*kills)*2*time.Second)
			defer cancel()
			b, err := newBattle(k.place(t), k.failpoints, poisonFaults(*kills/10)...)
			if err != nil {
				t.Fatal(err)
			}
			defer b.line.close()
			began := time.Now()
			if err := b.rage(ctx, *kills); err != nil {
				t.Fatal(err)
			}
			if err := b.settle(ctx, delivery.HoldDoubt, drained); err != nil {
				t.Fatal(err)
			}
			held := b.examine(ctx, t, false)
			if held.Pending > 0 || held.Duplicates > 0 || held.Lost > 0 {
				t.Errorf("%s", held)
			}
			// Then the policy resends recipients in doubt: only these may receive two copies.
			err = b.settle(ctx, delivery.RetryDoubt, func(n map[queue.State]int) bool { return drained(n) && n[queue.InDoubt] == 0 })
			if err != nil {
				t.Fatal(err)
			}
			sent := b.examine(ctx, t, true)
			t.Logf("%s\npolicy hold:  %s\npolicy retry: %s\nin %v", b.report(), held, sent, time.Since(began).Round(time.Millisecond))
			if sent.Duplicates > held.InDoubt || sent.HandedOver != held.HandedOver+held.InDoubt {
				t.Errorf("%d were in doubt, and then: %s", held.InDoubt, sent)
			}
			if b.killed() < *kills || held.Acknowledged < *kills || *kills >= 100 && held.InDoubt+held.Resent == 0 {
				t.Errorf("too few children were killed")
			}
		})
	}
}

// examine compares the outbox with the server.
func (b *battle) examine(ctx context.Context, t *testing.T, resends bool) Tally {
	t.Helper()
	if err := b.line.quiet(ctx); err != nil {
		t.Fatal(err)
	}
	store, err := openPlace(ctx, b.where, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	e := b.evidence()
	e.Resends = resends
	tally, wrong, err := Examine(ctx, store, e)
	if err != nil {
		t.Fatal(err)
	}
	if len(wrong) > 0 {
		t.Errorf("%s\n%s", FirstFew(wrong), b.report())
	}
	return tally
}

// TestKill9FindsWhatIsBroken is the control: one process acknowledges before it enqueues, and one
// does not mark recipients before it sends.
func TestKill9FindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	for _, k := range storeKinds() {
		if k.place == nil {
			continue
		}
		t.Run(k.name+", acknowledges too early", func(t *testing.T) {
			t.Parallel()
			b := k.battle(t)
			err := b.lead(orders{Role: "enqueue", Where: b.where, Series: "k1", Letters: 20, Callers: 1, Broken: "early", DieAt: "before-commit", DieOn: 3},
				fate{name: "failpoint"})
			if err != nil {
				t.Fatal(err)
			}
			tally, wrong := b.compareWithServer(t)
			if tally.Lost == 0 {
				t.Errorf("not detected: %s\n%s", tally, b.report())
			}
			t.Logf("%s\n%s", tally, FirstFew(wrong))
		})
		t.Run(k.name+", marks nothing", func(t *testing.T) {
			t.Parallel()
			b := k.battle(t)
			err := b.lead(orders{Role: "enqueue", Where: b.where, Series: "k1", Letters: 5, Callers: 1}, fate{name: "done", lines: 5})
			if err != nil {
				t.Fatal(err)
			}
			proxy, err := faultproxy.Start(faultproxy.Config{Serve: b.line.server.Serve,
				Faults: []faultproxy.Fault{{Conn: 1, Action: faultproxy.StallReplies, Message: 1, Octets: 50}}})
			if err != nil {
				t.Fatal(err)
			}
			gone := make(chan struct{})
			err = b.lead(orders{Role: "deliver", Where: b.where, Lease: shortLease, Port: proxy.Port(), Broken: "unmarked"},
				fate{name: "silence", when: faultActed(proxy, gone), delay: 20 * time.Millisecond})
			close(gone)
			if err != nil {
				t.Fatal(err)
			}
			if err := proxy.Finish(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := b.settle(t.Context(), delivery.HoldDoubt, drained); err != nil {
				t.Fatal(err)
			}
			tally, wrong := b.compareWithServer(t)
			if tally.Duplicates == 0 || len(wrong) == 0 {
				t.Errorf("not detected: %s\n%s", tally, b.report())
			}
			t.Logf("%s\n%s", tally, FirstFew(wrong))
		})
	}
}

func (k storeKind) battle(t *testing.T) *battle {
	t.Helper()
	b, err := newBattle(k.place(t), k.failpoints)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.line.close)
	return b
}

// compareWithServer compares the outbox with the server and returns the contradictions.
func (b *battle) compareWithServer(t *testing.T) (Tally, []string) {
	t.Helper()
	if err := b.line.quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	store, err := openPlace(t.Context(), b.where, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	tally, wrong, err := Examine(t.Context(), store, b.evidence())
	if err != nil {
		t.Fatal(fmt.Errorf("examine: %w", err))
	}
	return tally, wrong
}
