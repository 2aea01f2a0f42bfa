package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Change implements outbox.Store.
func (s *Store) Change(ctx context.Context, c outbox.Change) (queue.Changed, error) {
	var changed queue.Changed
	var refused error
	err := s.inOwnTx(ctx, func(ctx context.Context, t *tx) error {
		changed, refused = queue.Changed{}, nil
		t.wakes = true
		if len(c.Filter.IDs) == 1 {
			var there bool
			if err := t.QueryRow(ctx, "select exists (select from yan.message where id = $1)", int64(c.Filter.IDs[0])).Scan(&there); err != nil {
				return err
			}
			if !there {
				return queue.ErrNotFound
			}
		}
		var err error
		changed, refused, err = applyChange(ctx, t, c)
		return err
	})
	if err != nil {
		return queue.Changed{}, err
	}
	return changed, refused
}

// applyChange applies a change to all recipients whose state allows it, in one statement.
func applyChange(ctx context.Context, t *tx, c outbox.Change) (changed queue.Changed, refused, err error) {
	query, args, to := changeQuery(c, t.now)
	var first *int64
	var n *int
	var from *string
	var prolonged []int64
	if err := t.QueryRow(ctx, query, args...).Scan(&changed.Messages, &changed.Recipients, &changed.Untouched, &prolonged, &first, &n, &from); err != nil {
		return changed, nil, err
	}
	if len(c.Filter.IDs) == 1 && changed.Recipients == 0 && first != nil {
		refused = &queue.StateError{ID: queue.ID(*first), N: *n, From: queue.State(*from), Verb: c.Verb}
	}
	if to == queue.Queued && len(prolonged) > 0 {
		b := &pgx.Batch{}
		for _, statement := range []string{"update yan.message set expires = $2 where id = any($1::bigint[])",
			"update yan.delivery set expires = $2, firm = false where message = any($1::bigint[])"} {
			b.Queue(statement, prolonged, t.now.Add(outbox.Lifetime))
		}
		return changed, refused, t.SendBatch(ctx, b).Close()
	}
	return changed, refused, nil
}

// changeQuery returns the statement of a change.
func changeQuery(c outbox.Change, now time.Time) (query string, args []any, to queue.State) {
	var from []queue.State
	for _, s := range queue.States() {
		if goes, ok := c.Verb.Target(s); ok {
			from, to = append(from, s), goes
		}
	}
	kind, due, timing, reported := string(to), "d.due", "d.timing", "d.reported"
	switch c.Verb {
	case queue.Retry:
		kind, due, timing, reported = string(queue.EventRetry), "$1", "0", "false"
	case queue.ResolveResend:
		kind, due, timing = string(queue.EventResent), "$1", "0"
	case queue.Release:
		kind = string(queue.EventReleased)
	case queue.ResolveFound:
		kind = string(queue.EventFound)
	}
	w := &whereClause{args: []any{now, stateWords(from), string(to), kind}}
	w.ofMessage(c.Filter)
	w.ofRecipient(c.Filter)
	if c.N != nil {
		w.addCondition("d.n = #", *c.N)
	}
	return fmt.Sprintf(`
with hit as materialized (
	select d.message, d.n, d.state from yan.delivery d join yan.message m on m.id = d.message
	where %s order by d.message, d.n for update of d
), moved as (
	update yan.delivery d set state = $3, owner = null, updated = $1, due = %s, timing = %s, reported = %s
	from hit h where d.message = h.message and d.n = h.n and h.state = any($2::text[])
	returning d.message, d.n, d.account, h.state as was, d.expires <= $1 as late
), told as (
	insert into yan.event (message, n, account, kind, state, at) select message, n, account, $4, $3, $1 from moved order by message, n
), tallied as (
	insert into yan.tally (account, state, n)
	select account, was, -count(*) from moved group by account, was union all select account, $3, count(*) from moved group by account
), refused as (
	select * from hit where state <> all($2::text[]) order by message, n limit 1
)
select (select count(distinct message) from moved), (select count(*) from moved), (select count(*) from hit where state <> all($2::text[])),
	(select array_agg(distinct message) from moved where late), r.message, r.n, r.state
from (select 1) as one left join refused r on true`, w.joinConditions(), due, timing, reported), w.args, to
}

// Unreported implements outbox.Store.
func (s *Store) Unreported(ctx context.Context, limit int) (reports []outbox.PendingReport, err error) {
	err = s.withConn(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		reports = nil
		rows, err := conn.Query(ctx, `
with few as materialized (
	select m.id, m.account, m.sender, m.dsn, m.message_id, m.created from yan.message m
	where m.report_on = 0 and m.id in (select message from yan.delivery where state in ('failed', 'expired') and not reported)
	order by m.id limit $2
)
select f.account, f.sender, f.dsn, f.message_id, f.created, `+statusColumns+`
from few f join yan.delivery d on d.message = f.id left join yan.worker w on w.owner = d.owner
where d.state in ('failed', 'expired') and not d.reported order by d.message, d.n`, s.testClock(), max(limit, 0))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r outbox.PendingReport
			var sender string
			var ask *dsnColumn
			one, err := scanRecipient(prefixedRow{rows, []any{&r.Account, &sender, &ask, &r.MessageID, &r.Created}})
			if err != nil {
				return err
			}
			r.From, r.DSN = displayAddress(sender), ask.toDSN()
			r.ID, r.Created = queue.ID(one.message), r.Created.UTC()
			if last := len(reports) - 1; last < 0 || reports[last].ID != r.ID {
				reports = append(reports, r)
			}
			of := &reports[len(reports)-1]
			of.Recipients = append(of.Recipients, one.Recipient)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return reports, nil
}

// prefixedRow is a row that begins with columns of another table.
type prefixedRow struct {
	pgx.Rows
	first []any
}

func (p prefixedRow) Scan(rest ...any) error { return p.Rows.Scan(append(p.first, rest...)...) }

// Reported implements outbox.Store.
func (s *Store) Reported(ctx context.Context, reports []outbox.PendingReport) error {
	var ids []int64
	var ns []int
	for _, r := range reports {
		for _, status := range r.Recipients {
			ids, ns = append(ids, int64(r.ID)), append(ns, status.N)
		}
	}
	if len(ids) == 0 {
		return s.checkOpen(ctx)
	}
	return s.inOwnTx(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, `
with locked as materialized (
	select d.message, d.n from yan.delivery d join unnest($1::bigint[], $2::int[]) as x(message, n) on d.message = x.message and d.n = x.n
	where d.state in ('failed', 'expired') order by d.message, d.n for update of d
)
update yan.delivery d set reported = true from locked l where d.message = l.message and d.n = l.n`, ids, ns)
		return err
	})
}
