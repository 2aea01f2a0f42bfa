package delivery_test

import (
	"context"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/queue"
)

// asleepMailbox is a mailbox that does not answer until its context is done.
type asleepMailbox struct{}

func (asleepMailbox) Append(ctx context.Context, _ delivery.Copy, _ time.Time) error {
	<-ctx.Done()
	return ctx.Err()
}

func (asleepMailbox) Close() {}

// Replies are settled, however long the mailbox of the copies takes.
func TestASlowMailboxHoldsUpNoAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 300 {
		w.enqueueTo("a@example.org")
	}
	w.route.Mailbox = func(context.Context) (delivery.CopyFolder, error) { return asleepMailbox{}, nil }
	w.opts.Grace = 100 * time.Millisecond // after which no copy is made
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- delivery.New(w.opts).Run(ctx) }()
	// More than may wait for their copy: the last claim began when there was room.
	w.waitFor("the answers", func() bool { return w.countEvents(delivery.Settled, queue.HandedOver) >= 80 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
