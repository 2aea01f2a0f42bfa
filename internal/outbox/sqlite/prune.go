package sqlite

import (
	"context"
	"strconv"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// prunedTogether is the highest number of messages pruned in one transaction.
const prunedTogether = 100

// Prune removes finished messages, and files that no message uses.
func (s *sqliteStore) Prune(ctx context.Context, keep outbox.Retention) (pruned outbox.Pruned, err error) {
	if err := s.checkUsable(ctx); err != nil {
		return pruned, err
	}
	ctx = context.WithoutCancel(ctx)
	by, err := s.pruneClock(ctx, keep.Automatic)
	if err != nil {
		return pruned, err
	}
	for _, step := range []struct {
		prune func(*txn, int64, *pruneCounts) error
		age   time.Duration
	}{{(*txn).pruneMessages, keep.Messages}, {(*txn).pruneBodies, keep.Bodies}} {
		for more := true; more; {
			var part pruneCounts
			err = s.writeTx(ctx, func(t *txn) error {
				part = pruneCounts{}
				if err := t.flushOpen(); err != nil {
					return err
				}
				return step.prune(t, by-durationMicros(step.age), &part)
			})
			if err != nil {
				return pruned, err
			}
			pruned.Bodies += part.Bodies
			pruned.Messages += part.Messages
			pruned.Bytes += part.Bytes
			more = part.seen == prunedTogether
		}
	}
	_, err = s.cleanSpool(ctx)
	return pruned, err
}

// pruneClock returns the time that a Prune goes by, see Retention.Automatic.
func (s *sqliteStore) pruneClock(ctx context.Context, automatic bool) (by int64, err error) {
	err = s.writeTx(ctx, func(t *txn) error {
		at, _, err := t.queryNumber("SELECT CAST(value AS INTEGER) FROM fact WHERE name = 'pruned'")
		if err != nil {
			return err
		}
		by = min(t.now, at+outbox.PruneStep.Microseconds())
		_, err = t.exec("INSERT INTO fact (name, value) VALUES ('pruned', ?) ON CONFLICT DO UPDATE SET value = excluded.value", strconv.FormatInt(by, 10))
		if !automatic {
			by = t.now
		}
		return err
	})
	return by, err
}

type pruneCounts struct {
	outbox.Pruned
	seen int
}

// endedMessage is a finished message.
type endedMessage struct {
	id, account, size, body int64
}

func (t *txn) listEnded(sql string, args ...any) (list []endedMessage, err error) {
	err = t.queryRows(func(r resultRow) error {
		list = append(list, endedMessage{r.int(0), r.int(1), r.int(2), r.int(3)})
		return nil
	}, sql, args...)
	return list, err
}

// pruneBodies removes the body and the subject of messages that were handed over to all
// recipients. Other messages keep their body, because a user may want to retry them.
func (t *txn) pruneBodies(before int64, p *pruneCounts) error {
	list, err := t.listEnded("SELECT id, account, size, body FROM message WHERE stage = 1 AND ended <= ? ORDER BY ended LIMIT ?",
		before, prunedTogether)
	if err != nil {
		return err
	}
	p.seen = len(list)
	for _, m := range list {
		_, other, err := t.queryNumber("SELECT 1 FROM delivery WHERE id >= ? AND id < ? AND state <> 'handed_over' LIMIT 1",
			recipientID(queue.ID(m.id), 0), recipientID(queue.ID(m.id+1), 0))
		if err != nil {
			return err
		}
		if other || m.body == bodyGone {
			if _, err := t.exec("UPDATE message SET stage = 2 WHERE id = ?", m.id); err != nil {
				return err
			}
			continue
		}
		p.Bodies++
		p.Bytes += m.size
		if _, err := t.exec("DELETE FROM body WHERE message = ?", m.id); err != nil {
			return err
		}
		if _, err := t.exec("UPDATE message SET stage = 2, body = 0, spool = NULL, subject = '' WHERE id = ?", m.id); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) pruneMessages(before int64, p *pruneCounts) error {
	for _, stage := range []int{1, 2} {
		list, err := t.listEnded("SELECT id, account, size, body FROM message WHERE stage = ? AND ended <= ? ORDER BY ended LIMIT ?",
			stage, before, prunedTogether-p.seen)
		if err != nil {
			return err
		}
		p.seen += len(list)
		for _, m := range list {
			if err := t.deleteMessage(m, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteMessage removes all rows of a message.
func (t *txn) deleteMessage(m endedMessage, p *pruneCounts) error {
	first, behind := recipientID(queue.ID(m.id), 0), recipientID(queue.ID(m.id+1), 0)
	p.Messages++
	if m.body != bodyGone {
		p.Bytes += m.size
	}
	err := t.queryRows(func(r resultRow) error { t.tally[tallyKey{m.account, r.text(0)}] -= r.int(1); return nil },
		"SELECT state, count(*) FROM delivery WHERE id >= ? AND id < ? GROUP BY state", first, behind)
	if err != nil {
		return err
	}
	for _, statement := range []struct {
		sql  string
		args []any
	}{
		{"DELETE FROM event WHERE message = ? AND kind <> 'enqueued'", []any{m.id}},
		{"DELETE FROM event WHERE id = (SELECT event FROM message WHERE id = ?)", []any{m.id}},
		{"DELETE FROM delivery WHERE id >= ? AND id < ?", []any{first, behind}},
		{"DELETE FROM body WHERE message = ?", []any{m.id}},
		{"DELETE FROM message WHERE id = ?", []any{m.id}},
	} {
		if _, err := t.exec(statement.sql, statement.args...); err != nil {
			return err
		}
	}
	return nil
}
