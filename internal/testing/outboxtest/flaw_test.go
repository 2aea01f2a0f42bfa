package outboxtest

import (
	"context"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// flawed is a model with one error.
type flawed struct {
	*Model
	flaw string
}

func (f flawed) Renew(ctx context.Context, owner string, lease time.Duration) error {
	err := f.Model.Renew(ctx, owner, lease)
	if f.flaw == "a lapsed worker may go on" {
		return nil
	}
	return err
}

func (f flawed) Mark(ctx context.Context, owner string, leases []outbox.Lease) ([]outbox.Lease, error) {
	lost, err := f.Model.Mark(ctx, owner, leases)
	if f.flaw == "nothing is lost" {
		return nil, err
	}
	return lost, err
}

func (f flawed) Settle(ctx context.Context, settlements []outbox.Settlement) ([]outbox.Lease, error) {
	stale, err := f.Model.Settle(ctx, settlements)
	if f.flaw == "nothing is stale" {
		return nil, err
	}
	return stale, err
}

func (f flawed) Claim(ctx context.Context, c outbox.Claim) (outbox.Batch, error) {
	if f.flaw == "a pace is not heeded" {
		c.Pace = outbox.Pace{}
	}
	return f.Model.Claim(ctx, c)
}

func (f flawed) List(ctx context.Context, filter queue.Filter) (queue.Page, error) {
	if f.flaw == "a filter's tag is not heeded" {
		filter.Tag = ""
	}
	return f.Model.List(ctx, filter)
}

func (f flawed) Events(ctx context.Context, after queue.Cursor, limit int) ([]queue.Event, queue.Cursor, error) {
	events, next, err := f.Model.Events(ctx, after, limit)
	if f.flaw == "a full page of events loses its last" && len(events) == limit && limit > 1 {
		events = events[:limit-1]
	}
	return events, next, err
}

func TestRandomFindsFlaws(t *testing.T) {
	t.Parallel()
	for _, flaw := range []string{
		"a lapsed worker may go on", "nothing is lost", "nothing is stale", "a pace is not heeded",
		"a filter's tag is not heeded", "a full page of events loses its last",
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			clock := NewClock()
			if err := newStorePair(1, flawed{NewModel(clock), flaw}, clock).run(t.Context(), 3000); err == nil {
				t.Error("3000 random operations have not detected the flaw")
			}
		})
	}
}
