package outboxtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// status returns a recipient as users see it.
func (m *Model) status(r *modelRecipient) queue.Recipient {
	s := r.Recipient
	if s.State == queue.InDoubt {
		s.Marked = s.Due
	}
	switch now := m.clock.Now(); {
	case !s.State.Waiting():
		s.Due = time.Time{}
	case r.timing == outbox.Soon && s.Due.After(now):
		s.Due = now
	}
	if w := m.workers[r.owner]; w != nil && (s.State == queue.Leased || s.State == queue.Sending) {
		s.Worker = fmt.Sprintf("%s %d", w.Host, w.PID)
	}
	return s
}

func (m *Model) entry(msg *modelMessage, most int) queue.Entry {
	e := msg.Entry
	e.Tags, e.Total = slices.Clone(e.Tags), len(msg.recipients)
	for _, r := range msg.recipients[:min(most, len(msg.recipients))] {
		e.Recipients = append(e.Recipients, m.status(r))
	}
	return e
}

// fits reports whether a filter selects a message, apart from its recipients.
func (m *modelMessage) fits(f queue.Filter) bool {
	return (len(f.IDs) == 0 || slices.Contains(f.IDs, m.ID)) &&
		(f.Account == "" || f.Account == m.Account) &&
		strings.Contains(strings.ToLower(m.From.String()), f.From) &&
		(f.Tag == "" || slices.Contains(m.Tags, f.Tag)) &&
		(f.Key == "" || f.Key == m.Key) &&
		(f.MessageID == "" || f.MessageID == m.MessageID) &&
		(f.Since.IsZero() || !m.Created.Before(f.Since)) &&
		(f.Until.IsZero() || m.Created.Before(f.Until))
}

// fits reports whether a filter selects a recipient.
func (r *modelRecipient) fits(f queue.Filter) bool {
	return (len(f.States) == 0 || slices.Contains(f.States, r.State)) &&
		strings.Contains(strings.ToLower(r.Address.String()), f.To) &&
		(!f.Doubted || r.Doubted)
}

// List implements outbox.Store.
func (m *Model) List(ctx context.Context, f queue.Filter) (queue.Page, error) {
	if _, err := m.begin(ctx); err != nil {
		return queue.Page{}, err
	}
	defer m.mu.Unlock()
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	order := slices.Clone(m.messages)
	if !f.Oldest {
		slices.Reverse(order)
	}
	var page queue.Page
	for _, msg := range order {
		behind := f.Before == 0 || (msg.ID < f.Before) != f.Oldest && msg.ID != f.Before
		one := slices.ContainsFunc(msg.recipients, func(r *modelRecipient) bool { return r.fits(f) })
		if !behind || !one || !msg.fits(f) {
			continue
		}
		if len(page.Entries) == limit {
			page.More = true
			break
		}
		page.Entries = append(page.Entries, m.entry(msg, 20))
	}
	return page, nil
}

// Show implements outbox.Store.
func (m *Model) Show(ctx context.Context, id queue.ID) (queue.Entry, error) {
	if _, err := m.begin(ctx); err != nil {
		return queue.Entry{}, err
	}
	defer m.mu.Unlock()
	msg := m.find(id)
	if msg == nil {
		return queue.Entry{}, queue.ErrNotFound
	}
	e := m.entry(msg, len(msg.recipients))
	for _, event := range m.events {
		if event.ID == id {
			e.Events = append(e.Events, event)
		}
	}
	return e, nil
}

// Change implements outbox.Store.
func (m *Model) Change(ctx context.Context, c outbox.Change) (queue.Changed, error) {
	var changed queue.Changed
	now, err := m.begin(ctx)
	if err != nil {
		return changed, err
	}
	defer m.mu.Unlock()
	named := len(c.Filter.IDs) == 1
	if named && m.find(c.Filter.IDs[0]) == nil {
		return changed, queue.ErrNotFound
	}
	var refused error
	for _, msg := range m.messages {
		before := changed.Recipients
		for _, r := range msg.recipients {
			if !msg.fits(c.Filter) || !r.fits(c.Filter) || c.N != nil && *c.N != r.N {
				continue
			}
			if _, ok := c.Verb.Target(r.State); !ok {
				changed.Untouched++
				refused = cmp.Or(refused, error(&queue.StateError{ID: msg.ID, N: r.N, From: r.State, Verb: c.Verb}))
				continue
			}
			m.change(now, msg, r, c.Verb)
			changed.Recipients++
		}
		if changed.Recipients > before {
			changed.Messages++
		}
	}
	m.wakeAll()
	if named && changed.Recipients == 0 {
		return changed, refused
	}
	return changed, nil
}

// change carries out a change that the state allows.
func (m *Model) change(now time.Time, msg *modelMessage, r *modelRecipient, v queue.Verb) {
	to, _ := v.Target(r.State)
	m.move(now, r, to)
	if to == queue.Queued && !r.expires.After(now) {
		msg.Expires, msg.firm = now.Add(outbox.Lifetime), false
		for _, each := range msg.recipients {
			each.expires = msg.Expires
		}
	}
	kind := queue.EventKind(to)
	switch v {
	case queue.Retry:
		kind, r.reported = queue.EventRetry, false
		r.put(now, 0)
	case queue.ResolveResend:
		kind = queue.EventResent
		r.put(now, 0)
	case queue.Release:
		kind = queue.EventReleased
	case queue.ResolveFound:
		kind = queue.EventFound
	}
	m.event(now, msg, r, queue.Event{Kind: kind})
}

