package delivery_test

import (
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// A drain requeues and sends the messages of a dead worker, and sends no expired message.
func TestADrainLooksAtWhatOthersLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	left := w.enqueueTo("left@example.com")
	if err := w.model.Join(t.Context(), queue.Worker{Owner: "dead"}, time.Second); err != nil {
		t.Fatal(err)
	}
	batch, err := w.model.Claim(t.Context(), outbox.Claim{Owner: "dead", Account: account, Recipients: 10})
	if err != nil || len(batch.Items) != 1 {
		t.Fatalf("%+v, %v", batch, err)
	}
	w.clock.Advance(2 * time.Second)
	w.mustDrain()
	w.wantStates(left, "handed_over")

	late := w.enqueueUntil(w.clock.Now().Add(outbox.Lifetime), "late@example.com")
	w.clock.Advance(outbox.Lifetime)
	for range 20 { // several times, because the order of goroutines is random
		w.mustDrain()
	}
	w.wantStates(late, "expired")
	if n, twice := w.countDeliveries(); n != 1 || len(twice) > 0 {
		t.Errorf("%d deliveries, %v", n, twice)
	}
}
