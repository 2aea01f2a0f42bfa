package sqlite

import (
	"context"
	"math"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// claimedLeases are the leases of a claim, before their messages are read.
type claimedLeases struct {
	messages []queue.ID // in the order in which they are sent
	leases   map[queue.ID][]deliveryRow
	wait     time.Duration
}

// Claim leases due recipients. Their messages are read after the commit, so that other claims
// do not wait.
func (s *sqliteStore) Claim(ctx context.Context, c outbox.Claim) (outbox.Batch, error) {
	var got claimedLeases
	err := s.writeTx(ctx, func(t *txn) error {
		got = claimedLeases{leases: map[queue.ID][]deliveryRow{}}
		return t.claimBatch(c, &got)
	})
	if err != nil {
		return outbox.Batch{}, err
	}
	items, err := s.readItems(got, c)
	return outbox.Batch{Items: items, Wait: got.wait}, err
}

func (t *txn) claimBatch(c outbox.Claim, got *claimedLeases) error {
	worker, err := t.liveWorker(c.Owner)
	if err != nil {
		return err
	}
	account, found, err := t.findAccount(c.Account)
	if err != nil || !found {
		return err
	}
	var paused, full int64
	if _, err := t.queryRow("SELECT paused, full FROM account WHERE id = ?", []any{account}, &paused, &full); err != nil {
		return err
	}
	if got.wait = pauseLeft(paused, t.now); got.wait > 0 {
		return nil
	}
	now := fromMicros(t.now)
	tokens, _, _ := c.Pace.Take(now, fromMicros(full), math.MaxInt32) // as many as there are
	left := c.Recipients
	for _, priority := range queue.Priorities() {
		if left <= 0 || len(got.messages) >= tokens {
			break
		}
		n, err := t.leaseDue(worker, account, priority, left, tokens, got)
		if err != nil {
			return err
		}
		left -= n
	}
	_, after, wait := c.Pace.Take(now, fromMicros(full), len(got.messages))
	if got.wait = wait; toMicros(after) == full {
		return nil
	}
	_, err = t.exec("UPDATE account SET full = ? WHERE id = ?", after, account)
	return err
}

// dueQuery reads the index delivery_claim in each range of waits, and merges the rows in order.
const dueQuery = "SELECT " + recipientColumns + " FROM (" +
	"SELECT * FROM (SELECT " + recipientColumns + " FROM delivery WHERE account = ?1 AND priority = ?2 AND waits < 0 ORDER BY waits, id LIMIT ?4) UNION ALL " +
	"SELECT * FROM (SELECT " + recipientColumns + " FROM delivery WHERE account = ?1 AND priority = ?2 AND waits BETWEEN 0 AND ?3 ORDER BY waits, id LIMIT ?4) UNION ALL " +
	"SELECT * FROM (SELECT " + recipientColumns + " FROM delivery WHERE account = ?1 AND priority = ?2 AND waits BETWEEN 2305843009213693952 AND 2305843009213693952 + ?3 ORDER BY waits, id LIMIT ?4)" +
	") ORDER BY due, id LIMIT ?4"

// leaseDue leases the due recipients of one priority, as long as each message has a token.
func (t *txn) leaseDue(worker, account int64, priority queue.Priority, most, tokens int, got *claimedLeases) (leased int, err error) {
	var due []deliveryRow
	err = t.queryRows(func(r resultRow) error { due = append(due, scanRecipient(r)); return nil },
		dueQuery, account, priority, t.now, most)
	if err != nil {
		return 0, err
	}
	for _, d := range due {
		message, _ := messageOf(d.id)
		if got.leases[message] == nil {
			if len(got.messages) >= tokens {
				break
			}
			got.messages = append(got.messages, message)
		}
		if _, err := t.exec("UPDATE delivery SET state = 'leased', owner = ?, token = token + 1, waits = NULL, updated = ? WHERE id = ?",
			worker, t.now, d.id); err != nil {
			return 0, err
		}
		t.tally[tallyKey{d.account, string(d.state)}]--
		t.tally[tallyKey{d.account, string(queue.Leased)}]++
		d.token++
		got.leases[message] = append(got.leases[message], d)
		leased++
	}
	return leased, nil
}
