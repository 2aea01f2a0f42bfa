package sqlite

import (
	"context"
	"encoding/json"

	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// shown is how many recipients of a message a list contains.
const shown = 20

const usualPage = 50

// List returns a page of messages.
func (s *sqliteStore) List(ctx context.Context, f queue.Filter) (queue.Page, error) {
	if f.Limit <= 0 {
		f.Limit = usualPage
	}
	var page queue.Page
	err := s.readTx(ctx, func(c *dbConn) error {
		ids, err := chooseMessages(ctx, c, f, f.Limit+1)
		if err != nil {
			return err
		}
		if page.More = len(ids) > f.Limit; page.More {
			ids = ids[:f.Limit]
		}
		for _, id := range ids {
			entry, _, err := readEntry(ctx, c, id)
			if err != nil {
				return err
			}
			if entry.Recipients, err = s.readStatuses(ctx, c, id, shown); err != nil {
				return err
			}
			page.Entries = append(page.Entries, entry)
		}
		return nil
	})
	return page, err
}

// Show returns a message with its recipients and events.
func (s *sqliteStore) Show(ctx context.Context, id queue.ID) (queue.Entry, error) {
	var entry queue.Entry
	err := s.readTx(ctx, func(c *dbConn) error {
		var found bool
		var err error
		if entry, found, err = readEntry(ctx, c, id); err != nil {
			return err
		}
		if !found {
			return queue.ErrNotFound
		}
		if entry.Recipients, err = s.readStatuses(ctx, c, id, entry.Total); err != nil {
			return err
		}
		entry.Events, err = readEvents(ctx, c, "e.message = ? AND e.kind <> 'enqueued' ORDER BY e.id", id)
		if err != nil {
			return err
		}
		first, err := readEvents(ctx, c, "e.id = (SELECT event FROM message WHERE id = ?)", id)
		entry.Events = append(first, entry.Events...)
		return err
	})
	if err != nil {
		return queue.Entry{}, err
	}
	return entry, nil
}

func readEntry(ctx context.Context, c *dbConn, id queue.ID) (e queue.Entry, found bool, err error) {
	err = c.query(ctx, func(r resultRow) error {
		found = true
		e = queue.Entry{
			ID: id, Account: r.text(0), Key: r.text(1), MessageID: r.text(3), Subject: r.text(4), Size: r.int(5), HasBody: r.int(6) != bodyGone,
			Created: r.timeAt(7), NotBefore: r.timeAt(8), Expires: r.timeAt(9), Priority: queue.Priority(r.int(10)),
			ReportOn: queue.ID(r.int(12)), Total: int(r.int(13)),
		}
		if tags := r.text(11); tags != "" && json.Unmarshal([]byte(tags), &e.Tags) != nil {
			e.Tags = nil
		}
		e.From = displayAddress(r.text(2))
		return nil
	}, `SELECT a.name, m.key, m.sender, m.message_id, m.subject, m.size, m.body, m.created, m.not_before, m.expires, m.priority,
		m.tags, m.report_on, m.recipients FROM message m JOIN account a ON a.id = m.account WHERE m.id = ?`, id)
	return e, found, err
}

// A due time that has come is never shown as one in the future.
const statusColumns = `d.id, d.address, d.state, d.attempts, CASE WHEN d.waits < 0 THEN min(d.due, ?) WHEN d.waits IS NOT NULL THEN d.due END,
	d.doubted, d.updated, d.answer, w.host, w.pid, d.due
	FROM delivery d LEFT JOIN worker w ON w.id = d.owner AND w.gone = 0`

func (s *sqliteStore) readStatuses(ctx context.Context, c *dbConn, id queue.ID, most int) (list []queue.Recipient, err error) {
	err = c.query(ctx, func(r resultRow) error {
		list = append(list, scanStatus(r))
		return nil
	}, "SELECT "+statusColumns+" WHERE d.id >= ? AND d.id < ? ORDER BY d.id LIMIT ?", s.now(), recipientID(id, 0), recipientID(id+1, 0), most)
	return list, err
}

func (s *sqliteStore) statusOf(ctx context.Context, c *dbConn, recipient int64) (status queue.Recipient, err error) {
	err = c.query(ctx, func(r resultRow) error { status = scanStatus(r); return nil },
		"SELECT "+statusColumns+" WHERE d.id = ?", s.now(), recipient)
	return status, err
}

func scanStatus(r resultRow) (s queue.Recipient) {
	_, n := messageOf(r.int(0))
	s = queue.Recipient{
		N: n, State: queue.State(r.text(2)), Attempts: int(r.int(3)), Due: r.timeAt(4), Doubted: r.isTrue(5), Updated: r.timeAt(6),
	}
	if s.State == queue.InDoubt {
		s.Marked = r.timeAt(10)
	}
	if !r.isNull(8) {
		s.Worker = r.text(8) + " " + queue.ID(r.int(9)).String()
	}
	s.Answer, s.Address = decodeAnswer(r.text(7)), displayAddress(r.text(1))
	return s
}

// displayAddress parses an address for display. A malformed one becomes the zero address, so that its
// message does not hide the others.
func displayAddress(text string) (a smtp.Address) {
	if a.UnmarshalText([]byte(text)) != nil {
		return smtp.Address{}
	}
	return a
}
