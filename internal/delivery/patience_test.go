package delivery_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
)

// jumpingClock is a clock on which every wait ends at once and advances the time.
type jumpingClock struct {
	mu  sync.Mutex
	now time.Time
}

func (j *jumpingClock) Now() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.now
}

func (j *jumpingClock) After(d time.Duration) <-chan time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.now = j.now.Add(d)
	over := make(chan time.Time, 1)
	over <- j.now
	return over
}

// A drain does not wait for ever for a failing store, and returns the store's last error.
func TestADrainGivesUp(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Join", "Due", "Claim"} {
		w := newWorld(t)
		w.enqueueTo("a@example.com")
		store := &failingStore{Store: w.model, method: method, times: 1 << 30, err: errors.New("the database is away")}
		clock := &jumpingClock{now: time.Now()}
		w.opts.Store, w.opts.Now, w.opts.After = store, clock.Now, clock.After
		// Renewals would make the clock run.
		w.opts.Lease = outbox.LongestLease
		began := clock.Now()
		_, err := delivery.New(w.opts).Drain(t.Context())
		if err == nil || !strings.Contains(err.Error(), "the database is away") {
			t.Errorf("%s: %v", method, err)
		}
		if took := clock.Now().Sub(began); method == "Join" && (took < time.Minute || took > 3*time.Minute) {
			t.Errorf("%s: it gave up after %v", method, took)
		}
	}
}
