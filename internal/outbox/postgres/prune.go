package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/outbox"
)

// pruneAtOnce is the highest number of messages of one statement.
const pruneAtOnce = 5000

// finished selects messages whose recipients are all final, since when, and whether all were
// handed over. Their recipients are locked first, so that no message that is being removed is
// retried.
const finished = `
select m.id, m.size, m.has_body, m.blob, greatest(max(d.updated), m.created), bool_and(d.state = 'handed_over')
from yan.message m join yan.delivery d on d.message = m.id where m.id = any($1::bigint[])
group by m.id having bool_and(d.state in ('handed_over', 'failed', 'expired', 'cancelled'))`

// candidates selects messages that are old enough and have only final recipients.
const candidates = `
select id from (
	select m.id from yan.message m
	where m.id > $1 and (m.created <= $2 or m.has_body and m.created <= $3)
	and not exists (select from yan.delivery d where d.message = m.id and d.state not in ('handed_over', 'failed', 'expired', 'cancelled'))
	order by m.id limit $4
) as few order by id`

// Prune implements outbox.Store.
func (s *Store) Prune(ctx context.Context, keep outbox.Retention) (outbox.Pruned, error) {
	var pruned outbox.Pruned
	err := s.inOwnTx(ctx, func(ctx context.Context, t *tx) error {
		pruned = outbox.Pruned{}
		by, err := t.pruneClock(ctx, keep.Automatic)
		if err != nil {
			return err
		}
		p := pruneRun{tx: t, pruned: &pruned,
			messages: by.Add(-max(keep.Messages, 0)), bodies: by.Add(-max(keep.Bodies, 0))}
		for last := int64(0); ; {
			rows, err := t.Query(ctx, candidates, last, p.messages, p.bodies, pruneAtOnce)
			if err != nil {
				return err
			}
			ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				break
			}
			if err := p.pruneSome(ctx, ids); err != nil {
				return err
			}
			last = ids[len(ids)-1]
		}
		blobs, err := p.deleteUnused(ctx)
		_ = blobs // their number is not reported
		return err
	})
	if err != nil {
		return outbox.Pruned{}, err
	}
	return pruned, nil
}

// pruneClock returns the time that a Prune goes by, see outbox.Retention.Automatic.
func (t *tx) pruneClock(ctx context.Context, automatic bool) (by time.Time, err error) {
	var at int64 // microseconds since 1970
	err = t.QueryRow(ctx, `insert into yan.fact (name, value) values ('pruned', $1::bigint::text) on conflict (name) do update
		set value = least($1::bigint, yan.fact.value::bigint + $2::bigint)::text returning value::bigint`,
		t.now.UnixMicro(), outbox.PruneStep.Microseconds()).Scan(&at)
	if !automatic {
		return t.now, err
	}
	return time.UnixMicro(at), err
}

type pruneRun struct {
	*tx
	messages, bodies time.Time // messages finished by these times are pruned
	pruned           *outbox.Pruned
}

// pruneSome prunes messages among ids.
func (p pruneRun) pruneSome(ctx context.Context, ids []int64) error {
	if _, err := p.Exec(ctx, "select from yan.delivery where message = any($1::bigint[]) order by message, n for update", ids); err != nil {
		return err
	}
	rows, err := p.Query(ctx, finished, ids)
	if err != nil {
		return err
	}
	var forget, empty []int64
	var id, size int64
	var has, handedOver bool
	var blob *int64
	var since time.Time
	if _, err := pgx.ForEachRow(rows, []any{&id, &size, &has, &blob, &since, &handedOver}, func() error {
		switch {
		case !since.After(p.messages):
			forget = append(forget, id)
			p.pruned.Messages++
		case has && handedOver && !since.After(p.bodies):
			empty = append(empty, id)
			p.pruned.Bodies++
		default:
			return nil
		}
		if has {
			p.pruned.Bytes += size
		}
		return nil
	}); err != nil {
		return err
	}
	if len(forget)+len(empty) == 0 {
		return nil
	}
	b := &pgx.Batch{}
	b.Queue("delete from yan.body where message = any($1::bigint[]) or message = any($2::bigint[])", forget, empty)
	b.Queue("update yan.message set has_body = false, blob = null, subject = '' where id = any($1::bigint[])", empty)
	b.Queue(`with gone as (delete from yan.delivery where message = any($1::bigint[]) returning account, state)
		insert into yan.tally (account, state, n) select account, state, -count(*) from gone group by account, state`, forget)
	b.Queue("delete from yan.event where message = any($1::bigint[])", forget)
	b.Queue("delete from yan.message where id = any($1::bigint[])", forget)
	return p.SendBatch(ctx, b).Close()
}

// deleteUnused deletes large bodies that no message has any more. A transaction that has just found
// one equal to its own has locked it, so that it stays until the next Prune. The second query
// sees the message of a transaction that committed between the first query and the lock.
func (p pruneRun) deleteUnused(ctx context.Context) (int, error) {
	rows, err := p.Query(ctx, `select id from yan.blob b where not exists (select from yan.message m where m.blob = b.id)
		order by id for update skip locked`)
	if err != nil {
		return 0, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	tag, err := p.Exec(ctx, `with gone as (
			delete from yan.blob b where id = any($1::bigint[]) and not exists (select from yan.message m where m.blob = b.id) returning id
		) delete from yan.chunk where blob in (select id from gone)`, ids)
	return int(tag.RowsAffected()), err
}
