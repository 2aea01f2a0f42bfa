package survival

import (
	"testing"

	"github.com/yanmail/yan/internal/outbox"
)

// kind is a store that has to pass the proofs.
type kind struct {
	name string
	// costly says that opening one takes a while; gang is how many courses are worth
	// to be carried out at a time.
	costly bool
	gang   int
	// open makes one that is empty.
	open func(t testing.TB, o outbox.Options) (outbox.Store, error)
}

func kinds() []kind {
	return []kind{
		{name: "model", gang: 48},
	}
}
