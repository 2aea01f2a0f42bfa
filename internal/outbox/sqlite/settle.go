package sqlite

import (
	"context"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Mark moves recipients from Leased to Sending.
func (s *sqliteStore) Mark(ctx context.Context, owner string, leases []outbox.Lease) (lost []outbox.Lease, err error) {
	if len(leases) == 0 {
		return nil, s.checkUsable(ctx)
	}
	err = s.writeTx(ctx, func(t *txn) error {
		lost = nil
		worker, found, err := t.findWorker(owner)
		if err != nil {
			return err
		}
		if !found {
			lost = append(lost, leases...)
			return nil
		}
		for _, l := range leases {
			account, marked, err := t.queryNumber(`UPDATE delivery SET state = 'sending', updated = ?
				WHERE id = ? AND state = 'leased' AND owner = ? AND token = ? RETURNING account`,
				t.now, recipientID(l.ID, l.N), worker, l.Token)
			if err != nil {
				return err
			}
			if !marked {
				lost = append(lost, l)
				continue
			}
			t.tally[tallyKey{account, string(queue.Leased)}]--
			t.tally[tallyKey{account, string(queue.Sending)}]++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return lost, nil
}

// Settle keeps the results of leases.
func (s *sqliteStore) Settle(ctx context.Context, settlements []outbox.Settlement) (stale []outbox.Lease, err error) {
	if err := s.checkUsable(ctx); err != nil || len(settlements) == 0 {
		return nil, err
	}
	answers := make([]string, len(settlements))
	for i, settled := range settlements {
		switch settled.State {
		case queue.HandedOver, queue.Failed, queue.Deferred, queue.InDoubt, queue.Held, queue.Queued:
		default:
			return nil, localerr.Errorf("a lease can't be settled as %q", string(settled.State))
		}
		if answers[i], err = encodeAnswer(settled.Answer); err != nil {
			return nil, err
		}
	}
	err = s.writeTx(ctx, func(t *txn) error {
		stale = nil
		for i, settled := range settlements {
			believed, err := t.settleLease(settled, answers[i])
			if err != nil {
				return err
			}
			if !believed {
				stale = append(stale, settled.Lease)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return stale, nil
}

func (t *txn) settleLease(settled outbox.Settlement, answer string) (believed bool, err error) {
	d, found, err := t.readRecipient(settled.ID, settled.N)
	if err != nil || !found {
		return false, err // pruned: there is no row to record it in
	}
	from, prolonged := d.state, false
	if d.token != settled.Token || from.Final() {
		return false, t.addEvent(newEvent{recipient: d.id, account: d.account, kind: queue.EventStale, state: from, answer: answer})
	}
	d.state, d.answer = settled.State, answer
	switch settled.State {
	case queue.Queued:
		if from != queue.Leased && from != queue.Sending {
			return true, nil // another worker or a user has changed it meanwhile
		}
	case queue.Deferred:
		if from == queue.Held {
			d.state = queue.Held
		}
	}
	e := newEvent{recipient: d.id, account: d.account, kind: queue.EventKind(d.state), state: d.state, answer: answer}
	if d.state == queue.Deferred && !d.firm {
		was := d.expires
		d.expires = toMicros(outbox.ExtendExpiry(fromMicros(was), fromMicros(d.due), fromMicros(t.now)))
		prolonged = d.expires != was
	}
	if d.state.Waiting() {
		d.setDue(t.now, settled.After)
	}
	if d.state == queue.Deferred {
		e.due = d.due
	}
	if settled.State != queue.Queued && settled.State != queue.Held {
		d.attempts++
		e.attempt = d.attempts
	}
	if err := t.moveRecipient(&d, from); err != nil {
		return false, err
	}
	if prolonged {
		if err := t.extendExpiry(settled.ID); err != nil {
			return false, err
		}
	}
	return true, t.addEvent(e)
}

// extendExpiry sets the expiry of a message to the latest of its recipients.
func (t *txn) extendExpiry(id queue.ID) error {
	_, err := t.exec("UPDATE message SET expires = (SELECT max(expires) FROM delivery WHERE id >= ?1 AND id < ?2) WHERE id = ?3",
		recipientID(id, 0), recipientID(id+1, 0), id)
	return err
}

// readRecipient reads a row of the table delivery.
func (t *txn) readRecipient(id queue.ID, n int) (d deliveryRow, found bool, err error) {
	if n < 0 || n >= 1<<placeBits {
		return d, false, nil // it would be a recipient of another message
	}
	err = t.queryRows(func(r resultRow) error { d, found = scanRecipient(r), true; return nil },
		"SELECT "+recipientColumns+" FROM delivery WHERE id = ?", recipientID(id, n))
	return d, found, err
}
