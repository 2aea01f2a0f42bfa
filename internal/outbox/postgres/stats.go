package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Stats implements outbox.Store. Free is unknown, because the disk is the server's.
func (s *Store) Stats(ctx context.Context) (queue.Stats, error) {
	var stats queue.Stats
	err := s.withConn(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return inSnapshot(ctx, conn, func(q pgx.Tx) error {
			stats = queue.Stats{Free: -1}
			var now time.Time
			var oldest *time.Time
			err := q.QueryRow(ctx, `select coalesce($1::timestamptz, clock_timestamp()),
				(select m.created from yan.message m where m.id =
					(select message from yan.delivery where state in ('queued', 'deferred') order by message limit 1)),
				(select sum(pg_total_relation_size(c.oid))::bigint from pg_class c where c.relnamespace = 'yan'::regnamespace and c.relkind = 'r')`,
				s.testClock()).Scan(&now, &oldest, &stats.Bytes)
			if err != nil {
				return err
			}
			stats.Oldest = timeOrZero(oldest)
			if stats.Copied, err = isCopy(ctx, q); err != nil {
				return err
			}
			if stats.Ahead, err = aheadOfClock(ctx, q, now); err != nil {
				return err
			}
			if stats.Accounts, err = readAccounts(ctx, q, now); err != nil {
				return err
			}
			stats.Workers, err = readWorkers(ctx, q, now)
			return err
		})
	})
	if err != nil {
		return queue.Stats{}, err
	}
	return stats, nil
}

func readAccounts(ctx context.Context, q pgx.Tx, now time.Time) ([]queue.AccountStats, error) {
	rows, err := q.Query(ctx, `
select coalesce(c.account, p.account) as account, coalesce(c.state, ''), coalesce(c.n, 0)::bigint, p.paused, p.answer
from (select account, state, sum(n) as n from yan.tally group by account, state having sum(n) <> 0) as c
full join (select * from yan.account where paused > $1 and paused <= $2) as p on p.account = c.account
order by 1, 2`, now, now.Add(outbox.LongestPause))
	if err != nil {
		return nil, err
	}
	var all []queue.AccountStats
	var account, state string
	var n int
	var paused *time.Time
	var why []byte
	_, err = pgx.ForEachRow(rows, []any{&account, &state, &n, &paused, &why}, func() error {
		if last := len(all) - 1; last < 0 || all[last].Account != account {
			told, err := decodeAnswer(why)
			if err != nil {
				return err
			}
			one := queue.AccountStats{Account: account, Count: map[queue.State]int{}, PauseAnswer: told}
			one.PausedFor = outbox.PauseLeft(timeOrZero(paused), now)
			all = append(all, one)
		}
		if state != "" {
			all[len(all)-1].Count[queue.State(state)] = n
		}
		return nil
	})
	return all, err
}

func readWorkers(ctx context.Context, q pgx.Tx, now time.Time) ([]queue.WorkerStats, error) {
	rows, err := q.Query(ctx, "select owner, host, pid, since, until from yan.worker order by owner")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (queue.WorkerStats, error) {
		var w queue.WorkerStats
		var until time.Time
		err := row.Scan(&w.Owner, &w.Host, &w.PID, &w.Since, &until)
		if w.Since = w.Since.UTC(); !leaseLapsed(&until, now) {
			w.For = until.Sub(now)
		}
		return w, err
	})
}
