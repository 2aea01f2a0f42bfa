package sending

import (
	"context"
	"errors"
	"time"
)

// drainTimeout is how long a run of several messages waits for those on the wire after it
// was cancelled.
const drainTimeout = 10 * time.Second

// drainContext outlives ctx by drainTimeout, so that messages on the wire can finish after
// Ctrl-C: cut off at once, their outcome would be unknown. If ctx ends by its deadline,
// or there is one message only, it ends with ctx.
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
