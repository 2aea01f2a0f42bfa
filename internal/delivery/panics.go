package delivery

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/telemetry/redact"
)

// PanicError is the error after a panic in a goroutine of the delivery, a bug. Run and Drain
// return it after the other goroutines have finished and the leases are returned.
type PanicError struct {
	Part  string // the goroutine
	Value any
	Stack []byte
}

// Error names the part and the value; the stack is for a log.
func (e *PanicError) Error() string { return e.Unwrap().Error() }

// Unwrap returns the same text as an error that can be translated.
func (e *PanicError) Unwrap() error {
	return localerr.Errorf("%s panicked: %v", e.Part, redact.Text(fmt.Sprint(e.Value)))
}

// NewPanicError describes a recovered value. Call it in the deferred function, so that the
// stack is that of the panic; a value that was carried over from another goroutine has its own
// stack.
func NewPanicError(part string, value any) *PanicError {
	e := &PanicError{Part: part, Value: value, Stack: debug.Stack()}
	if carried, ok := value.(interface{ PanicStack() []byte }); ok {
		e.Stack = carried.PanicStack()
	}
	return e
}

// errPanicked is the error of messages that are not begun after a panic.
var errPanicked = errors.New("a part of the delivery panicked")

// guarded runs a part of the delivery. A panic in it ends the delivery, not the process: the
// other parts finish the messages in flight, and the leases are returned.
func (s *shift) guarded(part string, work func()) {
	defer func() {
		if v := recover(); v != nil {
			s.d.panicked(NewPanicError(part, v))
			s.end(errPanicked)
		}
	}()
	work()
}

// panicked records the first panic and makes the dispatcher end the work.
func (d *Delivery) panicked(e *PanicError) {
	d.mu.Lock()
	if d.fatal == nil {
		d.fatal = e
	}
	d.mu.Unlock()
	d.look()
}

// sheltered returns an observer whose panics end the delivery, and not the goroutine that
// reports the event, which still has recipients to settle.
func (d *Delivery) sheltered(observe func(Event)) func(Event) {
	return func(e Event) {
		defer func() {
			if v := recover(); v != nil {
				d.panicked(NewPanicError("observing "+string(e.Kind), v))
			}
		}()
		observe(e)
	}
}
