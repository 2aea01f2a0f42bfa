package admission

import (
	"context"
	"sync"
	"time"

	"github.com/yanmail/yan/queue"
)

// rates counts the recipients of each peer in the last hour.
type rates struct {
	load func(ctx context.Context, tag string, since time.Time) ([]spent, error)

	mu    sync.Mutex
	peers map[string]*window
}

// spent is a number of recipients at a time.
type spent struct {
	at         time.Time
	recipients int
}

// window is the last hour of a peer.
type window struct {
	mu     sync.Mutex
	loaded bool
	spent  []spent // oldest first
	total  int
}

const hour = time.Hour

// of returns the window of a peer, locked and up to date. At first use it counts what is in the outbox,
// so that a restart does not begin a new hour.
func (r *rates) of(ctx context.Context, tag string, now time.Time) (*window, error) {
	r.mu.Lock()
	if r.peers == nil {
		r.peers = map[string]*window{}
	}
	w := r.peers[tag]
	if w == nil {
		w = &window{}
		r.peers[tag] = w
	}
	r.mu.Unlock()
	w.mu.Lock()
	if !w.loaded {
		list, err := r.load(ctx, tag, now.Add(-hour))
		if err != nil {
			w.mu.Unlock()
			return nil, err
		}
		w.loaded = true
		for _, s := range list {
			w.add(s)
		}
	}
	drop := 0
	for drop < len(w.spent) && !w.spent[drop].at.After(now.Add(-hour)) {
		w.total -= w.spent[drop].recipients
		drop++
	}
	w.spent = w.spent[drop:]
	return w, nil
}

// add counts recipients; those of one second are one entry.
func (w *window) add(s spent) {
	w.total += s.recipients
	if last := len(w.spent) - 1; last >= 0 && s.at.Sub(w.spent[last].at).Abs() < time.Second {
		w.spent[last].recipients += s.recipients
		return
	}
	w.spent = append(w.spent, s)
}

// wait returns how long until n more recipients fit; 0 if they do now. It is an hour if they never do.
func (w *window) wait(limit, n int, now time.Time) time.Duration {
	over := w.total + n - limit
	for _, s := range w.spent {
		if over <= 0 {
			return 0
		}
		if over -= s.recipients; over <= 0 {
			return max(s.at.Add(hour).Sub(now), time.Second)
		}
	}
	if over > 0 {
		return hour
	}
	return 0
}

// check returns how long until n recipients fit, without counting them.
func (r *rates) check(ctx context.Context, tag string, limit, n int, now time.Time) (time.Duration, error) {
	w, err := r.of(ctx, tag, now)
	if err != nil {
		return 0, err
	}
	defer w.mu.Unlock()
	return w.wait(limit, n, now), nil
}

// reserve counts n recipients if they fit, and otherwise returns how long until they do.
func (r *rates) reserve(ctx context.Context, tag string, limit, n int, now time.Time) (time.Duration, error) {
	w, err := r.of(ctx, tag, now)
	if err != nil {
		return 0, err
	}
	defer w.mu.Unlock()
	if wait := w.wait(limit, n, now); wait > 0 {
		return wait, nil
	}
	w.add(spent{now, n})
	return 0, nil
}

// release gives back what was reserved for a message that was not stored.
func (r *rates) release(tag string, n int, at time.Time) {
	r.mu.Lock()
	w := r.peers[tag]
	r.mu.Unlock()
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.spent) - 1; i >= 0; i-- {
		if s := &w.spent[i]; s.at.Sub(at).Abs() < time.Second && s.recipients >= n {
			s.recipients -= n
			w.total -= n
			return
		}
	}
}

// recentRecipients returns the recipients of the messages that a peer has stored since a time.
func (a *Admission) recentRecipients(ctx context.Context, tag string, since time.Time) ([]spent, error) {
	var list []spent
	filter := queue.Filter{Tag: tag, Since: since, Oldest: true, Limit: 500}
	for {
		page, err := a.o.Store.List(ctx, filter)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Entries {
			list = append(list, spent{e.Created, e.Total})
		}
		if !page.More || len(page.Entries) == 0 {
			return list, nil
		}
		filter.Before = page.Entries[len(page.Entries)-1].ID
	}
}
