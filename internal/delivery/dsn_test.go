package delivery_test

import (
	"context"
	"testing"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// A message whose program asked for notifications is handed over at a provider without DSN, too:
// the program has its answer already.
func TestNotificationsAtAServerWithoutDSN(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server, err := sandbox.Start(sandbox.Config{Without: []string{"DSN"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	w.route.Open = func(context.Context, int) (delivery.TransactionSender, error) {
		return transport.Open("smtp+notls://"+server.SubmissionAddr(), transport.Options{})
	}
	content := composeMessage(t, "a@example.org")
	envelope, err := content.Envelope()
	if err == nil {
		envelope, err = envelope.WithDSN(smtp.DSN{Return: "HDRS", EnvelopeID: "id1", Notify: []string{"FAILURE", "DELAY"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.opts.Store.Enqueue(t.Context(), outbox.NewMessage{Account: account, Envelope: envelope,
		MessageID: content.MessageID(), Content: content})
	if err != nil {
		t.Fatal(err)
	}
	if drained := w.mustDrain(); drained.Count[queue.HandedOver] != 1 {
		t.Errorf("drained %v", drained.Count)
	}
	w.wantStates(r.ID, "handed_over")
}
