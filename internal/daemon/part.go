package daemon

import (
	"sync"

	"github.com/yanmail/yan/internal/delivery"
)

// PanicError is a mistake in the program: a part of the daemon, or a goroutine of
// the delivery, panicked.
type PanicError = delivery.PanicError

// parts are the goroutines of a daemon. The first that fails says why it ends.
type parts struct {
	wait   sync.WaitGroup
	failed chan error // the first failure; room for one
	told   func(part string, err error)
}

func newParts(told func(part string, err error)) *parts {
	return &parts{failed: make(chan error, 1), told: told}
}

// run begins a part, and gives what is closed when it has ended. A part ends without
// an error when nobody needs it any more.
func (p *parts) run(name string, work func() error) (ended <-chan struct{}) {
	done := make(chan struct{})
	p.wait.Go(func() {
		defer close(done)
		if err := guarded(name, work); err != nil {
			p.told(name, err)
			select {
			case p.failed <- err:
			default: // another one was first, and the log has both
			}
		}
	})
	return done
}

// guarded makes an error of a panic.
func guarded(name string, work func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = delivery.NewPanicError(name, v)
		}
	}()
	return work()
}
