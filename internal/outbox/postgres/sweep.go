package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/outbox"
)

// expire ends what has waited too long. What somebody is about to change waits for the
// next Sweep.
const expire = `
with locked as materialized (
	select message, n, state from yan.delivery
	where state in ('queued', 'deferred') and expires <= $1
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

// compact makes one row of many of the same account and state. Those that another
// one is compacting are left to it.
const compact = `
with gone as (
	delete from yan.tally where ctid = any(array(select ctid from yan.tally limit 20000 for update skip locked)) returning account, state, n
)
insert into yan.tally (account, state, n) select account, state, sum(n) from gone group by account, state having sum(n) <> 0`

// Sweep implements outbox.Store.
func (s *Store) Sweep(ctx context.Context) (outbox.Swept, error) {
	var swept outbox.Swept
	err := s.alone(ctx, func(ctx context.Context, t *tx) error {
		swept = outbox.Swept{}
		tag, err := t.Exec(ctx, `delete from yan.worker where owner in
			(select owner from yan.worker where until <= $1 order by owner for update)`, t.now)
		if err != nil {
			return err
		}
		swept.Workers = int(tag.RowsAffected())
		// This looks anew, and so sees what the lapsed had claimed until just now.
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
			if err := t.QueryRow(ctx, giveBack, gone, t.now, true, string(outbox.EventLapsed)).Scan(&swept.Requeued, &swept.Doubted); err != nil {
				return err
			}
		}
		if err := t.QueryRow(ctx, expire, t.now).Scan(&swept.Expired); err != nil {
			return err
		}
		t.wakes = swept.Requeued > 0
		tidied := 0
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
