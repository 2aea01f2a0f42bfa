package sqlite

import (
	"context"
	"time"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
)

// durationMicros converts a duration to the database's format, microseconds.
func durationMicros(d time.Duration) int64 { return max(0, d.Microseconds()) }

// Join registers a worker.
func (s *sqliteStore) Join(ctx context.Context, w queue.Worker, lease time.Duration) error {
	return s.writeTx(ctx, func(t *txn) error {
		copied, err := s.isCopy(t.dbConn)
		if err != nil {
			return err
		}
		if copied {
			return markHarmless(queue.ErrCopied)
		}
		_, known, err := t.findWorker(w.Owner)
		if err != nil {
			return err
		}
		if known {
			return markHarmless(localerr.Errorf("a worker with the owner %q is already registered", w.Owner))
		}
		// A worker that left while messages were being sent replaces its old row.
		l := t.leaseOf(lease)
		_, err = t.exec(`INSERT INTO worker (owner, host, pid, since, until, boot, ends) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (owner) DO UPDATE SET host = excluded.host, pid = excluded.pid, since = excluded.since,
			until = excluded.until, boot = excluded.boot, ends = excluded.ends, gone = 0`, w.Owner, w.Host, w.PID, t.now, l.until, l.boot, l.ends)
		return err
	})
}

// Renew extends the worker's lease.
func (s *sqliteStore) Renew(ctx context.Context, owner string, lease time.Duration) error {
	return s.writeTx(ctx, func(t *txn) error {
		id, err := t.liveWorker(owner)
		if err == nil {
			l := t.leaseOf(lease)
			_, err = t.exec("UPDATE worker SET until = ?, boot = ?, ends = ? WHERE id = ?", l.until, l.boot, l.ends, id)
		}
		return err
	})
}

// Leave requeues the recipients that a worker has leased. If it is still sending, its row
// stays for the next Sweep, which finds the lease ended.
func (s *sqliteStore) Leave(ctx context.Context, owner string) error {
	return s.writeTx(ctx, func(t *txn) error {
		id, found, err := t.findWorker(owner)
		if err != nil || !found {
			return err
		}
		had, err := t.ownedBy(id)
		if err != nil {
			return err
		}
		sending := false
		for _, d := range had {
			if d.state == queue.Sending {
				sending = true
				continue
			}
			if err := t.requeueRecipient(&d, queue.EventKind(queue.Queued)); err != nil {
				return err
			}
		}
		if sending {
			if _, err = t.exec("UPDATE worker SET gone = 1, until = 0, boot = '' WHERE id = ?", id); err == nil {
				_, err = t.exec("DELETE FROM slot WHERE worker = ?", id)
			}
			return err
		}
		return t.forgetWorker(id)
	})
}

// ownedBy lists the recipients of a worker.
func (t *txn) ownedBy(worker int64) (had []deliveryRow, err error) {
	err = t.queryRows(func(r resultRow) error { had = append(had, scanRecipient(r)); return nil },
		"SELECT "+recipientColumns+" FROM delivery WHERE owner = ? ORDER BY id", worker)
	return had, err
}

// requeueRecipient requeues a leased recipient, due when it was due before.
func (t *txn) requeueRecipient(d *deliveryRow, kind queue.EventKind) error {
	from := d.state
	d.state = queue.Queued
	if err := t.moveRecipient(d, from); err != nil {
		return err
	}
	return t.addEvent(newEvent{recipient: d.id, account: d.account, kind: kind, state: d.state})
}

func (t *txn) forgetWorker(id int64) error {
	if _, err := t.exec("DELETE FROM slot WHERE worker = ?", id); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM worker WHERE id = ?", id)
	return err
}

// Slots reserves connections of an account for a worker.
func (s *sqliteStore) Slots(ctx context.Context, owner, account string, want, most int) (granted int, err error) {
	err = s.writeTx(ctx, func(t *txn) error {
		granted = 0
		worker, err := t.liveWorker(owner)
		if err != nil {
			return err
		}
		id, err := t.makeAccount(account)
		if err != nil {
			return err
		}
		grant := int64(max(want, 0))
		if most > 0 {
			others, _, err := t.queryNumber("SELECT coalesce(sum(n), 0) FROM slot WHERE account = ? AND worker <> ?", id, worker)
			if err != nil {
				return err
			}
			grant = max(0, min(grant, int64(most)-others))
		}
		granted = int(grant)
		return t.setSlots(id, worker, grant)
	})
	if err != nil {
		return 0, err
	}
	return granted, nil
}

// setSlots writes only changes, because workers call it again and again.
func (t *txn) setSlots(account, worker, n int64) error {
	had, _, err := t.queryNumber("SELECT n FROM slot WHERE account = ? AND worker = ?", account, worker)
	switch {
	case err != nil || had == n:
		return err
	case n == 0:
		_, err = t.exec("DELETE FROM slot WHERE account = ? AND worker = ?", account, worker)
	default:
		_, err = t.exec("INSERT INTO slot (account, worker, n) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = excluded.n", account, worker, n)
	}
	if n < had {
		t.wake = true // other workers may have them
	}
	return err
}
