package outbox

import (
	"errors"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
)

// ErrLapsed: the worker's lease ended before it was renewed, and other workers may have
// its messages.
var ErrLapsed = localerr.New("the lease on the messages has expired")

// WhyBroken returns the part of an error that says why the outbox can't be written any
// more, without the doubt about a change that was under way. That matters to the caller
// of the change, not to a worker that renewed its lease. It returns any other error
// unchanged.
func WhyBroken(err error) error {
	if !errors.Is(err, queue.ErrBroken) || !errors.Is(err, queue.ErrUncertain) {
		return err
	}
	for below := []error{err}; len(below) > 0; below = below[1:] {
		switch e := below[0].(type) {
		case interface{ Unwrap() error }:
			below = append(below, e.Unwrap())
		case interface{ Unwrap() []error }:
			below = append(below, e.Unwrap()...)
		}
		if errors.Is(below[0], queue.ErrBroken) && !errors.Is(below[0], queue.ErrUncertain) {
			return below[0]
		}
	}
	return err
}
