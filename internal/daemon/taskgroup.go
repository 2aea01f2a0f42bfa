package daemon

import (
	"sync"

	"github.com/yanmail/yan/internal/delivery"
)

// PanicError is a panic in a part of the daemon or in a goroutine of the delivery: a bug.
type PanicError = delivery.PartPanicError

// taskGroup runs the goroutines of a daemon. Its first failure ends the daemon.
type taskGroup struct {
	wait   sync.WaitGroup
	failed chan error // the first failure; has room for one
	report func(part string, err error)
}

func newTaskGroup(told func(part string, err error)) *taskGroup {
	return &taskGroup{failed: make(chan error, 1), report: told}
}

// run starts a part and returns a channel that is closed when it ends. A part returns nil when it
// was asked to end.
func (p *taskGroup) run(name string, work func() error) (ended <-chan struct{}) {
	done := make(chan struct{})
	p.wait.Go(func() {
		defer close(done)
		if err := runGuarded(name, work); err != nil {
			p.report(name, err)
			select {
			case p.failed <- err:
			default: // not the first failure; both are in the log
			}
		}
	})
	return done
}

// runGuarded calls work and turns a panic into an error.
func runGuarded(name string, work func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = delivery.NewPartPanicError(name, v)
		}
	}()
	return work()
}
