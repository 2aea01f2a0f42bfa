package outboxtest_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/outboxtest"
)

func TestModel(t *testing.T) {
	t.Parallel()
	outboxtest.Run(t, func(t *testing.T, clock *outboxtest.Clock) outbox.Store { return outboxtest.NewModel(clock) })
}

func TestModelShared(t *testing.T) {
	t.Parallel()
	outboxtest.RunShared(t, func(t *testing.T, clock *outboxtest.Clock) (one, other outbox.Store) {
		m := outboxtest.NewModel(clock)
		return m, m
	})
}

func TestModelReopen(t *testing.T) {
	t.Parallel()
	outboxtest.RunReopen(t, func(t *testing.T, clock *outboxtest.Clock) (outbox.Store, func() outbox.Store) {
		m := outboxtest.NewModel(clock)
		return m, func() outbox.Store { return m.Reopen() }
	})
}

func TestModelCopied(t *testing.T) {
	t.Parallel()
	outboxtest.RunCopied(t, func(t *testing.T, clock *outboxtest.Clock) (outbox.Store, func() outbox.Store) {
		m := outboxtest.NewModel(clock)
		return m, func() outbox.Store { return m.Copy() }
	})
}

var (
	seed  = flag.Uint64("seed", 0, "carry out the operations of this seed only; 0 for some")
	steps = flag.Int("steps", 3000, "how many random operations to carry out")
)

func TestModelRandom(t *testing.T) {
	t.Parallel()
	seeds := []uint64{1, 2}
	if *seed != 0 {
		seeds = []uint64{*seed}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			clock := outboxtest.NewClock()
			outboxtest.Random(t, seed, outboxtest.Fewer(*steps), outboxtest.NewModel(clock), clock)
		})
	}
}
