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
	// pollEvery is how often Watch looks where nobody says that there is something.
	pollEvery = time.Second
	// longestPoll is that after errors.
	longestPoll = time.Minute
	// eventsAtOnce bounds what is read at a time.
	eventsAtOnce = 256
)

// Cursor is the place behind all events that there are: Watch from there misses
// nothing that happens from now on, whenever its loop begins.
func (b *Outbox) Cursor(ctx context.Context) (queue.Cursor, error) {
	_, cursor, err := b.store.Events(ctx, queue.CursorNow, 1)
	return cursor, err
}

// Watch tells what happens, oldest first, from behind a cursor on: "" begins with the
// oldest event that is known, [Now] when the loop begins. Each event has the cursor
// behind it; a program that keeps it, together with what it did about the event, goes
// on there after a restart and misses nothing. Events are known as long as their
// messages.
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
// What happens in this process is told at once, elsewhere within about a second. An
// error is told and, if the loop goes on, tried again, after a second at first and a
// minute in the end. The loop ends when ctx is over, which is not told, and behind
// ErrClosed or ErrBroken.
func (b *Outbox) Watch(ctx context.Context, from queue.Cursor) iter.Seq2[queue.Event, error] {
	return b.watch(ctx, from, time.After)
}

func (b *Outbox) watch(ctx context.Context, from queue.Cursor, after func(time.Duration) <-chan time.Time) iter.Seq2[queue.Event, error] {
	return func(yield func(queue.Event, error) bool) {
		cursor, pause := from, pollEvery
		for ctx.Err() == nil {
			changed, woken := b.signal.wait(), b.store.Wake() // before the look: what comes behind it is seen
			events, next, err := b.store.Events(ctx, cursor, eventsAtOnce)
			if err != nil {
				if ctx.Err() != nil || !yield(queue.Event{}, err) || errors.Is(err, queue.ErrClosed) || errors.Is(err, queue.ErrBroken) {
					return
				}
				// A wake is no reason to ask a database that is not there.
				if !sleep(ctx, nil, nil, after(pause)) {
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
			if len(events) < eventsAtOnce && !sleep(ctx, changed, woken, after(pollEvery)) {
				return
			}
		}
	}
}

// sleep waits for the first of them, and reports whether it was not ctx.
func sleep(ctx context.Context, changed, woken <-chan struct{}, timer <-chan time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-changed:
	case <-woken:
	case <-timer:
	}
	return true
}

// signal wakes all who wait for it.
type signal struct {
	mu sync.Mutex
	c  chan struct{}
}

func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		s.c = make(chan struct{})
	}
	return s.c
}

func (s *signal) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c != nil {
		close(s.c)
		s.c = nil
	}
}
