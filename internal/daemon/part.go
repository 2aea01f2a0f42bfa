package daemon

import (
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/yanmail/yan/internal/scrub"

	"github.com/yanmail/yan/internal/sentence"
)

// PanicError is a mistake in the program: a part of the daemon panicked.
type PanicError struct {
	Part  string
	Value any
	Stack []byte
}

// Error names the part and what it said; the stack is in the log.
func (e *PanicError) Error() string { return e.Unwrap().Error() }

// Unwrap is what Error says, for other languages.
func (e *PanicError) Unwrap() error {
	return sentence.Errorf("%s panicked: %v", e.Part, scrub.Text(fmt.Sprint(e.Value)))
}

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
			err = &PanicError{Part: name, Value: v, Stack: debug.Stack()}
		}
	}()
	return work()
}
