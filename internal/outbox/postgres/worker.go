package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Join implements outbox.Store.
func (s *Store) Join(ctx context.Context, w queue.Worker, lease time.Duration) error {
	return s.inOwnTx(ctx, func(ctx context.Context, t *tx) error {
		copied, err := isCopy(ctx, t.Conn)
		if err != nil {
			return err
		}
		if copied {
			return queue.ErrCopied
		}
		tag, err := t.Exec(ctx, "insert into yan.worker (owner, host, pid, since, until) values ($1, $2, $3, $4, $5) on conflict do nothing",
			w.Owner, replaceInvalid(w.Host), int64(w.PID), t.now, t.now.Add(limitLease(lease)))
		if err == nil && tag.RowsAffected() == 0 {
			return localerr.Errorf("a worker with the owner %q is already registered", w.Owner)
		}
		return err
	})
}

// Renew implements outbox.Store.
func (s *Store) Renew(ctx context.Context, owner string, lease time.Duration) error {
	return s.inOwnTx(ctx, func(ctx context.Context, t *tx) error {
		tag, err := t.Exec(ctx, "update yan.worker set until = $2 where owner = $1 and until > $3 and until <= $4", owner, t.now.Add(limitLease(lease)), t.now, t.now.Add(outbox.LongestLease))
		if err == nil && tag.RowsAffected() == 0 {
			return outbox.ErrLapsed
		}
		return err
	})
}

func limitLease(lease time.Duration) time.Duration { return min(max(lease, 0), outbox.LongestLease) }

// leaseLapsed reports whether a lease has ended. A lease that would last longer than LongestLease
// was granted while the server's clock was ahead.
func leaseLapsed(until *time.Time, now time.Time) bool {
	return until == nil || !until.After(now) || until.After(now.Add(outbox.LongestLease))
}

// requeueQuery requeues the recipients that the owners $1 have leased, and puts the Sending ones
// in doubt if $3 is true. It leaves a recipient alone whose owner changed while it waited for
// the lock.
const requeueQuery = `
with locked as materialized (
	select message, n, state from yan.delivery
	where owner = any($1::text[]) and (state = 'leased' or state = 'sending' and $3::boolean)
	order by message, n for update
), moved as (
	update yan.delivery d set state = case l.state when 'leased' then 'queued' else 'in_doubt' end, owner = null, updated = $2,
		doubted = d.doubted or l.state = 'sending', due = case l.state when 'sending' then d.updated else d.due end
	from locked l where d.message = l.message and d.n = l.n
	returning d.message, d.n, d.account, l.state as was, d.state
), told as (
	insert into yan.event (message, n, account, kind, state, at)
	select message, n, account, case state when 'queued' then $4 else state end, state, $2 from moved order by message, n
), tallied as (
	insert into yan.tally (account, state, n)
	select account, was, -count(*) from moved group by 1, 2 union all select account, state, count(*) from moved group by 1, 2
)
select count(*) filter (where state = 'queued'), count(*) filter (where state = 'in_doubt') from moved`

// Leave implements outbox.Store.
func (s *Store) Leave(ctx context.Context, owner string) error {
	return s.inOwnTx(ctx, func(ctx context.Context, t *tx) error {
		// First the worker, as in Claim: this waits for a claim in progress.
		if _, err := t.Exec(ctx, "delete from yan.worker where owner = $1", owner); err != nil {
			return err
		}
		var queued, doubted int
		t.wakes = true
		return t.QueryRow(ctx, requeueQuery, []string{owner}, t.now, false, string(queue.Queued)).Scan(&queued, &doubted)
	})
}

