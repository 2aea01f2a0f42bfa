package outbox

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/yanmail/yan/queue"
)

const (
	// pollEvery is how often Watch polls without a notification.
	pollEvery = time.Second
	// longestPoll is the longest time between two attempts after errors.
	longestPoll = time.Minute
	// eventsAtOnce limits the events of one read.
	eventsAtOnce = 256
)

// Cursor returns the position after all existing events. Watch from there yields every later
// event, even if its loop begins later.
func (b *Outbox) Cursor(ctx context.Context) (queue.Cursor, error) {
	_, cursor, err := b.store.Events(ctx, queue.CursorNow, 1)
	return cursor, err
}

// Watch yields events after a cursor, oldest first: "" begins with the oldest event that is
// kept, [queue.CursorNow] when the loop begins. Each event has the cursor after it; a program
// that stores it together with the result of its own work continues there after a restart and
// misses nothing. Events are kept as long as their messages.
//
//	for e, err := range box.Watch(ctx, kept) {
//		if err != nil {
//			log.Print(err) // a connection that was lost, say; going on tries again
//			continue
//		}
//		if e.State.Final() {
//			…
//		}
//	}
//
// Events of this process are yielded at once, those of other processes within about a second.
// After an error Watch tries again if the loop continues, first after a second and at most
// after a minute. It ends silently when ctx is done, and after ErrClosed or ErrBroken.
func (b *Outbox) Watch(ctx context.Context, from queue.Cursor) iter.Seq2[queue.Event, error] {
	return b.watchEvents(ctx, from, time.After)
}

func (b *Outbox) watchEvents(ctx context.Context, from queue.Cursor, after func(time.Duration) <-chan time.Time) iter.Seq2[queue.Event, error] {
	return func(yield func(queue.Event, error) bool) {
		cursor, pause := from, pollEvery
		for ctx.Err() == nil {
			changed, woken := b.signal.waitChannel(), b.store.Wake() // before Events, so that no later event is missed
			events, next, err := b.store.Events(ctx, cursor, eventsAtOnce)
			if err != nil {
				if ctx.Err() != nil || !yield(queue.Event{}, err) || errors.Is(err, queue.ErrClosed) || errors.Is(err, queue.ErrBroken) {
					return
				}
				// A wake does not shorten the pause after an error of the database.
				if !sleepUntil(ctx, nil, nil, after(pause)) {
					return
				}
				pause = min(2*pause, longestPoll)
				continue
			}
			pause = pollEvery
			for _, e := range events {
				if ctx.Err() != nil || !yield(e, nil) {
					return
				}
			}
			cursor = next
			if len(events) < eventsAtOnce && !sleepUntil(ctx, changed, woken, after(pollEvery)) {
				return
			}
		}
	}
}

// sleepUntil waits for the first of the channels, and returns false if ctx is done.
func sleepUntil(ctx context.Context, changed, woken <-chan struct{}, timer <-chan time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-changed:
	case <-woken:
	case <-timer:
	}
	return true
}

// signal wakes all goroutines that wait for it.
type signal struct {
	mu sync.Mutex
	c  chan struct{}
}

func (s *signal) waitChannel() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		s.c = make(chan struct{})
	}
	return s.c
}

func (s *signal) wakeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c != nil {
		close(s.c)
		s.c = nil
	}
}