// Stats implements outbox.Store. It does not know Bytes and Free.
func (m *Model) Stats(ctx context.Context) (queue.Stats, error) {
	stats := queue.Stats{Free: -1}
	now, err := m.begin(ctx)
	if err != nil {
		return stats, err
	}
	defer m.mu.Unlock()
	counts := map[string]map[queue.State]int{}
	for _, msg := range m.messages {
		if counts[msg.Account] == nil {
			counts[msg.Account] = map[queue.State]int{}
		}
		for _, r := range msg.recipients {
			counts[msg.Account][r.State]++
			if r.State.Waiting() && stats.Oldest.IsZero() {
				stats.Oldest = msg.Created
			}
		}
	}
	for name, a := range m.accounts {
		if outbox.PauseLeft(a.paused, now) > 0 && counts[name] == nil {
			counts[name] = map[queue.State]int{}
		}
	}
	for name, count := range counts {
		s := queue.AccountStats{Account: name, Count: count}
		a := m.account(name)
		if s.PausedFor = outbox.PauseLeft(a.paused, now); s.PausedFor > 0 {
			s.PauseAnswer = a.answer
		}
		stats.Accounts = append(stats.Accounts, s)
	}
	stats.Copied = m.copied
	if n := len(m.events); n > 0 {
		stats.Ahead = outbox.ClockAhead(m.events[n-1].At, now)
	}
	if n := len(m.messages); n > 0 {
		stats.Ahead = max(stats.Ahead, outbox.ClockAhead(m.messages[n-1].Created, now))
	}
	for _, w := range m.workers {
		stats.Workers = append(stats.Workers, queue.WorkerStats{Worker: w.Worker, Since: w.since, For: m.left(w)})
	}
	slices.SortFunc(stats.Accounts, func(a, b queue.AccountStats) int { return cmp.Compare(a.Account, b.Account) })
	slices.SortFunc(stats.Workers, func(a, b queue.WorkerStats) int { return cmp.Compare(a.Owner, b.Owner) })
	return stats, nil
}

// left returns the remaining time of a worker's lease.
func (m *Model) left(w *modelWorker) time.Duration {
	up := m.clock.Uptime()
	if up.LeaseLapsed(w.boot, w.end) {
		return 0
	}
	return w.end - up.Since
}

// Events implements outbox.Store.
func (m *Model) Events(ctx context.Context, after queue.Cursor, limit int) ([]queue.Event, queue.Cursor, error) {
	if _, err := m.begin(ctx); err != nil {
		return nil, after, err
	}
	defer m.mu.Unlock()
	behind := 0
	switch after {
	case "":
	case queue.CursorNow:
		behind = m.cursor
	default:
		at, err := strconv.Atoi(string(after))
		if err != nil {
			return nil, after, fmt.Errorf("%q is not a position in the events", after)
		}
		behind = at
	}
	var events []queue.Event
	for _, e := range m.events {
		at, _ := strconv.Atoi(string(e.Cursor))
		if at > behind && len(events) < limit {
			events, behind = append(events, e), at
		}
	}
	return events, queue.Cursor(strconv.Itoa(behind)), nil
}

// Unreported implements outbox.Store.
func (m *Model) Unreported(ctx context.Context, limit int) ([]outbox.PendingReport, error) {
	if _, err := m.begin(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var reports []outbox.PendingReport
	for _, msg := range m.messages {
		report := outbox.PendingReport{ID: msg.ID, Account: msg.Account, From: msg.From, DSN: msg.dsn, MessageID: msg.MessageID, Created: msg.Created}
		for _, r := range msg.recipients {
			if (r.State == queue.Failed || r.State == queue.Expired) && !r.reported {
				report.Recipients = append(report.Recipients, m.status(r))
			}
		}
		if msg.ReportOn == 0 && len(report.Recipients) > 0 && len(reports) < limit {
			reports = append(reports, report)
		}
	}
	return reports, nil
}

// Reported implements outbox.Store.
func (m *Model) Reported(ctx context.Context, reports []outbox.PendingReport) error {
	if _, err := m.begin(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	for _, report := range reports {
		for _, s := range report.Recipients {
			if _, r := m.recipient(report.ID, s.N); r != nil && (r.State == queue.Failed || r.State == queue.Expired) {
				r.reported = true
			}
		}
	}
	return nil
}

// Prune implements outbox.Store.
func (m *Model) Prune(ctx context.Context, keep outbox.Retention) (outbox.Pruned, error) {
	var pruned outbox.Pruned
	now, err := m.begin(ctx)
	if err != nil {
		return pruned, err
	}
	defer m.mu.Unlock()
	by := now
	if m.pruned = earlierTime(now, m.pruned.Add(outbox.PruneStep)); keep.Automatic {
		by = m.pruned
	}
	gone := map[queue.ID]bool{}
	for _, msg := range m.messages {
		finished, handedOver := true, true
		since := msg.Created // a clock that was ahead may have set it
		for _, r := range msg.recipients {
			finished = finished && r.State.Final()
			handedOver = handedOver && r.State == queue.HandedOver
			if r.Updated.After(since) {
				since = r.Updated
			}
		}
		age := by.Sub(since)
		forget := finished && age >= max(keep.Messages, 0)
		empty := finished && handedOver && age >= max(keep.Bodies, 0)
		if msg.HasBody && (forget || empty) {
			pruned.Bytes += msg.Size
			msg.HasBody, msg.body, msg.Subject = false, nil, ""
			if !forget {
				pruned.Bodies++
			}
		}
		if forget {
			gone[msg.ID] = true
			pruned.Messages++
		}
	}
	m.messages = slices.DeleteFunc(m.messages, func(msg *modelMessage) bool { return gone[msg.ID] })
	m.events = slices.DeleteFunc(m.events, func(e queue.Event) bool { return gone[e.ID] })
	return pruned, nil
}

func earlierTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
