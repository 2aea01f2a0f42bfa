package outboxtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Join implements outbox.Store.
func (m *Model) Join(ctx context.Context, w queue.Worker, lease time.Duration) error {
	now, err := m.begin(ctx)
	if err != nil {
		return err
	}
	defer m.mu.Unlock()
	if m.copied {
		return queue.ErrCopied
	}
	if m.workers[w.Owner] != nil {
		return fmt.Errorf("worker %q has joined already", w.Owner)
	}
	m.workers[w.Owner] = &modelWorker{Worker: w, since: now, slots: map[string]int{}}
	m.lease(m.workers[w.Owner], lease)
	return nil
}

func (m *Model) lease(w *modelWorker, lease time.Duration) {
	up := m.clock.Uptime()
	w.boot, w.end = up.Boot, up.Since+min(max(lease, 0), outbox.LongestLease)
}

// alive returns the worker if its lease has not lapsed.
func (m *Model) alive(owner string) (*modelWorker, error) {
	w := m.workers[owner]
	if w == nil || m.clock.Uptime().LeaseLapsed(w.boot, w.end) {
		return nil, outbox.ErrLapsed
	}
	return w, nil
}

// Renew implements outbox.Store.
func (m *Model) Renew(ctx context.Context, owner string, lease time.Duration) error {
	if _, err := m.begin(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	w, err := m.alive(owner)
	if err != nil {
		return err
	}
	m.lease(w, lease)
	return nil
}

// Leave implements outbox.Store.
func (m *Model) Leave(ctx context.Context, owner string) error {
	now, err := m.begin(ctx)
	if err != nil {
		return err
	}
	defer m.mu.Unlock()
	delete(m.workers, owner)
	for _, msg := range m.messages {
		for _, r := range msg.recipients {
			if r.State == queue.Leased && r.owner == owner {
				m.move(now, r, queue.Queued)
				m.event(now, msg, r, queue.Event{Kind: queue.EventKind(queue.Queued)})
			}
		}
	}
	m.wakeAll()
	return nil
}

// dueRecipient is a recipient that could be leased.
type dueRecipient struct {
	*modelMessage
	*modelRecipient
}

// due lists the recipients of an account that could be leased, in the order of Claim.
func (m *Model) due(now time.Time, account string) []dueRecipient {
	var all []dueRecipient
	for _, msg := range m.messages {
		for _, r := range msg.recipients {
			if msg.Account == account && r.State.Waiting() && r.waits(now) == 0 {
				all = append(all, dueRecipient{msg, r})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b dueRecipient) int { // the input is ordered by message and N
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.Due.Compare(b.Due))
	})
	return all
}

// Claim implements outbox.Store.
func (m *Model) Claim(ctx context.Context, c outbox.Claim) (outbox.Batch, error) {
	now, err := m.begin(ctx)
	if err != nil {
		return outbox.Batch{}, err
	}
	defer m.mu.Unlock()
	if _, err := m.alive(c.Owner); err != nil {
		return outbox.Batch{}, err
	}
	a := m.account(c.Account)
	if left := outbox.PauseLeft(a.paused, now); left > 0 {
		return outbox.Batch{Wait: left}, nil
	}
	var batch outbox.Batch
	place := map[queue.ID]int{}
	due := m.due(now, c.Account)
	for _, w := range due[:min(len(due), max(c.Recipients, 0))] {
		at, there := place[w.modelMessage.ID]
		if !there {
			got, full, _ := c.Pace.Take(now, a.full, 1)
			if got == 0 {
				break
			}
			a.full, at = full, len(batch.Items)
			place[w.modelMessage.ID] = at
			batch.Items = append(batch.Items, w.modelMessage.item(&c.Bytes))
		}
		w.token++
		m.move(now, w.modelRecipient, queue.Leased)
		w.owner = c.Owner
		batch.Items[at].Recipients = append(batch.Items[at].Recipients, outbox.LeasedRecipient{
			N: w.N, Address: w.Address, Token: w.token, Attempts: w.Attempts, Doubted: w.Doubted,
		})
	}
	for _, item := range batch.Items {
		slices.SortFunc(item.Recipients, func(a, b outbox.LeasedRecipient) int { return cmp.Compare(a.N, b.N) })
	}
	_, a.full, batch.Wait = c.Pace.Take(now, a.full, 0)
	return batch, nil
}

// item returns a message as a worker sees it, with its body if that fits into room.
func (m *modelMessage) item(room *int64) outbox.Item {
	item := outbox.Item{
		ID: m.ID, Account: m.Account, From: m.From, DSN: m.dsn, MessageID: m.MessageID, Size: m.Size,
		EightBit: m.eight, UTF8: m.utf8, Binary: m.binary, ReportOn: m.ReportOn, Created: m.Created, Expires: m.Expires,
	}
	if m.HasBody && m.Size <= min(inlineBody, *room) {
		*room -= m.Size
		item.Body = slices.Clone(m.body)
	}
	return item
}

// Mark implements outbox.Store.
func (m *Model) Mark(ctx context.Context, owner string, leases []outbox.Lease) (lost []outbox.Lease, err error) {
	now, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	for _, l := range leases {
		_, r := m.recipient(l.ID, l.N)
		if r == nil || r.State != queue.Leased || r.owner != owner || r.token != l.Token {
			lost = append(lost, l)
			continue
		}
		m.move(now, r, queue.Sending)
	}
	return lost, nil
}

// Settle implements outbox.Store.
func (m *Model) Settle(ctx context.Context, settlements []outbox.Settlement) (stale []outbox.Lease, err error) {
	now, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	for _, s := range settlements {
		switch s.State {
		case queue.HandedOver, queue.Failed, queue.Deferred, queue.InDoubt, queue.Held, queue.Queued:
		default:
			return nil, fmt.Errorf("a lease can't be settled as %q", s.State)
		}
	}
	for _, s := range settlements {
		msg, r := m.recipient(s.ID, s.N)
		switch {
		case r == nil:
			stale = append(stale, s.Lease)
		case r.token != s.Token || r.State.Final():
			stale = append(stale, s.Lease)
			m.event(now, msg, r, queue.Event{Kind: queue.EventStale, Answer: s.Answer})
		default:
			m.settle(now, msg, r, s)
		}
	}
	m.wakeAll()
	return stale, nil
}

// settle records the outcome of a lease.
func (m *Model) settle(now time.Time, msg *modelMessage, r *modelRecipient, s outbox.Settlement) {
	if s.State == queue.Queued && r.State != queue.Leased && r.State != queue.Sending {
		return
	}
	e := queue.Event{Answer: s.Answer}
	if s.State != queue.Queued && s.State != queue.Held {
		r.Attempts++
		e.Attempt = r.Attempts
	}
	to := s.State
	if to == queue.Deferred && r.State == queue.Held {
		to = queue.Held
	}
	m.move(now, r, to)
	r.Answer, r.reported = s.Answer, false
	if to == queue.Deferred && !msg.firm {
		r.expires = outbox.ExtendExpiry(r.expires, r.Due, now)
		msg.expire()
	}
	if to == queue.Deferred || to == queue.Queued {
		r.put(now, s.After)
	}
	if to == queue.Deferred {
		e.Due = r.Due
	}
	e.Kind = queue.EventKind(to)
	m.event(now, msg, r, e)
}

// put makes a recipient due after a while.
func (r *modelRecipient) put(now time.Time, after time.Duration) {
	after = min(max(after, 0), outbox.LongestPause)
	r.Due, r.timing = now.Add(after), outbox.Paused
	if after == 0 {
		r.timing = outbox.Soon
	}
}

// expire sets the expiry of a message to the latest of its recipients.
func (m *modelMessage) expire() {
	m.Expires = time.Time{}
	for _, r := range m.recipients {
		if r.expires.After(m.Expires) {
			m.Expires = r.expires
		}
	}
}

// Slots implements outbox.Store.
func (m *Model) Slots(ctx context.Context, owner, account string, want, most int) (int, error) {
	if _, err := m.begin(ctx); err != nil {
		return 0, err
	}
	defer m.mu.Unlock()
	w, err := m.alive(owner)
	if err != nil {
		return 0, err
	}
	got := max(want, 0)
	if most > 0 {
		others := 0
		for _, other := range m.workers {
			if other != w {
				others += other.slots[account]
			}
		}
		got = min(got, max(most-others, 0))
	}
	w.slots[account] = got
	return got, nil
}

// Pause implements outbox.Store.
func (m *Model) Pause(ctx context.Context, p outbox.Pause) (began bool, err error) {
	now, err := m.begin(ctx)
	if err != nil {
		return false, err
	}
	defer m.mu.Unlock()
	a := m.account(p.Account)
	until, left := now.Add(min(p.For, outbox.LongestPause)), outbox.PauseLeft(a.paused, now)
	began = left == 0
	if until.Sub(now) <= left {
		return false, nil
	}
	a.paused, a.answer = until, p.Answer
	return began, nil
}

// Resume implements outbox.Store.
func (m *Model) Resume(ctx context.Context, account string) error {
	now, err := m.begin(ctx)
	if err != nil {
		return err
	}
	defer m.mu.Unlock()
	a := m.account(account)
	a.paused, a.answer = outbox.ResumedAt(now), queue.Answer{}
	m.wakeAll()
	return nil
}

// Sweep implements outbox.Store.
func (m *Model) Sweep(ctx context.Context) (outbox.Swept, error) {
	var swept outbox.Swept
	now, err := m.begin(ctx)
	if err != nil {
		return swept, err
	}
	defer m.mu.Unlock()
	for owner, w := range m.workers {
		if m.clock.Uptime().LeaseLapsed(w.boot, w.end) {
			delete(m.workers, owner)
			swept.Workers++
		}
	}
	for _, msg := range m.messages {
		for _, r := range msg.recipients {
			switch {
			case r.State == queue.Leased && m.workers[r.owner] == nil:
				m.move(now, r, queue.Queued)
				m.event(now, msg, r, queue.Event{Kind: queue.EventLapsed})
				swept.Requeued++
			case r.State == queue.Sending && m.workers[r.owner] == nil:
				m.move(now, r, queue.InDoubt)
				m.event(now, msg, r, queue.Event{Kind: queue.EventKind(queue.InDoubt)})
				swept.Doubted++
			}
			if r.timing == outbox.Paused && r.State.Waiting() && r.waits(now) > outbox.LongestPause {
				r.put(now, 0)
			}
			if r.State.Waiting() && !r.expires.After(now) && (msg.firm || r.State == queue.Deferred && r.waits(now) > 0) {
				m.move(now, r, queue.Expired)
				r.reported = false
				m.event(now, msg, r, queue.Event{Kind: queue.EventKind(queue.Expired)})
				swept.Expired++
			}
		}
	}
	m.wakeAll()
	return swept, nil
}

// Due implements outbox.Store.
func (m *Model) Due(ctx context.Context) ([]outbox.Due, error) {
	now, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	in := map[string]time.Duration{}
	for _, msg := range m.messages {
		for _, r := range msg.recipients {
			if r.State.Waiting() {
				wait := max(r.waits(now), outbox.PauseLeft(m.account(msg.Account).paused, now))
				if known, ok := in[msg.Account]; !ok || wait < known {
					in[msg.Account] = wait
				}
			}
		}
	}
	var all []outbox.Due
	for name, wait := range in {
		all = append(all, outbox.Due{Account: name, In: wait, Resumed: outbox.ResumedOf(m.account(name).paused)})
	}
	slices.SortFunc(all, func(a, b outbox.Due) int { return cmp.Compare(a.Account, b.Account) })
	return all, nil
}
