package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
)

// eventCursor is a position in the feed of events.
//
// Transactions commit in another order than they draw ids: a reader that remembers only the
// last id misses events that commit late. A reader that waits until every open transaction has
// ended misses nothing, but one transaction that stays open, in any database of the server,
// delays everything. So a cursor stores the position of its reader, as a mark. New events are
// those that are visible now and were not at the mark:
//
//   - events of transactions that had a number then and were not visible; these are few,
//     because they were open;
//   - events of transactions that began later. They drew their ids later (see the migration),
//     so that their ids are higher than the last id of the mark.
//
// A reader that does not get all of them at once continues between the same two marks, from id
// to id.
type eventCursor struct {
	seen snapshotMark // everything visible at this mark was read; zero for nothing
	to   snapshotMark // everything visible at this mark is being read; zero for a new cursor
	last int64        // the highest id that was read
}

// snapshotMark is a snapshot of the visible events.
type snapshotMark struct {
	snapshot string // a pg_snapshot, "xmin:xmax:xip,xip"
	next     string // a number that no transaction had that began before
	top      int64  // the highest visible id
}

// takeMark returns a mark of now. It draws the number after the snapshot: xmax of the snapshot is
// only above the last transaction that had ended, and later ones may have been open.
func takeMark(ctx context.Context, q pgx.Tx) (m snapshotMark, err error) {
	if err := q.QueryRow(ctx, "select pg_current_snapshot()::text, coalesce(max(id), 0) from yan.event").Scan(&m.snapshot, &m.top); err != nil {
		return m, err
	}
	err = q.QueryRow(ctx, "select pg_current_xact_id()::text").Scan(&m.next)
	return m, err
}

// snapshotBounds returns the limits of the transactions that were open, and of some that were not.
func (m snapshotMark) snapshotBounds() (xmin, xmax string, open []string) {
	xmin, rest, _ := strings.Cut(m.snapshot, ":")
	xmax, list, _ := strings.Cut(rest, ":")
	if list == "" {
		return xmin, xmax, []string{}
	}
	return xmin, xmax, strings.Split(list, ",")
}

func (m snapshotMark) String() string {
	if m.snapshot == "" {
		return ""
	}
	return fmt.Sprintf("%s:%s:%d", m.snapshot, m.next, m.top)
}

func parseMark(text string) (m snapshotMark, ok bool) {
	if text == "" {
		return m, true
	}
	parts := strings.Split(text, ":")
	if len(parts) != 5 {
		return m, false
	}
	m.snapshot, m.next = strings.Join(parts[:3], ":"), parts[3]
	xmin, xmax, open := m.snapshotBounds()
	for _, n := range append([]string{xmin, xmax, m.next}, open...) {
		if _, err := strconv.ParseUint(n, 10, 64); err != nil {
			return m, false
		}
	}
	var err error
	m.top, err = strconv.ParseInt(parts[4], 10, 64)
	return m, err == nil
}

func (c eventCursor) toCursor() queue.Cursor {
	return queue.Cursor(fmt.Sprintf("%s/%s/%d", c.seen, c.to, c.last))
}

func parseCursor(text queue.Cursor) (c eventCursor, err error) {
	if text == "" {
		return c, nil
	}
	parts := strings.Split(string(text), "/")
	if len(parts) == 3 {
		var seen, to bool
		c.seen, seen = parseMark(parts[0])
		c.to, to = parseMark(parts[1])
		if c.last, err = strconv.ParseInt(parts[2], 10, 64); err == nil && seen && to {
			return c, nil
		}
	}
	return c, localerr.Errorf("%q is not a position in the events", string(text))
}

const eventColumns = `e.id, e.message, e.n, e.account, e.kind, e.state, e.at, e.attempt, e.due, e.answer,
	coalesce((select d.address from yan.delivery d where d.message = e.message and d.n = e.n), '')`

