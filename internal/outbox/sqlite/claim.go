package sqlite

import (
	"context"
	"math"
	"time"

	"github.com/yanmail/yan/internal/outbox"
)

// claimed is what a claim leased, before the messages are read.
type claimed struct {
	messages []outbox.ID // in the order in which they go
	leases   map[outbox.ID][]recipient
	wait     time.Duration
}

// Claim leases what is due. What it leased is read behind the commit, beside
// other claims.
func (s *store) Claim(ctx context.Context, c outbox.Claim) (outbox.Batch, error) {
	var got claimed
	err := s.write(ctx, func(t *txn) error {
		got = claimed{leases: map[outbox.ID][]recipient{}}
		return t.claim(c, &got)
	})
	if err != nil {
		return outbox.Batch{}, err
	}
	items, err := s.items(got, c)
	return outbox.Batch{Items: items, Wait: got.wait}, err
}

func (t *txn) claim(c outbox.Claim, got *claimed) error {
	worker, found, err := t.worker(c.Owner)
	if err != nil {
		return err
	}
	if !found {
		return harmless(outbox.ErrLapsed)
	}
	account, found, err := t.account(c.Account)
	if err != nil || !found {
		return err
	}
	bucket, err := t.bucket(account, c.Pace)
	if err != nil {
		return err
	}
	if got.wait = bucket.wait(t.now); got.wait > 0 {
		return nil
	}
	left := c.Recipients
	for _, priority := range outbox.Priorities() {
		if left <= 0 || bucket.left(len(got.messages)) <= 0 {
			break
		}
		n, err := t.lease(worker, account, priority, left, bucket, got)
		if err != nil {
			return err
		}
		left -= n
	}
	if err := bucket.take(t, len(got.messages)); err != nil {
		return err
	}
	got.wait = bucket.wait(t.now)
	return nil
}

// lease takes what is due in one priority. What is too old is ended here, so that
// it does not seem to be due until the next Sweep.
func (t *txn) lease(worker, account int64, priority outbox.Priority, most int, b *bucket, got *claimed) (leased int, err error) {
	for range 4 { // rounds in which all were too old
		var due, old []recipient
		err := t.each(func(r row) error {
			if d := scanRecipient(r); d.expires <= t.now {
				old = append(old, d)
			} else {
				due = append(due, d)
			}
			return nil
		}, "SELECT "+recipientColumns+" FROM delivery WHERE account = ? AND priority = ? AND due <= ? ORDER BY due, id LIMIT ?",
			account, priority, t.now, most)
		if err != nil {
			return 0, err
		}
		for _, d := range old {
			if err := t.expire(&d); err != nil {
				return 0, err
			}
		}
		if len(due) > 0 || len(old) == 0 {
			return t.leaseThese(worker, due, b, got)
		}
	}
	return 0, nil
}

func (t *txn) leaseThese(worker int64, due []recipient, b *bucket, got *claimed) (leased int, err error) {
	for _, d := range due {
		message, _ := messageOf(d.id)
		if got.leases[message] == nil {
			if b.left(len(got.messages)) <= 0 {
				break
			}
			got.messages = append(got.messages, message)
		}
		if _, err := t.exec("UPDATE delivery SET state = 'leased', owner = ?, token = token + 1, due = NULL, updated = ? WHERE id = ?",
			worker, t.now, d.id); err != nil {
			return 0, err
		}
		t.tally[counted{d.account, string(d.state)}]--
		t.tally[counted{d.account, string(outbox.Leased)}]++
		d.token++
		got.leases[message] = append(got.leases[message], d)
		leased++
	}
	return leased, nil
}

// bucket holds the tokens of an account's pace: one a message.
type bucket struct {
	account int64
	pace    outbox.Pace
	tokens  float64
	paused  int64
}

func (t *txn) bucket(account int64, pace outbox.Pace) (*bucket, error) {
	b := &bucket{account: account, pace: pace}
	burst := float64(max(pace.Burst, 1))
	err := t.each(func(r row) error {
		b.paused = r.int(0)
		b.tokens = burst
		if !r.null(1) && !pace.IsZero() {
			since := max(0, t.now-r.int(2))
			b.tokens = min(burst, number(r, 1)+float64(since)*float64(pace.Messages)/float64(pace.Per.Microseconds()))
		}
		return nil
	}, "SELECT paused, tokens, filled FROM account WHERE id = ?", account)
	return b, err
}

// number is a REAL that SQLite may give as an integer.
func number(r row, i int) float64 {
	if f, ok := r[i].(float64); ok {
		return f
	}
	return float64(r.int(i))
}

// almost is one token, where a sum of fractions may be a little less.
const almost = 1 - 1e-6

// left is how many messages may go beyond those that are taken.
func (b *bucket) left(taken int) int {
	if b.pace.IsZero() {
		return math.MaxInt
	}
	return int(b.tokens+1-almost) - taken
}

// wait is how long nothing may be claimed.
func (b *bucket) wait(now int64) time.Duration {
	if b.paused > now {
		return time.Duration(b.paused-now) * time.Microsecond
	}
	if b.pace.IsZero() || b.tokens >= almost {
		return 0
	}
	missing := (1 - b.tokens) * float64(b.pace.Per) / float64(b.pace.Messages)
	return max(time.Microsecond, time.Duration(missing).Round(time.Microsecond))
}

func (b *bucket) take(t *txn, messages int) error {
	if b.pace.IsZero() || messages == 0 {
		return nil
	}
	b.tokens -= float64(messages)
	_, err := t.exec("UPDATE account SET tokens = ?, filled = ? WHERE id = ?", b.tokens, t.now, b.account)
	return err
}
