package outbox

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/yanmail/yan/account"
	queue "github.com/yanmail/yan/internal/outbox"
)

// On is an Outbox on a store of the test's.
func On(store queue.Store, o Options) *Outbox {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Secrets == nil {
		o.Secrets = new(account.Secrets)
	}
	return &Outbox{o: o, store: store, file: o.Accounts}
}

// WatchBy is Watch by another clock.
func (b *Outbox) WatchBy(ctx context.Context, from Cursor, after func(time.Duration) <-chan time.Time) iter.Seq2[Event, error] {
	return b.watch(ctx, from, after)
}
