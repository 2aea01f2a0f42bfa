package delivery

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/telemetry/redact"
)

// PartPanicError is the error after a panic in a goroutine of the delivery, a bug. Run and Drain
// return it after the other goroutines have finished and the leases are returned.
type PartPanicError struct {
	Part  string // the goroutine
	Value any
	Stack []byte
}

// Error names the part and the value; the stack is for a log.
func (e *PartPanicError) Error() string { return e.Unwrap().Error() }

// Unwrap returns the same text as an error that can be translated.
func (e *PartPanicError) Unwrap() error {
	return localerr.Errorf("%s panicked: %v", e.Part, redact.Text(fmt.Sprint(e.Value)))
}

// NewPartPanicError describes a recovered value. Call it in the deferred function, so that the
// stack is that of the panic; a value that was carried over from another goroutine has its own
// stack.
func NewPartPanicError(part string, value any) *PartPanicError {
	e := &PartPanicError{Part: part, Value: value, Stack: debug.Stack()}
	if carried, ok := value.(interface{ PanicStack() []byte }); ok {
		e.Stack = carried.PanicStack()
	}
	return e
}

// errPartPanicked is the error of messages that are not begun after a panic.
var errPartPanicked = errors.New("a part of the delivery panicked")

// runGuarded runs a part of the delivery. A panic in it ends the delivery, not the process: the
// other parts finish the messages in flight, and the leases are returned.
func (s *leaseSession) runGuarded(part string, work func()) {
	defer func() {
		if v := recover(); v != nil {
			s.d.recordPanic(NewPartPanicError(part, v))
			s.end(errPartPanicked)
		}
	}()
	work()
}

// recordPanic records the first panic and makes the dispatcher end the work.
func (d *Delivery) recordPanic(e *PartPanicError) {
	d.mu.Lock()
	if d.fatal == nil {
		d.fatal = e
	}
	d.mu.Unlock()
	d.wakeDispatcher()
}

// guardObserver returns an observer whose panics end the delivery, and not the goroutine that
// reports the event, which still has recipients to settle.
func (d *Delivery) guardObserver(observe func(WorkerEvent)) func(WorkerEvent) {
	return func(e WorkerEvent) {
		defer func() {
			if v := recover(); v != nil {
				d.recordPanic(NewPartPanicError("observing "+string(e.Kind), v))
			}
		}()
		observe(e)
	}
}
