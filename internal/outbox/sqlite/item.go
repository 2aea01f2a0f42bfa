package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// mostInItem is the size up to which a body comes with its item.
const mostInItem = 64 << 10

// readItems reads the leased messages. It can't be cancelled, because leases must not get lost
// between the store and the worker. A malformed message becomes Held and does not delay the
// others; if no message can be read, all are requeued.
func (s *sqliteStore) readItems(got claimedLeases, c outbox.Claim) ([]outbox.Item, error) {
	if len(got.messages) == 0 {
		return nil, nil
	}
	var items []outbox.Item
	var settlements []outbox.Settlement
	left := c.Bytes
	err := s.readTx(context.Background(), func(db *dbConn) error {
		items = make([]outbox.Item, 0, len(got.messages))
		for _, id := range got.messages {
			item, err := readLeased(db, id, got.leases[id], min(left, mostInItem))
			if senseless := (malformedError{}); errors.As(err, &senseless) {
				settlements = append(settlements, settlementsFor(got.leases[id], queue.Held, err)...)
				continue
			}
			if err != nil {
				return fmt.Errorf("reading message %d: %w", id, err)
			}
			left -= int64(len(item.Body))
			item.Account = c.Account
			items = append(items, item)
		}
		return nil
	})
	if err != nil {
		items, settlements = nil, nil
		for _, leases := range got.leases {
			settlements = append(settlements, settlementsFor(leases, queue.Queued, err)...)
		}
	}
	if len(settlements) > 0 {
		_, settling := s.Settle(context.Background(), settlements)
		err = errors.Join(err, settling)
	}
	return items, err
}

// malformedError: the rows of a message are not those that Enqueue wrote.
type malformedError struct{ error }

func (e malformedError) Unwrap() error { return e.error }

func settlementsFor(leases []deliveryRow, as queue.State, why error) (list []outbox.Settlement) {
	for _, d := range leases {
		id, n := messageOf(d.id)
		list = append(list, outbox.Settlement{Lease: outbox.Lease{ID: id, N: n, Token: d.token}, State: as, Answer: queue.Answer{Err: why.Error()}})
	}
	return list
}

func readLeased(db *dbConn, id queue.ID, leases []deliveryRow, most int64) (outbox.Item, error) {
	item, err := readItem(db, id, most)
	if err != nil {
		return item, err
	}
	slices.SortFunc(leases, func(a, b deliveryRow) int { return cmp.Compare(a.id, b.id) })
	for _, d := range leases {
		to, err := leasedOf(d)
		if err != nil {
			return item, malformedError{err}
		}
		item.Recipients = append(item.Recipients, to)
	}
	return item, nil
}

func readItem(db *dbConn, id queue.ID, most int64) (item outbox.Item, err error) {
	item.ID = id
	found := false
	err = db.query(context.Background(), func(r resultRow) (err error) {
		found = true
		item.MessageID, item.Size, item.ReportOn = r.text(2), r.int(3), queue.ID(r.int(5))
		item.Created, item.Expires = r.timeAt(6), r.timeAt(7)
		form := r.int(4)
		item.EightBit, item.UTF8, item.Binary = form&eightBit != 0, form&utf8 != 0, form&binary != 0
		if !r.isNull(8) {
			item.Body = r.blob(8)
		}
		if item.DSN, err = decodeDSN(r.text(1)); err == nil {
			err = item.From.UnmarshalText([]byte(r.text(0)))
		}
		if err != nil {
			return malformedError{err}
		}
		return nil
	}, `SELECT m.sender, m.dsn, m.message_id, m.size, m.form, m.report_on, m.created, m.expires, b.data
		FROM message m LEFT JOIN body b ON b.message = m.id AND m.size <= ?2 WHERE m.id = ?1`, id, most)
	if err == nil && !found {
		err = malformedError{queue.ErrNotFound}
	}
	return item, err
}

func leasedOf(d deliveryRow) (outbox.LeasedRecipient, error) {
	_, n := messageOf(d.id)
	to := outbox.LeasedRecipient{N: n, Token: d.token, Attempts: int(d.attempts), Doubted: d.doubted != 0}
	var err error
	to.Address, err = smtp.ParseAddress(d.address)
	return to, err
}
