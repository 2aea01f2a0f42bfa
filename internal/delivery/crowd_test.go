package delivery_test

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtpclient"
)

// silentSender is a transport whose server accepts connections and does not answer.
type silentSender struct{}

func (silentSender) SendAll(ctx context.Context, messages iter.Seq[smtpclient.Transaction]) iter.Seq2[int, smtpclient.Result] {
	return func(yield func(int, smtpclient.Result) bool) {
		n := 0
		for range messages {
			n++
			break
		}
		<-ctx.Done()
		for i := range n {
			if !yield(i, smtpclient.Result{}) {
				return
			}
		}
	}
}

func (silentSender) Close() error { return nil }

// An account whose server answers does not wait for accounts whose servers are dead, even if
// these are many more than may send at a time.
func TestDeadAccountsDelayNoHealthyOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 300 {
		content := composeMessage(t, "a@example.org")
		envelope, err := content.Envelope()
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("dead%03d", n)
		if n == 299 {
			name = "zzz"
		}
		if _, err = w.model.Enqueue(t.Context(), outbox.NewMessage{Account: name, Envelope: envelope, MessageID: content.MessageID(), Content: content}); err != nil {
			t.Fatal(err)
		}
	}
	dead := w.route
	dead.Open = func(context.Context, int) (delivery.TransactionSender, error) { return silentSender{}, nil }
	w.opts.Route = func(_ context.Context, name string) (delivery.Route, error) {
		if name == "zzz" {
			return w.route, nil
		}
		return dead, nil
	}
	w.opts.Grace = 1 // nanosecond: no transaction with the dead servers finishes
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- delivery.New(w.opts).Run(ctx) }()
	w.waitFor("the healthy account", func() bool { return w.countEvents(delivery.Settled, queue.HandedOver) == 1 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
