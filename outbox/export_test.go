package outbox

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/yanmail/yan/account"
	store "github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// OnStore returns an Outbox that uses a store of the test.
func OnStore(store store.Store, o Options) *Outbox {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Secrets == nil {
		o.Secrets = account.SystemSecrets()
	}
	return &Outbox{o: o, store: store, file: o.Accounts}
}

// WatchBy is Watch with another clock.
func (b *Outbox) WatchBy(ctx context.Context, from queue.Cursor, after func(time.Duration) <-chan time.Time) iter.Seq2[queue.Event, error] {
	return b.watchEvents(ctx, from, after)
}
