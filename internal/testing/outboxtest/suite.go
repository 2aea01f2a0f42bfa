package outboxtest

import (
	"testing"

	"github.com/yanmail/yan/internal/outbox"
)

// Run tests every method and every rule of outbox.Store. open opens an empty outbox with this
// clock; Run closes it. The subtests are parallel.
func Run(t *testing.T, open func(t *testing.T, clock *Clock) outbox.Store) {
	t.Helper()
	for _, part := range [][]contractRule{
		enqueueRules, bodyRules, leaseRules, settleRules, moveRules, changeRules,
		claimRules, paceRules, listRules, eventRules, reportRules, pruneRules, manyRules, timeRules,
	} {
		for _, r := range part {
			t.Run(r.sentence, func(t *testing.T) {
				t.Parallel()
				clock := NewClock()
				r.test(newFixture(t, open(t, clock), clock))
			})
		}
	}
}

// contractRule is a rule of the contract.
type contractRule struct {
	sentence string
	test     func(*fixture)
}