// Events implements outbox.Store.
func (s *Store) Events(ctx context.Context, after queue.Cursor, limit int) (events []queue.Event, behind queue.Cursor, err error) {
	var c eventCursor
	if after != queue.CursorNow {
		if c, err = parseCursor(after); err != nil {
			return nil, after, err
		}
	}
	err = s.withConn(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return inSnapshot(ctx, conn, func(q pgx.Tx) error {
			events, behind = nil, after
			now, err := takeMark(ctx, q)
			if err != nil {
				return err
			}
			if after == queue.CursorNow {
				behind = eventCursor{seen: now}.toCursor()
				return nil
			}
			got, next, err := c.readEvents(ctx, q, now, max(limit, 0))
			events, behind = got, next.toCursor()
			return err
		})
	})
	if err != nil {
		return nil, after, err
	}
	return events, behind, nil
}

// readEvents returns the events after a cursor, up to limit, and the cursor after them.
func (c eventCursor) readEvents(ctx context.Context, q pgx.Tx, now snapshotMark, limit int) ([]queue.Event, eventCursor, error) {
	var events []queue.Event
	for limit > 0 {
		within := c
		if within.to == (snapshotMark{}) {
			within.to = now
		}
		got, err := within.readWindow(ctx, q, limit)
		if err != nil {
			return nil, c, err
		}
		events = append(events, got...)
		if limit -= len(got); limit <= 0 {
			if n := len(got); n > 0 {
				within.last = lastID(got[n-1])
				c = within
			}
			break
		}
		if within.to == now {
			c = eventCursor{seen: now}
			break
		}
		// The window is read to its end; the next one holds the later events.
		c = eventCursor{seen: within.to}
	}
	return events, c, nil
}

// readWindow reads the events that are visible in c.to, were not in c.seen, and have an id above
// c.last.
func (c eventCursor) readWindow(ctx context.Context, q pgx.Tx, limit int) ([]queue.Event, error) {
	var rows pgx.Rows
	var err error
	if c.seen == (snapshotMark{}) {
		rows, err = q.Query(ctx, "select "+eventColumns+` from (
			select * from yan.event where id > $1 and pg_visible_in_snapshot(xid, $2::text::pg_snapshot) order by id limit $3
		) as e order by e.id`, c.last, c.to.snapshot, limit)
	} else {
		_, xmax, open := c.seen.snapshotBounds()
		rows, err = q.Query(ctx, "select "+eventColumns+` from (
			(select * from yan.event where id > $1 and pg_visible_in_snapshot(xid, $2::text::pg_snapshot)
				and (xid = any($4::text[]::xid8[]) or xid >= $5::text::xid8 and xid < $6::text::xid8) order by id limit $3)
			union all
			(select * from yan.event where id > $7 and pg_visible_in_snapshot(xid, $2::text::pg_snapshot)
				and xid >= $6::text::xid8 order by id limit $3)
			order by id limit $3
		) as e order by e.id`, c.last, c.to.snapshot, limit, open, xmax, c.seen.next, max(c.seen.top, c.last))
	}
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (queue.Event, error) { return scanEvent(row, c) })
}

// eventsOf returns the events of a message.
func eventsOf(ctx context.Context, q pgx.Tx, id int64) ([]queue.Event, error) {
	now, err := takeMark(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := q.Query(ctx, "select "+eventColumns+" from (select * from yan.event where message = $1) as e order by e.id", id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (queue.Event, error) { return scanEvent(row, eventCursor{to: now}) })
}

// scanEvent reads an event, whose cursor is in the window of in.
func scanEvent(row pgx.CollectableRow, in eventCursor) (queue.Event, error) {
	var e queue.Event
	var message int64
	var kind, state, to string
	var due *time.Time
	var told []byte
	if err := row.Scan(&in.last, &message, &e.N, &e.Account, &kind, &state, &e.At, &e.Attempt, &due, &told, &to); err != nil {
		return e, err
	}
	e.Cursor, e.ID, e.Kind, e.State = in.toCursor(), queue.ID(message), queue.EventKind(kind), queue.State(state)
	e.At, e.Due = e.At.UTC(), timeOrZero(due)
	var err error
	if e.Answer, err = decodeAnswer(told); err != nil {
		return e, err
	}
	e.Address = displayAddress(to)
	return e, nil
}

// lastID returns the id of an event that was read.
func lastID(e queue.Event) int64 {
	c, err := parseCursor(e.Cursor)
	if err != nil {
		panic(err) // scanEvent has just written it
	}
	return c.last
}
