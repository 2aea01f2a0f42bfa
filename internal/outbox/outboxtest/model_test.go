package outboxtest_test

import (
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/outboxtest"
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
