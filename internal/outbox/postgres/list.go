package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/queue"
)

const (
	pageSize       = 50 // if the filter has no limit
	recipientsSeen = 20 // of each message in a list
)

const messageColumns = `m.id, m.account, m.key, m.sender, m.message_id, m.subject, m.size, m.has_body, m.created, m.not_before, m.expires,
	m.priority, m.tags, m.report_on, m.recipients`

// List implements outbox.Store.
func (s *Store) List(ctx context.Context, f queue.Filter) (page queue.Page, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = pageSize
	}
	err = s.withConn(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return inSnapshot(ctx, conn, func(q pgx.Tx) error {
			page = queue.Page{}
			few, err := isFew(ctx, q, f)
			if err != nil {
				return err
			}
			query, args := listQuery(f, limit+1, few)
			rows, err := q.Query(ctx, query, args...)
			if err != nil {
				return err
			}
			if page.Entries, err = pgx.CollectRows(rows, scanEntry); err != nil {
				return err
			}
			if page.More = len(page.Entries) > limit; page.More {
				page.Entries = page.Entries[:limit]
			}
			return s.addRecipients(ctx, q, page.Entries, recipientsSeen)
		})
	})
	if err != nil {
		return queue.Page{}, err
	}
	return page, nil
}

// mostSought is the number of recipients up to which they are read before their messages.
const mostSought = 20_000

// isFew reports whether few recipients are in the states of a filter, by the counters. The
// planner can't know it, and its wrong guess takes seconds with a million messages.
func isFew(ctx context.Context, q pgx.Tx, f queue.Filter) (bool, error) {
	if len(f.States) == 0 {
		return false, nil
	}
	var n int64
	err := q.QueryRow(ctx, "select coalesce(sum(n), 0)::bigint from yan.tally where state = any($1::text[]) and ($2 = '' or account = $2)",
		stateWords(f.States), f.Account).Scan(&n)
	return n <= mostSought, err
}

// listQuery returns the statement of a page. Few recipients are read first, by the indexes on
// state, and then their messages. Otherwise the messages are read from one end until enough of
// them have a matching recipient; the subquery is a scalar and not a join, so that it runs
// only for these messages.
func listQuery(f queue.Filter, limit int, few bool) (query string, args []any) {
	w := &whereClause{}
	w.ofMessage(f)
	order := "desc"
	if f.Oldest {
		order = "asc"
	}
	if f.Before != 0 {
		if f.Oldest {
			w.addCondition("m.id > #", int64(f.Before))
		} else {
			w.addCondition("m.id < #", int64(f.Before))
		}
	}
	r := &whereClause{args: w.args}
	if r.ofRecipient(f) {
		w.args = r.args
		condition := "(select true from yan.delivery d where d.message = m.id and " + r.joinConditions() + " limit 1)"
		if few {
			condition = "m.id = any(array(select d.message from yan.delivery d where " + r.joinConditions() + "))"
		}
		w.conditions = append(w.conditions, condition)
	}
	w.args = append(w.args, limit)
	return fmt.Sprintf("select %s from yan.message m where %s order by m.id %s limit $%d", messageColumns, w.joinConditions(), order, len(w.args)), w.args
}

// inSnapshot runs several queries on one snapshot. All of them read a few rows by an index; a
// planner with old statistics, as after a large batch, would read whole tables instead.
func inSnapshot(ctx context.Context, conn *pgx.Conn, do func(pgx.Tx) error) error {
	begin := pgx.TxOptions{BeginQuery: "begin isolation level repeatable read read only; set local enable_seqscan = off"}
	return pgx.BeginTxFunc(ctx, conn, begin, do)
}

func scanEntry(row pgx.CollectableRow) (queue.Entry, error) {
	var e queue.Entry
	var id, reportOn int64
	var sender string
	var notBefore *time.Time
	err := row.Scan(&id, &e.Account, &e.Key, &sender, &e.MessageID, &e.Subject, &e.Size, &e.HasBody, &e.Created, &notBefore, &e.Expires,
		&e.Priority, &e.Tags, &reportOn, &e.Total)
	if err != nil {
		return e, err
	}
	e.ID, e.ReportOn, e.NotBefore = queue.ID(id), queue.ID(reportOn), timeOrZero(notBefore)
	e.Created, e.Expires = e.Created.UTC(), e.Expires.UTC()
	e.From = displayAddress(sender)
	return e, nil
}

// A due time that has come is never shown as one in the future ($1 is the clock of a test).
const statusColumns = `d.message, d.n, d.address, d.state, d.attempts,
	case when d.timing = 0 and d.state in ('queued', 'deferred') then least(d.due, coalesce($1::timestamptz, clock_timestamp())) else d.due end, d.doubted, d.updated, d.answer,
	case when d.state in ('leased', 'sending') then coalesce(w.host || ' ' || w.pid, '') else '' end`

// addRecipients adds the first recipients of messages; most 0 means all.
func (s *Store) addRecipients(ctx context.Context, q pgx.Tx, entries []queue.Entry, most int) error {
	if len(entries) == 0 {
		return nil
	}
	ids := make([]int64, len(entries))
	at := make(map[int64]*queue.Entry, len(entries))
	for i := range entries {
		ids[i] = int64(entries[i].ID)
		at[ids[i]] = &entries[i]
	}
	rows, err := q.Query(ctx, `select `+statusColumns+` from yan.delivery d left join yan.worker w on w.owner = d.owner
		where d.message = any($2::bigint[]) and ($3 = 0 or d.n < $3) order by d.message, d.n`, s.testClock(), ids, most)
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, scanRecipient)
	for _, one := range all {
		at[one.message].Recipients = append(at[one.message].Recipients, one.Recipient)
	}
	return err
}

type scannedRecipient struct {
	message int64
	queue.Recipient
}

func scanRecipient(row pgx.CollectableRow) (scannedRecipient, error) {
	var s scannedRecipient
	var to, state string
	var told []byte
	err := row.Scan(&s.message, &s.N, &to, &state, &s.Attempts, &s.Due, &s.Doubted, &s.Updated, &told, &s.Worker)
	if err != nil {
		return s, err
	}
	s.State, s.Due, s.Updated = queue.State(state), s.Due.UTC(), s.Updated.UTC()
	if s.State == queue.InDoubt {
		s.Marked = s.Due
	}
	if !s.State.Waiting() {
		s.Due = time.Time{}
	}
	if s.Answer, err = decodeAnswer(told); err != nil {
		return s, err
	}
	s.Address = displayAddress(to)
	return s, nil
}

// Show implements outbox.Store.
func (s *Store) Show(ctx context.Context, id queue.ID) (e queue.Entry, err error) {
	err = s.withConn(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return inSnapshot(ctx, conn, func(q pgx.Tx) error {
			rows, err := q.Query(ctx, "select "+messageColumns+" from yan.message m where m.id = $1", int64(id))
			if err != nil {
				return err
			}
			if e, err = pgx.CollectExactlyOneRow(rows, scanEntry); err != nil {
				return err
			}
			one := []queue.Entry{e}
			if err := s.addRecipients(ctx, q, one, 0); err != nil {
				return err
			}
			e = one[0]
			e.Events, err = eventsOf(ctx, q, int64(id))
			return err
		})
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return queue.Entry{}, queue.ErrNotFound
	}
	if err != nil {
		return queue.Entry{}, err
	}
	return e, nil
}
