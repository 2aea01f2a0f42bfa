package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// expire ends recipients that have expired. It skips those that another transaction is
// changing; the next Sweep gets them.
const expire = `
with locked as materialized (
	select message, n, state from yan.delivery
	where state in ('queued', 'deferred') and (firm or state = 'deferred') and expires <= $1 and (firm or timing <> 0 and due > $1)
	order by message, n for update skip locked
), moved as (
	update yan.delivery d set state = 'expired', owner = null, reported = false, updated = $1
	from locked l where d.message = l.message and d.n = l.n
	returning d.message, d.n, d.account, l.state as was
), told as (
	insert into yan.event (message, n, account, kind, state, at)
	select message, n, account, 'expired', 'expired', $1 from moved order by message, n
), tallied as (
	insert into yan.tally (account, state, n)
	select account, was, -count(*) from moved group by 1, 2 union all select account, 'expired', count(*) from moved group by 1
)
select count(*) from moved`

// bringBack makes recipients due that were deferred by a clock that was ahead.
const bringBack = `
with recursive accounts as (
	(select account from yan.delivery where state in ('queued', 'deferred') order by account limit 1)
	union all
	select (select d.account from yan.delivery d where d.state in ('queued', 'deferred') and d.account > a.account order by d.account limit 1)
	from accounts a where a.account is not null
), far as materialized (
	select d.message, d.n from accounts a cross join (values (1), (0), (-1)) as p(priority) cross join lateral (
		select d.message, d.n from yan.delivery d where d.account = a.account and d.priority = p.priority and d.timing = 1 and d.due > $1::timestamptz + $2::interval
		and d.state in ('queued', 'deferred')) as d
)
update yan.delivery d set due = $1, timing = 0 from far where d.message = far.message and d.n = far.n and d.state in ('queued', 'deferred')`

// compact merges counters of the same account and state. It skips rows that another
// transaction is merging.
const compact = `
with gone as (
	delete from yan.tally where ctid = any(array(select ctid from yan.tally limit 20000 for update skip locked)) returning account, state, n
)
insert into yan.tally (account, state, n) select account, state, sum(n) from gone group by account, state having sum(n) <> 0`

// Sweep implements outbox.Store.
func (s *Store) Sweep(ctx context.Context) (outbox.Swept, error) {
	var swept outbox.Swept
	err := s.inOwnTx(ctx, func(ctx context.Context, t *tx) error {
		swept = outbox.Swept{}
		tag, err := t.Exec(ctx, `delete from yan.worker where owner in
			(select owner from yan.worker where until <= $1 or until > $2 order by owner for update)`, t.now, t.now.Add(outbox.LongestLease))
		if err != nil {
			return err
		}
		swept.Workers = int(tag.RowsAffected())
		// A new query, which sees what the lapsed workers had claimed until now.
		rows, err := t.Query(ctx, `select distinct owner from yan.delivery d where state in ('leased', 'sending')
			and not exists (select from yan.worker w where w.owner = d.owner)`)
		if err != nil {
			return err
		}
		gone, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		if len(gone) > 0 {
			if err := t.QueryRow(ctx, requeueQuery, gone, t.now, true, string(queue.EventLapsed)).Scan(&swept.Requeued, &swept.Doubted); err != nil {
				return err
			}
		}
		back, err := t.Exec(ctx, bringBack, t.now, outbox.LongestPause)
		if err != nil {
			return err
		}
		if err := t.QueryRow(ctx, expire, t.now).Scan(&swept.Expired); err != nil {
			return err
		}
		tidied := int(back.RowsAffected())
		t.wakes = swept.Requeued+tidied > 0
		for _, statement := range []string{compact, "delete from yan.note where at < clock_timestamp() - interval '1 hour'"} {
			tag, err := t.Exec(ctx, statement)
			if err != nil {
				return err
			}
			tidied += int(tag.RowsAffected())
		}
		t.idle = swept == outbox.Swept{} && tidied == 0
		return nil
	})
	if err != nil {
		return outbox.Swept{}, err
	}
	return swept, nil
}
