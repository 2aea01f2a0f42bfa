package sqlite

import (
	"context"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// changedTogether is the highest number of messages changed in one transaction.
const changedTogether = 200

// Change applies a change. The filter's conditions on recipients select the recipients to
// change; the others of their messages stay unchanged.
func (s *sqliteStore) Change(ctx context.Context, c outbox.Change) (queue.Changed, error) {
	f := c.Filter
	f.Before, f.Limit, f.Oldest = 0, 0, true
	if err := s.checkUsable(ctx); err != nil {
		return queue.Changed{}, err
	}
	ctx = context.WithoutCancel(ctx) // a change is not abandoned halfway
	var sum queue.Changed
	var refused *queue.StateError
	for {
		var ids []queue.ID
		err := s.readTx(ctx, func(db *dbConn) (err error) { ids, err = chooseMessages(ctx, db, f, changedTogether); return err })
		if err != nil {
			return sum, err
		}
		if len(ids) == 0 {
			break
		}
		var part runningChange
		err = s.writeTx(ctx, func(t *txn) error {
			part = runningChange{Change: c}
			return part.carryOut(t, ids)
		})
		if err != nil {
			return sum, err
		}
		sum.Messages += part.messages
		sum.Recipients += part.recipients
		sum.Untouched += part.untouched
		if refused == nil {
			refused = part.refused
		}
		f.Before = ids[len(ids)-1]
	}
	return sum, s.noChangeError(ctx, c, sum, refused)
}

// noChangeError returns the error of a change that named one message and changed no recipient.
func (s *sqliteStore) noChangeError(ctx context.Context, c outbox.Change, sum queue.Changed, refused *queue.StateError) error {
	if len(c.Filter.IDs) != 1 || sum.Recipients > 0 {
		return nil
	}
	if refused != nil {
		return refused
	}
	var found bool
	err := s.readTx(ctx, func(db *dbConn) (err error) {
		_, found, err = db.queryNumber("SELECT id FROM message WHERE id = ?", c.Filter.IDs[0])
		return err
	})
	if err == nil && !found {
		err = queue.ErrNotFound
	}
	return err
}

// runningChange is a change in progress, and its counts.
type runningChange struct {
	outbox.Change
	messages, recipients, untouched int
	refused                         *queue.StateError
}

func (c *runningChange) carryOut(t *txn, ids []queue.ID) error {
	for _, id := range ids {
		chosen, err := c.recipientsOf(t, id)
		if err != nil {
			return err
		}
		before := c.recipients
		for i, d := range chosen {
			to, ok := c.Verb.Target(d.state)
			if !ok {
				c.untouched++
				if c.refused == nil {
					_, n := messageOf(d.id)
					c.refused = &queue.StateError{ID: id, N: n, From: d.state, Verb: c.Verb}
				}
				continue
			}
			c.recipients++
			if err := c.moveOne(t, &d, to); err != nil {
				return err
			}
			if d.expires != chosen[i].expires { // a new lifetime applies to all recipients of the message
				for j := range chosen[i:] {
					chosen[i+j].expires, chosen[i+j].firm = d.expires, d.firm
				}
			}
		}
		if c.recipients > before {
			c.messages++
		}
	}
	t.wake = t.wake || c.recipients > 0
	return nil
}

func (c *runningChange) recipientsOf(t *txn, id queue.ID) (chosen []deliveryRow, err error) {
	w := recipientConditions(c.Filter)
	w.add("d.id >= ? AND d.id < ?", recipientID(id, 0), recipientID(id+1, 0))
	if c.N != nil {
		w.add("d.id = ?", recipientID(id, *c.N))
	}
	err = t.queryRows(func(r resultRow) error { chosen = append(chosen, scanRecipient(r)); return nil },
		"SELECT "+recipientColumns+" FROM delivery d WHERE "+w.String()+" ORDER BY d.id", w.args...)
	return chosen, err
}

func (c *runningChange) moveOne(t *txn, d *deliveryRow, to queue.State) error {
	from := d.state
	d.state = to
	if to == queue.Queued {
		if err := c.makeDue(t, d); err != nil {
			return err
		}
	}
	if err := t.moveRecipient(d, from); err != nil {
		return err
	}
	return t.addEvent(newEvent{recipient: d.id, account: d.account, kind: c.eventKind(to), state: to})
}

// makeDue makes a recipient due now, except for Release, and extends the lifetime of an expired
// message.
func (c *runningChange) makeDue(t *txn, d *deliveryRow) error {
	if c.Verb != queue.Release {
		d.setDue(t.now, 0)
	}
	if d.expires > t.now {
		return nil
	}
	d.expires, d.firm = t.now+durationMicros(outbox.Lifetime), false
	id, _ := messageOf(d.id)
	if _, err := t.exec("UPDATE message SET expires = ? WHERE id = ?", d.expires, id); err != nil {
		return err
	}
	_, err := t.exec("UPDATE delivery SET expires = ?, firm = 0 WHERE id >= ? AND id < ?", d.expires, recipientID(id, 0), recipientID(id+1, 0))
	return err
}

func (c *runningChange) eventKind(to queue.State) queue.EventKind {
	kinds := map[queue.Verb]queue.EventKind{
		queue.Release: queue.EventReleased, queue.Retry: queue.EventRetry,
		queue.ResolveResend: queue.EventResent, queue.ResolveFound: queue.EventFound,
	}
	if kind, ok := kinds[c.Verb]; ok {
		return kind
	}
	return queue.EventKind(to)
}
