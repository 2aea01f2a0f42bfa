// Package markahead marks messages durably before they are sent, so that a message whose
// sender dies is known to be in doubt. While messages are sent faster than the disk
// syncs, the next ones are marked in the same commit, and no sender waits for the disk.
//
// Marking ahead has a price: marked messages that were not begun are in doubt after a crash.
// Options.Target limits their number.
package markahead

import (
	"errors"
	"sync"
)

// ErrAborted is the error of the items whose commit panicked.
var ErrAborted = errors.New("the commit was aborted")

// Options are the parts of a Marker that depend on the store.
type Options[T any] struct {
	// Commit marks items durably. It returns an error for each item, in order, or nil if
	// all are marked. It may be called by several goroutines at once.
	Commit func(batch []T) []error
	// Target returns how many items to mark in one commit; 1 marks each in its turn.
	Target func() int
	// Began is called once for each item, when it is about to be sent; may be nil. The
	// Marker is locked then.
	Began func(item T)
	// Guard runs a commit in a goroutine of its own, and may recover its panics; nil
	// calls it.
	Guard func(commit func())
}

// Marker marks items in the order in which they are added. It is safe for concurrent use.
type Marker[T any] struct {
	o Options[T]

	mu         sync.Mutex
	waiting    []*Mark[T] // in order; some are no longer unmarked
	ahead      int        // marked and neither begun nor done
	committing bool       // a commit ahead is in progress
	background sync.WaitGroup
}

// Mark is the mark of one item.
type Mark[T any] struct {
	marker *Marker[T]
	item   T

	// Under marker.mu until known is closed; err does not change after that.
	state state
	begun bool
	done  bool
	err   error
	known chan struct{}
}

type state int

const (
	unmarked state = iota
	marking
	marked
	failed
)

// New returns a Marker without items.
func New[T any](o Options[T]) *Marker[T] {
	if o.Guard == nil {
		o.Guard = func(commit func()) { commit() }
	}
	if o.Began == nil {
		o.Began = func(T) {}
	}
	return &Marker[T]{o: o}
}

// Add appends an item to those that will be sent.
func (m *Marker[T]) Add(item T) *Mark[T] {
	k := &Mark[T]{marker: m, item: item, known: make(chan struct{})}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = append(m.waiting, k)
	return k
}

// Wait returns when no commit ahead is in progress.
func (m *Marker[T]) Wait() { m.background.Wait() }

// Begin returns when the item is marked, or with the reason why it must not be sent. It
// may be called again, as for a second connection.
func (k *Mark[T]) Begin() error {
	m := k.marker
	m.mu.Lock()
	if !k.begun {
		m.o.Began(k.item)
	}
	m.notAhead(k)
	switch k.state {
	case unmarked:
		batch := m.takeUnmarked(k, m.o.Target())
		m.mu.Unlock()
		m.commitBatch(batch)
	case marking:
		m.mu.Unlock()
	default:
		m.markAhead()
		m.mu.Unlock()
	}
	<-k.known
	return k.err
}

// Done ends the item, whether or not it was begun: it is not marked after that.
func (k *Mark[T]) Done() {
	k.marker.mu.Lock()
	defer k.marker.mu.Unlock()
	k.done = true
	k.marker.notAhead(k)
}

// Err returns why the item must not be sent, as far as that is known.
func (k *Mark[T]) Err() error {
	k.marker.mu.Lock()
	defer k.marker.mu.Unlock()
	return k.err
}

// notAhead counts an item as begun. m.mu is held.
func (m *Marker[T]) notAhead(k *Mark[T]) {
	if !k.begun && k.state == marked {
		m.ahead--
	}
	k.begun = true
}

// takeUnmarked removes up to n items from the queue to mark them: first, unless it is nil, and
// the next ones. m.mu is held.
func (m *Marker[T]) takeUnmarked(first *Mark[T], n int) []*Mark[T] {
	var batch []*Mark[T]
	if first != nil {
		batch = append(batch, first)
	}
	for len(m.waiting) > 0 && len(batch) < n {
		next := m.waiting[0]
		m.waiting[0] = nil
		m.waiting = m.waiting[1:]
		if next != first && next.state == unmarked && !next.done {
			batch = append(batch, next)
		}
	}
	for _, k := range batch {
		k.state = marking
	}
	return batch
}

// markAhead marks the next items in another goroutine, once half of those that were
// marked ahead are begun. m.mu is held.
func (m *Marker[T]) markAhead() {
	target := m.o.Target()
	if target <= 1 || m.committing || m.ahead*2 > target {
		return
	}
	batch := m.takeUnmarked(nil, target)
	if len(batch) == 0 {
		return
	}
	m.committing = true
	m.background.Go(func() {
		m.o.Guard(func() { m.commitBatch(batch) })
		m.mu.Lock()
		defer m.mu.Unlock()
		m.committing = false
	})
}

// commitBatch marks a batch and wakes the goroutines that wait for it, even if Commit panics.
func (m *Marker[T]) commitBatch(batch []*Mark[T]) {
	var errs []error
	aborted := true
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		for i, k := range batch {
			switch {
			case aborted:
				k.state, k.err = failed, ErrAborted
			case errs != nil && errs[i] != nil:
				k.state, k.err = failed, errs[i]
			default:
				k.state = marked
				if !k.begun {
					m.ahead++
				}
			}
			close(k.known)
		}
	}()
	items := make([]T, len(batch))
	for i, k := range batch {
		items[i] = k.item
	}
	errs = m.o.Commit(items)
	aborted = false
}
