package delivery

import (
	"context"

	"github.com/yanmail/yan/internal/outbox"
)

// Delivery sends what is in an outbox.
type Delivery struct {
	o Options
}

// New makes a Delivery. It does nothing yet.
func New(o Options) *Delivery { return &Delivery{o: o} }

// Run works until ctx is over, then finishes what is on the wire, gives back what it
// has not begun, and returns nil. An error is one of the store that can't be gone
// on from; outbox.ErrBroken is.
func (d *Delivery) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Drained counts what a Drain did, in recipients.
type Drained struct {
	Count map[outbox.State]int // what they came to
	Left  int                  // that are still waiting, in doubt or held
}

// Drain works until nothing is due any more, or ctx is over.
func (d *Delivery) Drain(ctx context.Context) (Drained, error) { return Drained{}, nil }

// Reload has every account's route asked for anew.
func (d *Delivery) Reload() {}

// Status is how it goes, for health and readiness.
type Status struct {
	Joined    bool  // it has a lease
	Couriers  int   // accounts at work
	InFlight  int   // recipients leased
	StoreErr  error // of the last use of the store; nil when it worked
	Accepting bool  // not stopping
}

// Status tells how it goes.
func (d *Delivery) Status() Status { return Status{} }
