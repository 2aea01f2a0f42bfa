package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/outbox"
)

// currentHome returns the place of an outbox's tables: the server (from pg_control_system, if the
// user may call it), the database, and a table. Restoring a dump creates other tables; a
// standby that takes over has the same.
func currentHome(ctx context.Context, q interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}) (home string, err error) {
	var may bool
	var database, table uint32
	err = q.QueryRow(ctx, `select has_function_privilege('pg_catalog.pg_control_system()', 'execute'),
		(select oid from pg_catalog.pg_database where datname = current_database()), 'yan.fact'::regclass::oid`).Scan(&may, &database, &table)
	system := ""
	if err == nil && may {
		err = q.QueryRow(ctx, "select system_identifier::text from pg_catalog.pg_control_system()").Scan(&system)
	}
	return fmt.Sprintf("%s/%d/%d", system, database, table), err
}

// sameHome reports whether two places are the same, as far as both are known.
func sameHome(a, b string) bool {
	of, at := strings.SplitN(a, "/", 3), strings.SplitN(b, "/", 3)
	if len(of) != len(at) || len(of) != 3 {
		return false
	}
	return of[1] == at[1] && of[2] == at[2] && (of[0] == "" || at[0] == "" || of[0] == at[0])
}

// isCopy reports whether the outbox was created or adopted in another place.
func isCopy(ctx context.Context, q interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}) (bool, error) {
	var known string
	if err := q.QueryRow(ctx, "select coalesce((select value from yan.fact where name = 'home'), '')").Scan(&known); err != nil || known == "" {
		return false, err
	}
	now, err := currentHome(ctx, q)
	return !sameHome(known, now), err
}

const putHome = "insert into yan.fact (name, value) values ('home', $1) on conflict (name) do "

// adopt ends the states that the original outbox may have changed.
const adopt = `
with locked as materialized (
	select message, n, state from yan.delivery
	where state in ('queued', 'deferred', 'leased', 'sending', 'held') and (not $2::boolean or state in ('leased', 'sending'))
	order by message, n for update
), moved as (
	update yan.delivery d set state = case when $2 and l.state = 'leased' then 'queued' else 'in_doubt' end, owner = null, updated = $1,
		doubted = d.doubted or not ($2 and l.state = 'leased'), due = case l.state when 'sending' then d.updated else d.due end
	from locked l where d.message = l.message and d.n = l.n
	returning d.message, d.n, d.account, l.state as was, d.state
), told as (
	insert into yan.event (message, n, account, kind, state, at)
	select message, n, account, case state when 'queued' then 'lapsed' else state end, state, $1 from moved order by message, n
), tallied as (
	insert into yan.tally (account, state, n)
	select account, was, -count(*) from moved group by 1, 2 union all select account, state, count(*) from moved group by 1, 2
)
select count(*) filter (where state = 'in_doubt') from moved`

// Adopt implements outbox.Store.
func (s *Store) Adopt(ctx context.Context, moved bool) (adopted outbox.Adopted, err error) {
	err = s.inOwnTx(ctx, func(ctx context.Context, t *tx) error {
		adopted = outbox.Adopted{}
		// One adoption at a time, and no worker joins before it has ended.
		if _, err := t.Exec(ctx, "lock table yan.fact in share row exclusive mode"); err != nil {
			return err
		}
		copied, err := isCopy(ctx, t.Conn)
		if err != nil || !copied {
			t.idle = true
			return err
		}
		adopted.Was, t.wakes = true, true
		if err := t.QueryRow(ctx, adopt, t.now, moved).Scan(&adopted.Doubted); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, "delete from yan.worker"); err != nil { // they worked on the original
			return err
		}
		home, err := currentHome(ctx, t.Conn)
		if err == nil {
			_, err = t.Exec(ctx, putHome+"update set value = excluded.value", home)
		}
		return err
	})
	if err != nil {
		return outbox.Adopted{}, err
	}
	return adopted, nil
}

// aheadOfClock returns how far the newest event or message is ahead of the clock.
func aheadOfClock(ctx context.Context, q pgx.Tx, now time.Time) (ahead time.Duration, err error) {
	var event, message *time.Time
	err = q.QueryRow(ctx, "select (select at from yan.event order by id desc limit 1), (select created from yan.message order by id desc limit 1)").Scan(&event, &message)
	for _, at := range []*time.Time{event, message} {
		ahead = max(ahead, outbox.ClockAhead(timeOrZero(at), now))
	}
	return ahead, err
}