// Slots implements outbox.Store.
func (s *Store) Slots(ctx context.Context, owner, account string, want, most int) (int, error) {
	var got int
	err := s.inOwnTx(ctx, func(ctx context.Context, t *tx) error {
		b := &pgx.Batch{}
		var until *time.Time
		b.Queue("select until from yan.worker where owner = $1 for key share", owner).QueryRow(func(row pgx.Row) error {
			return orNone(row.Scan(&until))
		})
		b.Queue("insert into yan.account (account) values ($1) on conflict do nothing", account)
		b.Queue("select from yan.account where account = $1 for no key update", account)
		if err := t.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		if leaseLapsed(until, t.now) {
			return outbox.ErrLapsed
		}
		var others int
		if err := t.QueryRow(ctx, "select coalesce(sum(n), 0) from yan.slot where account = $1 and owner <> $2", account, owner).Scan(&others); err != nil {
			return err
		}
		got = max(want, 0)
		if most > 0 {
			got = min(got, max(most-others, 0))
		}
		if got == 0 {
			_, err := t.Exec(ctx, "delete from yan.slot where account = $1 and owner = $2", account, owner)
			return err
		}
		_, err := t.Exec(ctx, `insert into yan.slot (account, owner, n) values ($1, $2, $3)
			on conflict (account, owner) do update set n = excluded.n`, account, owner, got)
		return err
	})
	if err != nil {
		return 0, err
	}
	return got, nil
}

// Pause implements outbox.Store.
func (s *Store) Pause(ctx context.Context, p outbox.Pause) (began bool, err error) {
	err = s.inOwnTx(ctx, func(ctx context.Context, t *tx) error {
		began = false
		if p.For <= 0 {
			t.idle = true
			return nil
		}
		why, err := encodeAnswer(p.Answer)
		if err != nil {
			return err
		}
		if _, err := t.Exec(ctx, "insert into yan.account (account) values ($1) on conflict do nothing", p.Account); err != nil {
			return err
		}
		var paused *time.Time
		if err := t.QueryRow(ctx, "select paused from yan.account where account = $1 for no key update", p.Account).Scan(&paused); err != nil {
			return err
		}
		pause, left := min(p.For, outbox.LongestPause), outbox.PauseLeft(timeOrZero(paused), t.now)
		if pause <= left {
			t.idle = true
			return nil
		}
		until := t.now.Add(pause)
		began = left == 0
		_, err = t.Exec(ctx, "update yan.account set paused = $2, answer = $3 where account = $1", p.Account, until, why)
		return err
	})
	return began && err == nil, err
}

// Resume implements outbox.Store.
func (s *Store) Resume(ctx context.Context, account string) error {
	return s.inOwnTx(ctx, func(ctx context.Context, t *tx) error {
		t.wakes = true
		_, err := t.Exec(ctx, `insert into yan.account (account, paused) select $1, $2 where exists (select from yan.delivery where account = $1)
			on conflict (account) do update set paused = $2, answer = null`, account, outbox.ResumedAt(t.now))
		return err
	})
}

// firstDue finds the earliest due time of each account in a few steps along the index
// delivery_due, however many recipients wait.
const firstDue = `
with recursive accounts as (
	(select account from yan.delivery where state in ('queued', 'deferred') order by account limit 1)
	union all
	select (select d.account from yan.delivery d where d.state in ('queued', 'deferred') and d.account > a.account order by d.account limit 1)
	from accounts a where a.account is not null
)
select a.account, f.due, f.timing, s.paused, coalesce($1::timestamptz, clock_timestamp())
from accounts a
cross join lateral (
	select one.timing, one.due from (values (1), (0), (-1)) as p(priority) cross join (values (0), (1), (2)) as t(timing) cross join lateral (
		select d.due, d.timing from yan.delivery d where d.account = a.account and d.priority = p.priority and d.timing = t.timing
		and d.state in ('queued', 'deferred') order by d.due limit 1) as one
	order by one.timing > 0, one.due limit 1
) as f
left join yan.account s on s.account = a.account
where a.account is not null and f.due is not null order by a.account`

// Due implements outbox.Store.
func (s *Store) Due(ctx context.Context) (all []outbox.Due, err error) {
	err = s.withConn(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		all = nil
		rows, err := conn.Query(ctx, firstDue, s.testClock())
		if err != nil {
			return err
		}
		var account string
		var due, now time.Time
		var timing outbox.Timing
		var paused *time.Time
		_, err = pgx.ForEachRow(rows, []any{&account, &due, &timing, &paused, &now}, func() error {
			all = append(all, outbox.Due{Account: account, In: max(timing.WaitTime(due, now), outbox.PauseLeft(timeOrZero(paused), now)),
				Resumed: outbox.ResumedOf(timeOrZero(paused))})
			return nil
		})
		return err
	})
	return all, err
}
