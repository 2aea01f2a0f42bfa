package delivery

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// mostAhead bounds how many messages are marked before their turn: so many more
// are in doubt when the machine stops.
const mostAhead = 64

// note is what the marker knows of a parcel.
type note struct {
	state noteState
	begun bool          // its first octet was asked for
	gone  bool          // it is settled
	known chan struct{} // closed when state is marked or failed
	err   error
}

type noteState int

const (
	unmarked noteState = iota
	marking
	marked
	failed
)

// errMark is around an error of the store's that kept a message from being marked.
var errMark = errors.New("marking the message as being sent")

// marker has the store note, durably, what is about to be handed over. Messages
// that come next are marked in the same commit when they would otherwise wait for
// the disk, and only as many as go out while it syncs twice.
type marker struct {
	c *courier

	mu      sync.Mutex
	waiting []*parcel // unmarked, in order; and some that no longer are
	ahead   int       // marked and not begun
	busy    bool      // a commit ahead is under way
	// latency is that of a commit, interval that between two messages, both lately.
	latency, interval time.Duration
	last              time.Time // when a message began
	background        sync.WaitGroup
}

func newMarker(c *courier) *marker { return &marker{c: c} }

// comes says that a message is with the transport.
func (m *marker) comes(p *parcel) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p.note.known = make(chan struct{})
	m.waiting = append(m.waiting, p)
}

// leaves says that a message is settled.
func (m *marker) leaves(p *parcel) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p.note.gone = true
	m.started(p)
}

// started counts a message that is no longer ahead. m.mu is held.
func (m *marker) started(p *parcel) {
	if !p.note.begun && p.note.state == marked {
		m.ahead--
	}
	p.note.begun = true
}

// failed is why a message must not be begun, as far as that is known.
func (m *marker) failed(p *parcel) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return p.note.err
}

// begin returns when the message is marked.
func (m *marker) begin(p *parcel) error {
	m.mu.Lock()
	if !p.note.begun {
		p.since = m.c.d.o.Now()
	}
	m.paced(p)
	m.started(p)
	switch p.note.state {
	case unmarked:
		batch := m.take(p, m.target())
		m.mu.Unlock()
		m.commit(batch)
	case marking:
		m.mu.Unlock()
	default:
		if target := m.target(); target > 1 && !m.busy && m.ahead*2 <= target {
			m.markAhead(target)
		}
		m.mu.Unlock()
	}
	<-p.note.known
	return p.note.err // nobody writes it any more
}

// paced measures how long it is between two messages. m.mu is held.
func (m *marker) paced(p *parcel) {
	if p.note.begun {
		return // again, on another connection
	}
	now := m.c.d.o.Measure()
	if !m.last.IsZero() {
		m.interval = lately(m.interval, now.Sub(m.last))
	}
	m.last = now
}

// lately is a mean in which what was long ago counts for little.
func lately(mean, next time.Duration) time.Duration {
	if mean == 0 {
		return next
	}
	return mean + (next-mean)/8
}

// target is how many messages to mark at a time. m.mu is held.
func (m *marker) target() int {
	if m.interval <= 0 || m.latency <= 0 {
		return 1
	}
	// Rounded: a message that waits for its own mark begins a little more than a
	// commit after the one before, and no second one would ever be marked with it.
	return min(max(int((2*m.latency+m.interval/2)/m.interval), 1), mostAhead)
}

// take picks p, if it is not nil, and those that come next, n in all. m.mu is
// held.
func (m *marker) take(p *parcel, n int) []*parcel {
	var batch []*parcel
	if p != nil {
		batch = append(batch, p)
	}
	for len(m.waiting) > 0 && len(batch) < n {
		next := m.waiting[0]
		m.waiting[0] = nil
		m.waiting = m.waiting[1:]
		if next != p && next.note.state == unmarked && !next.note.gone {
			batch = append(batch, next)
		}
	}
	for _, next := range batch {
		next.note.state = marking
	}
	return batch
}

// markAhead marks what comes next in another goroutine. m.mu is held.
func (m *marker) markAhead(n int) {
	batch := m.take(nil, n)
	if len(batch) == 0 {
		return
	}
	m.busy = true
	m.background.Go(func() {
		m.c.s.guarded("the marker of an account", func() { m.commit(batch) })
		m.mu.Lock()
		defer m.mu.Unlock()
		m.busy = false
	})
}

// wait returns when no commit is under way.
func (m *marker) wait() { m.background.Wait() }

// commit marks a batch and tells those that wait for it. It is called off when what
// is on the wire is given up: nothing may be begun any more then.
func (m *marker) commit(batch []*parcel) {
	var leases []outbox.Lease
	for _, p := range batch {
		for _, r := range p.item.Recipients {
			leases = append(leases, p.lease(r))
		}
	}
	d := m.c.d
	told := false
	defer func() {
		if !told { // a panic: those that wait must not wait for ever
			m.abandon(batch)
		}
	}()
	began, start := d.o.Now(), d.o.Measure()
	lost, err := d.o.Store.Mark(m.c.s.hard, m.c.s.owner, leases)
	took, latency := d.o.Now().Sub(began), d.o.Measure().Sub(start)
	if m.c.s.used(err) {
		d.o.Observe(Event{Kind: Marked, Account: m.c.account, Count: len(leases), Began: began, Took: took})
	}
	taken := make(map[queue.ID]bool, len(lost))
	for _, l := range lost {
		taken[l.ID] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.latency = lately(m.latency, latency)
	told = true
	for _, p := range batch {
		switch {
		case err != nil:
			p.note.state, p.note.err = failed, fmt.Errorf("%w: %w", errMark, err)
		case taken[p.item.ID]:
			p.note.state, p.note.err = failed, errTaken
		default:
			p.note.state = marked
			if !p.note.begun {
				m.ahead++
			}
		}
		close(p.note.known)
	}
}

// abandon tells those that wait for a commit that it came to nothing.
func (m *marker) abandon(batch []*parcel) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range batch {
		p.note.state, p.note.err = failed, fmt.Errorf("%w: %w", errMark, errPanicked)
		close(p.note.known)
	}
}
