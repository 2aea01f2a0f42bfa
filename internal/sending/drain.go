package sending

import (
	"context"
	"errors"
	"time"
)

// drainTimeout is how long a cancelled run of several messages waits for the messages in flight.
const drainTimeout = 10 * time.Second

// drainContext outlives ctx by drainTimeout, so that messages in flight can finish after Ctrl-C; if
// they were cut off, their outcome would be unknown. It ends with ctx if ctx ends by its deadline,
// or if there is only one message.
func (r *Run) drainContext(ctx context.Context) (sending context.Context, done func()) {
	if len(r.pending) == 1 {
		return ctx, func() {}
	}
	sending, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); errors.Is(cause, context.DeadlineExceeded) {
			cancel(cause)
			return
		}
		r.o.Observe(sending, Draining{Timeout: drainTimeout})
		select {
		case <-r.o.After(drainTimeout):
			cancel(context.Canceled)
		case <-over:
		}
	})
	return sending, func() {
		stop()
		close(over)
		cancel(context.Canceled)
	}
}
