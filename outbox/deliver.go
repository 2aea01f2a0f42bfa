package outbox

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/telemetry"
	"github.com/yanmail/yan/queue"
)

// pruneEvery is the time between two calls of Prune.
const pruneEvery = time.Hour

// Deliver sends all due messages, from all accounts of the configuration, until ctx is done.
// Then it finishes the messages in flight, requeues the others and returns nil. Any number of
// processes may deliver from one outbox at the same time. Deliver returns an error only if it
// can't continue: a fault of the configuration at the start, ErrBroken or ErrCopied.
//
// Every hour it removes finished messages according to keep_bodies and keep_messages. The
// configuration is read once; to apply a changed one, end Deliver and open the outbox again.
func (b *Outbox) Deliver(ctx context.Context) error {
	d, err := b.newDelivery()
	if err != nil {
		return err
	}
	pruning := make(chan struct{})
	over, stop := context.WithCancel(ctx)
	go func() {
		defer close(pruning)
		b.pruneRegularly(over)
	}()
	err = d.Run(ctx)
	stop()
	<-pruning
	return err
}

// Drain delivers like Deliver, until no message is due. It is for programs that are started
// from time to time. Deferred and scheduled messages wait for the next run.
func (b *Outbox) Drain(ctx context.Context) (queue.Drained, error) {
	d, err := b.newDelivery()
	if err != nil {
		return queue.Drained{}, err
	}
	return d.Drain(ctx)
}

func (b *Outbox) newDelivery() (*delivery.Delivery, error) {
	f, err := b.loadAccounts()
	if err != nil {
		return nil, err
	}
	if p := f.OutboxFault(); p != nil {
		return nil, p
	}
	r := accountroute.Router{File: f, Secrets: b.o.Secrets}
	return delivery.New(delivery.Options{Store: b.store, Route: r.Find, Observe: b.observeEvent}), nil
}

// observeEvent wakes the watchers, and logs events that are not the outcome of a message.
func (b *Outbox) observeEvent(e delivery.WorkerEvent) {
	b.signal.wakeAll()
	if b.o.Tracer != nil {
		telemetry.RecordAttempt(b.o.Tracer, e)
	}
	var text string
	switch e.Kind {
	case delivery.NoRoute:
		text = "account unusable"
	case delivery.Paused:
		text = "account paused"
	case delivery.StoreError:
		text = "outbox failed"
	case delivery.Lapsed:
		text = "lease not renewed in time"
	default:
		return
	}
	b.o.Log.LogAttrs(context.Background(), slog.LevelWarn, text, telemetry.EventFields(e)...)
}

// pruneRegularly removes finished messages every pruneEvery until ctx is done.
func (b *Outbox) pruneRegularly(ctx context.Context) {
	f, err := b.loadAccounts()
	if err != nil {
		return // Deliver has reported the error
	}
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		_, err := b.store.Prune(ctx, accountroute.Retention(f.Outbox()))
		if err != nil && ctx.Err() == nil && !errors.Is(err, queue.ErrClosed) {
			b.o.Log.Warn("can't prune finished messages", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
