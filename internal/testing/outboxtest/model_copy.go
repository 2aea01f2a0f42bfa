package outboxtest

import (
	"context"
	"maps"
	"slices"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Copy returns a copy, like a copy of an outbox's files.
func (m *Model) Copy() *Model {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := NewModel(m.clock)
	c.last, c.events, c.cursor, c.pruned, c.copied = m.last, slices.Clone(m.events), m.cursor, m.pruned, true
	for _, msg := range m.messages {
		twin := *msg
		twin.recipients = nil
		for _, r := range msg.recipients {
			same := *r
			twin.recipients = append(twin.recipients, &same)
		}
		c.messages = append(c.messages, &twin)
	}
	for owner, w := range m.workers {
		twin := *w
		twin.slots = maps.Clone(w.slots)
		c.workers[owner] = &twin
	}
	for name, a := range m.accounts {
		twin := *a
		c.accounts[name] = &twin
	}
	return c
}

// Adopt implements outbox.Store.
func (m *Model) Adopt(ctx context.Context, moved bool) (outbox.Adopted, error) {
	var adopted outbox.Adopted
	now, err := m.begin(ctx)
	if err != nil {
		return adopted, err
	}
	defer m.mu.Unlock()
	if !m.copied {
		return adopted, nil
	}
	m.copied, adopted.Was = false, true
	clear(m.workers)
	for _, msg := range m.messages {
		for _, r := range msg.recipients {
			switch {
			case r.State.Final() || r.State == queue.InDoubt:
			case !moved || r.State == queue.Sending:
				m.move(now, r, queue.InDoubt)
				m.event(now, msg, r, queue.Event{Kind: queue.EventKind(queue.InDoubt)})
				adopted.Doubted++
			case r.State == queue.Leased:
				m.move(now, r, queue.Queued)
				m.event(now, msg, r, queue.Event{Kind: queue.EventLapsed})
			}
		}
	}
	m.wakeAll()
	return adopted, nil
}
