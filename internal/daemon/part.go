package daemon

import (
	"sync"

	"github.com/yanmail/yan/internal/delivery"
)

// PanicError is a panic in a part of the daemon or in a goroutine of the delivery: a bug.
type PanicError = delivery.PanicError

// parts runs the goroutines of a daemon. Its first failure ends the daemon.
type parts struct {
	wait   sync.WaitGroup
	failed chan error // the first failure; has room for one
	told   func(part string, err error)
}

func newParts(told func(part string, err error)) *parts {
	return &parts{failed: make(chan error, 1), told: told}
}

// run starts a part and returns a channel that is closed when it ends. A part returns nil when it
// was asked to end.
func (p *parts) run(name string, work func() error) (ended <-chan struct{}) {
	done := make(chan struct{})
	p.wait.Go(func() {
		defer close(done)
		if err := guarded(name, work); err != nil {
			p.told(name, err)
			select {
			case p.failed <- err:
			default: // not the first failure; both are in the log
			}
		}
	})
	return done
}

// guarded calls work and turns a panic into an error.
func guarded(name string, work func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = delivery.NewPanicError(name, v)
		}
	}()
	return work()
}
