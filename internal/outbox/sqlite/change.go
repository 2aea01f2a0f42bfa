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
func (s *store) Change(ctx context.Context, c outbox.Change) (queue.Changed, error) {
	f := c.Filter
	f.Before, f.Limit, f.Oldest = 0, 0, true
	if err := s.usable(ctx); err != nil {
		return queue.Changed{}, err
	}
	ctx = context.WithoutCancel(ctx) // a change is not abandoned halfway
	var sum queue.Changed
	var refused *queue.StateError
	for {
		var ids []queue.ID
		err := s.read(ctx, func(db *conn) (err error) { ids, err = choose(ctx, db, f, changedTogether); return err })
		if err != nil {
			return sum, err
		}
		if len(ids) == 0 {
			break
		}
		var part changing
		err = s.write(ctx, func(t *txn) error {
			part = changing{Change: c}
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
	return sum, s.named(ctx, c, sum, refused)
}

// named returns the error of a change that named one message and changed no recipient.
func (s *store) named(ctx context.Context, c outbox.Change, sum queue.Changed, refused *queue.StateError) error {
	if len(c.Filter.IDs) != 1 || sum.Recipients > 0 {
		return nil
	}
	if refused != nil {
		return refused
	}
	var found bool
	err := s.read(ctx, func(db *conn) (err error) {
		_, found, err = db.number("SELECT id FROM message WHERE id = ?", c.Filter.IDs[0])
		return err
	})
	if err == nil && !found {
		err = queue.ErrNotFound
	}
	return err
}

// changing is a change in progress, and its counts.
type changing struct {
	outbox.Change
	messages, recipients, untouched int
	refused                         *queue.StateError
}

func (c *changing) carryOut(t *txn, ids []queue.ID) error {
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
			if err := c.move(t, &d, to); err != nil {
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

func (c *changing) recipientsOf(t *txn, id queue.ID) (chosen []recipient, err error) {
	w := ofRecipient(c.Filter)
	w.add("d.id >= ? AND d.id < ?", recipientID(id, 0), recipientID(id+1, 0))
	if c.N != nil {
		w.add("d.id = ?", recipientID(id, *c.N))
	}
	err = t.each(func(r row) error { chosen = append(chosen, scanRecipient(r)); return nil },
		"SELECT "+recipientColumns+" FROM delivery d WHERE "+w.String()+" ORDER BY d.id", w.args...)
	return chosen, err
}

func (c *changing) move(t *txn, d *recipient, to queue.State) error {
	from := d.state
	d.state = to
	if to == queue.Queued {
		if err := c.again(t, d); err != nil {
			return err
		}
	}
	if err := t.move(d, from); err != nil {
		return err
	}
	return t.event(happened{recipient: d.id, account: d.account, kind: c.kind(to), state: to})
}

// again makes a recipient due now, except for Release, and extends the lifetime of an expired
// message.
func (c *changing) again(t *txn, d *recipient) error {
	if c.Verb != queue.Release {
		d.put(t.now, 0)
	}
	if d.expires > t.now {
		return nil
	}
	d.expires, d.firm = t.now+micro(outbox.Lifetime), false
	id, _ := messageOf(d.id)
	if _, err := t.exec("UPDATE message SET expires = ? WHERE id = ?", d.expires, id); err != nil {
		return err
	}
	_, err := t.exec("UPDATE delivery SET expires = ?, firm = 0 WHERE id >= ? AND id < ?", d.expires, recipientID(id, 0), recipientID(id+1, 0))
	return err
}

func (c *changing) kind(to queue.State) queue.EventKind {
	kinds := map[queue.Verb]queue.EventKind{
		queue.Release: queue.EventReleased, queue.Retry: queue.EventRetry,
		queue.ResolveResend: queue.EventResent, queue.ResolveFound: queue.EventFound,
	}
	if kind, ok := kinds[c.Verb]; ok {
		return kind
	}
	return queue.EventKind(to)
}
