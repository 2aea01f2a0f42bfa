package sqlite

import (
	"context"
	"strconv"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
)

// Events returns the events after a cursor, which is the number of an event. SQLite commits
// one writer after the other, so no event appears later with a lower number.
func (s *sqliteStore) Events(ctx context.Context, after queue.Cursor, limit int) (events []queue.Event, cursor queue.Cursor, err error) {
	behind := int64(0)
	if after != "" && after != queue.CursorNow {
		if behind, err = strconv.ParseInt(string(after), 10, 64); err != nil || behind < 0 {
			return nil, "", localerr.Errorf("%q is not a position in the events", string(after))
		}
	}
	err = s.readTx(ctx, func(c *dbConn) error {
		if after == queue.CursorNow {
			behind, _, err = c.queryNumber("SELECT n FROM tally WHERE account = 0 AND word = ?", eventNumber)
			return err
		}
		events, err = readEvents(ctx, c, "e.id > ? ORDER BY e.id LIMIT ?", behind, max(limit, 0))
		return err
	})
	if err != nil {
		return nil, "", err
	}
	cursor = cursorOf(behind)
	if len(events) > 0 {
		cursor = events[len(events)-1].Cursor
	}
	return events, cursor, nil
}

func cursorOf(id int64) queue.Cursor { return queue.Cursor(strconv.FormatInt(id, 10)) }

// readEvents reads the events that a condition selects.
func readEvents(ctx context.Context, c *dbConn, where string, args ...any) (events []queue.Event, err error) {
	err = c.query(ctx, func(r resultRow) error {
		e := queue.Event{
			Cursor: cursorOf(r.int(0)), ID: queue.ID(r.int(1)), N: int(r.int(2)), Account: r.text(3), Kind: queue.EventKind(r.text(4)),
			State: queue.State(r.text(5)), At: r.timeAt(6), Attempt: int(r.int(7)), Due: r.timeAt(8),
		}
		e.Answer, e.Address = decodeAnswer(r.text(9)), displayAddress(r.text(10))
		events = append(events, e)
		return nil
	}, `SELECT e.id, e.message, e.n, a.name, e.kind, e.state, e.at, e.attempt, e.due, e.answer, coalesce(d.address, '')
		FROM event e JOIN account a ON a.id = e.account LEFT JOIN delivery d ON e.n >= 0 AND d.id = (e.message << 17) + e.n
		WHERE `+where, args...)
	return events, err
}
