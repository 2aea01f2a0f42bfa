package survival

import (
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/outboxtest"
)

// kind is a store that has to pass the proofs.
type kind struct {
	name string
	// costly says that opening one takes a while; gang is how many courses are worth
	// to be carried out at a time.
	costly bool
	gang   int
	// open makes one that is empty; the clock is that of the options.
	open func(t testing.TB, o outbox.Options, clock *outboxtest.Clock) (outbox.Store, error)
}

func kinds() []kind {
	return []kind{
		{name: "model", gang: 48, open: func(_ testing.TB, _ outbox.Options, clock *outboxtest.Clock) (outbox.Store, error) {
			return slowMarks{outboxtest.NewModel(clock)}, nil
		}},
	}
}
