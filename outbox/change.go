package outbox

import (
	"context"

	"github.com/yanmail/yan/internal/localerr"
	store "github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Hold keeps back the recipients that a filter selects, until they are released:
// those that are Queued, Deferred or Leased. The recipients of one message are changed
// together or not at all.
//
// Hold, Release, Retry and Cancel leave a recipient unchanged if its state does not allow
// the change, and count it as Untouched. The error is a [*queue.StateError] only if the
// filter names one message by its ID and no recipient of it could be changed, and
// queue.ErrNotFound if there is no such message.
func (b *Outbox) Hold(ctx context.Context, f queue.Filter) (queue.Changed, error) {
	return b.applyChange(ctx, store.Change{Verb: queue.Hold, Filter: f})
}

// Release releases Held recipients. They are due when they were due before.
func (b *Outbox) Release(ctx context.Context, f queue.Filter) (queue.Changed, error) {
	return b.applyChange(ctx, store.Change{Verb: queue.Release, Filter: f})
}

// Retry makes recipients due now, whatever EnqueueOptions.NotBefore was: those that are
// Queued, Deferred, Failed, Expired or Cancelled. An expired message gets another
// lifetime of five days.
func (b *Outbox) Retry(ctx context.Context, f queue.Filter) (queue.Changed, error) {
	return b.applyChange(ctx, store.Change{Verb: queue.Retry, Filter: f})
}

// Cancel cancels recipients that are neither being sent nor in a final state. A recipient
// that is InDoubt may have the message already.
func (b *Outbox) Cancel(ctx context.Context, f queue.Filter) (queue.Changed, error) {
	return b.applyChange(ctx, store.Change{Verb: queue.Cancel, Filter: f})
}

// Resolve ends the doubt about a message: its recipients that are InDoubt become
// HandedOver with queue.Sent, and are sent the message again with queue.Resend. The error
// is a [*queue.StateError] if none of them is in doubt.
func (b *Outbox) Resolve(ctx context.Context, id queue.ID, r queue.Resolution) (queue.Changed, error) {
	c := store.Change{Filter: queue.Filter{IDs: []queue.ID{id}}}
	switch r {
	case queue.Sent:
		c.Verb = queue.ResolveSent
	case queue.Resend:
		c.Verb = queue.ResolveResend
	default:
		return queue.Changed{}, localerr.Errorf("%q: want sent or resend", string(r))
	}
	return b.applyChange(ctx, c)
}

func (b *Outbox) applyChange(ctx context.Context, c store.Change) (queue.Changed, error) {
	defer b.signal.wakeAll()
	return b.store.Change(ctx, c)
}
