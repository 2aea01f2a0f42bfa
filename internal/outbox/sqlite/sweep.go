package sqlite

import (
	"context"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// sweptTogether limits the recipients that a sweep changes in one transaction, because other
// writers wait meanwhile.
const sweptTogether = 500

// Sweep requeues the recipients of lapsed workers and expires old messages. It does not write
// if there is nothing to do.
func (s *sqliteStore) Sweep(ctx context.Context) (swept outbox.Swept, err error) {
	if err := s.checkUsable(ctx); err != nil {
		return swept, err
	}
	ctx = context.WithoutCancel(ctx)
	for {
		work, err := s.hasUnswept(ctx)
		if err != nil || !work {
			return swept, err
		}
		var part outbox.Swept
		err = s.writeTx(ctx, func(t *txn) error {
			part = outbox.Swept{}
			return t.sweepSome(&part)
		})
		if err != nil {
			return swept, err
		}
		swept.Requeued += part.Requeued
		swept.Doubted += part.Doubted
		swept.Expired += part.Expired
		swept.Workers += part.Workers
	}
}

func (s *sqliteStore) hasUnswept(ctx context.Context) (work bool, err error) {
	now := s.now()
	err = s.readTx(ctx, func(c *dbConn) error {
		if _, work, err = c.queryNumber("SELECT id FROM worker WHERE "+lapsedNow+" LIMIT 1", s.leaseArgs(now)...); err != nil || work {
			return err
		}
		if _, work, err = c.queryNumber(putOffTooFar+" LIMIT 1", now); err != nil || work {
			return err
		}
		_, work, err = c.queryNumber("SELECT id FROM delivery WHERE "+expiredNow+" LIMIT 1", now)
		return err
	})
	return work, err
}

func (t *txn) sweepSome(swept *outbox.Swept) error {
	left := sweptTogether
	for left > 0 {
		worker, found, gone, err := t.findLapsed()
		if err != nil {
			return err
		}
		if !found {
			break
		}
		done, err := t.takeBack(worker, left, swept)
		if err != nil {
			return err
		}
		if left -= done; left <= 0 {
			return nil // the rest follows in the next transaction
		}
		if err := t.forgetWorker(worker); err != nil {
			return err
		}
		if !gone {
			swept.Workers++
		}
	}
	done, err := t.bringBack(left)
	if left -= done; err != nil || left <= 0 {
		return err
	}
	return t.expireOld(left, swept)
}

// putOffTooFar finds pauses longer than LongestPause, for each account and priority by the
// index delivery_claim.
const putOffTooFar = `SELECT d.id FROM account a JOIN (VALUES (1), (0), (-1)) p JOIN delivery d ON d.account = a.id AND d.priority = p.column1
	AND d.waits > ?1 + 108000000000 AND d.waits < 2305843009213693952`

// expiredNow selects expired recipients, see schema/0002.sql. A due recipient without an
// expiry of its own is tried first.
const expiredNow = "expires <= ?1 AND waits IS NOT NULL AND (firm = 1 OR state = 'deferred') AND (firm = 1 OR timing <> 0 AND due > ?1)"

// bringBack makes recipients due that were deferred by a clock that was ahead.
func (t *txn) bringBack(most int) (done int, err error) {
	var ids []int64
	err = t.queryRows(func(r resultRow) error { ids = append(ids, r.int(0)); return nil }, putOffTooFar+" LIMIT ?2", t.now, most)
	for _, id := range ids {
		if _, err := t.exec("UPDATE delivery SET due = ?1, timing = 0, waits = ?2 WHERE id = ?3", t.now, waitsColumn(t.now, outbox.Soon), id); err != nil {
			return 0, err
		}
	}
	t.wake = t.wake || len(ids) > 0
	return len(ids), err
}

func (t *txn) findLapsed() (id int64, found, gone bool, err error) {
	err = t.queryRows(func(r resultRow) error { id, found, gone = r.int(0), true, r.isTrue(1); return nil },
		"SELECT id, gone FROM worker WHERE "+lapsedNow+" LIMIT 1", t.s.leaseArgs(t.now)...)
	return id, found, gone, err
}

// takeBack ends leases of a worker: Leased recipients are safe to try again, Sending ones may
// have been handed over.
func (t *txn) takeBack(worker int64, most int, swept *outbox.Swept) (done int, err error) {
	var had []deliveryRow
	err = t.queryRows(func(r resultRow) error { had = append(had, scanRecipient(r)); return nil },
		"SELECT "+recipientColumns+" FROM delivery WHERE owner = ? LIMIT ?", worker, most)
	if err != nil {
		return 0, err
	}
	for _, d := range had {
		if d.state == queue.Leased {
			swept.Requeued++
			if err := t.requeueRecipient(&d, queue.EventLapsed); err != nil {
				return 0, err
			}
			continue
		}
		swept.Doubted++
		from := d.state
		d.state = queue.InDoubt
		if err := t.moveRecipient(&d, from); err != nil {
			return 0, err
		}
		if err := t.addEvent(newEvent{recipient: d.id, account: d.account, kind: queue.EventKind(d.state), state: d.state}); err != nil {
			return 0, err
		}
	}
	return len(had), nil
}

func (t *txn) expireOld(most int, swept *outbox.Swept) error {
	var old []deliveryRow
	err := t.queryRows(func(r resultRow) error { old = append(old, scanRecipient(r)); return nil },
		"SELECT "+recipientColumns+" FROM delivery WHERE "+expiredNow+" ORDER BY expires LIMIT ?2", t.now, most)
	if err != nil {
		return err
	}
	for _, d := range old {
		swept.Expired++
		if err := t.expireRecipient(&d); err != nil {
			return err
		}
	}
	return nil
}

// expireRecipient moves a recipient to Expired.
func (t *txn) expireRecipient(d *deliveryRow) error {
	from := d.state
	d.state = queue.Expired
	if err := t.moveRecipient(d, from); err != nil {
		return err
	}
	return t.addEvent(newEvent{recipient: d.id, account: d.account, kind: queue.EventKind(d.state), state: d.state})
}
