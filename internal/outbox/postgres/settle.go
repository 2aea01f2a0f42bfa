package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// markLeases marks the leases that the owners still have. Rows are locked in order, so that
// two of these statements never deadlock.
const markLeases = `
with x as materialized (
	select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[]) with ordinality as x(message, n, token, owner, place)
), locked as materialized (
	select d.message, d.n, d.account, x.place from yan.delivery d join x on d.message = x.message and d.n = x.n
	where d.state = 'leased' and d.owner = x.owner and d.token = x.token
	order by d.message, d.n for update of d
), marked as (
	update yan.delivery d set state = 'sending', updated = $5
	from locked l where d.message = l.message and d.n = l.n
	returning d.account, l.place
), tallied as (
	insert into yan.tally (account, state, n)
	select account, 'leased', -count(*) from marked group by account union all select account, 'sending', count(*) from marked group by account
)
select place from marked`

// settleLeases keeps the valid settlements, and records the others as stale.
const settleLeases = `
with x as materialized (
	select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[], $5::bigint[], $6::json[]) with ordinality
		as x(message, n, token, state, after, answer, place)
), locked as materialized (
	select d.message, d.n, d.account, d.token, d.state, d.attempts, d.due, d.expires, d.firm, x.place from yan.delivery d join x on d.message = x.message and d.n = x.n
	order by d.message, d.n for update of d
), judged as materialized (
	select l.message, l.n, l.account, l.place, l.state as was, x.answer, (x.state not in ('queued', 'held'))::int as counts, l.attempts,
		case when x.state = 'deferred' and l.state = 'held' then 'held' else x.state end as goes,
		$7::timestamptz + x.after * interval '1 microsecond' as due, (x.after > 0)::int as timing,
		case when x.state <> 'deferred' or l.state = 'held' or l.firm then l.expires
			else least($7 + $8::interval, l.expires + case when $7 - l.due > $9::interval
				then extract(epoch from $7 - l.due) * interval '1 second' else interval '0' end) end as expires,
		l.token = x.token and l.state not in ('handed_over', 'failed', 'expired', 'cancelled') as believed,
		x.state = 'queued' and l.state not in ('leased', 'sending') as idle
	from locked l join x on x.place = l.place
), settled as (
	update yan.delivery d set state = j.goes, updated = $7, attempts = d.attempts + j.counts, owner = null, reported = false, answer = j.answer,
		doubted = d.doubted or j.goes = 'in_doubt', due = case when j.goes in ('queued', 'deferred') then j.due
			when j.goes = 'in_doubt' and d.state = 'sending' then d.updated else d.due end,
		timing = case when j.goes in ('queued', 'deferred') then j.timing else d.timing end, expires = j.expires
	from judged j where d.message = j.message and d.n = j.n and j.believed and not j.idle
	returning d.message, d.n, d.expires
), prolonged as (
	update yan.message m set expires = (select max(coalesce(s.expires, d.expires)) from yan.delivery d
		left join settled s on s.message = d.message and s.n = d.n where d.message = m.id)
	where m.id in (select j.message from judged j join yan.delivery d on d.message = j.message and d.n = j.n
		where j.believed and not j.idle and j.expires <> d.expires)
), told as (
	insert into yan.event (message, n, account, kind, state, at, attempt, due, answer)
	select message, n, account, case when believed then goes else 'stale' end, case when believed then goes else was end, $7,
		case when believed then counts * (attempts + 1) else 0 end, case when believed and goes = 'deferred' then due end, answer
	from judged where not (believed and idle) order by place
), tallied as (
	insert into yan.tally (account, state, n)
	select account, state, sum(n) from (
		select account, was as state, -1 as n from judged where believed and not idle
		union all select account, goes, 1 from judged where believed and not idle) as moved
	group by account, state
)
select place, believed from judged`

// settleOp is a Mark or a Settle in progress.
type settleOp struct {
	owner       string // of Mark
	leases      []outbox.Lease
	settlements []outbox.Settlement // of Settle
	refused     []outbox.Lease      // lost or stale leases
}

// Mark implements outbox.Store.
func (s *Store) Mark(ctx context.Context, owner string, leases []outbox.Lease) ([]outbox.Lease, error) {
	op := &settleOp{owner: owner, leases: leases}
	if err := shareCommit(ctx, s, s.settles, op); err != nil {
		return nil, err
	}
	return op.refused, nil
}

// Settle implements outbox.Store.
func (s *Store) Settle(ctx context.Context, settlements []outbox.Settlement) ([]outbox.Lease, error) {
	for _, told := range settlements {
		switch told.State {
		case queue.HandedOver, queue.Failed, queue.Deferred, queue.InDoubt, queue.Held, queue.Queued:
		default:
			return nil, localerr.Errorf("a lease can't be settled as %q", string(told.State))
		}
	}
	op := &settleOp{settlements: settlements}
	if err := shareCommit(ctx, s, s.settles, op); err != nil {
		return nil, err
	}
	return op.refused, nil
}

func (s *Store) settleAll(ctx context.Context, t *tx, all []*settleOp) error {
	for _, op := range all {
		op.refused = nil
	}
	if err := markAll(ctx, t, all); err != nil {
		return err
	}
	var rest []settlementRef
	for _, op := range all {
		for i := range op.settlements {
			rest = append(rest, settlementRef{op, i})
		}
	}
	stale := map[settlementRef]bool{}
	for len(rest) > 0 {
		var now []settlementRef
		if now, rest = splitRepeats(rest); len(now) > 0 {
			if err := settleOnce(ctx, t, now, stale); err != nil {
				return err
			}
		}
	}
	for _, op := range all {
		for i := range op.settlements {
			if stale[settlementRef{op, i}] {
				op.refused = append(op.refused, op.settlements[i].Lease)
			}
		}
	}
	return nil
}

// settlementRef is one settlement of an operation.
type settlementRef struct {
	op *settleOp
	i  int
}

func (p settlementRef) settlement() outbox.Settlement { return p.op.settlements[p.i] }

// splitRepeats separates settlements that fit into one statement from later ones of the same
// recipients.
func splitRepeats(all []settlementRef) (now, later []settlementRef) {
	seen := make(map[outbox.Lease]bool, len(all))
	for _, p := range all {
		of := outbox.Lease{ID: p.settlement().ID, N: p.settlement().N}
		if seen[of] {
			later = append(later, p)
			continue
		}
		seen[of] = true
		now = append(now, p)
	}
	return now, later
}

func markAll(ctx context.Context, t *tx, all []*settleOp) error {
	var ids, tokens []int64
	var ns []int
	var owners []string
	for _, op := range all {
		for _, l := range op.leases {
			ids, ns, tokens, owners = append(ids, int64(l.ID)), append(ns, l.N), append(tokens, l.Token), append(owners, op.owner)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := t.Query(ctx, markLeases, ids, ns, tokens, owners, t.now)
	if err != nil {
		return err
	}
	// A lease that occurs twice is one row, and one of the two has got it.
	marked := make([]bool, len(ids))
	var at int
	if _, err := pgx.ForEachRow(rows, []any{&at}, func() error {
		marked[at-1] = true
		return nil
	}); err != nil {
		return err
	}
	at = 0
	for _, op := range all {
		for _, l := range op.leases {
			if !marked[at] {
				op.refused = append(op.refused, l)
			}
			at++
		}
	}
	return nil
}

// settleInside settles leases of the same transaction.
func settleInside(ctx context.Context, t *tx, told []outbox.Settlement) error {
	if len(told) == 0 {
		return nil
	}
	op := &settleOp{settlements: told}
	all := make([]settlementRef, len(told))
	for i := range told {
		all[i] = settlementRef{op, i}
	}
	return settleOnce(ctx, t, all, map[settlementRef]bool{})
}

func settleOnce(ctx context.Context, t *tx, all []settlementRef, stale map[settlementRef]bool) error {
	n := len(all)
	ids, ns, tokens, states := make([]int64, n), make([]int, n), make([]int64, n), make([]string, n)
	afters, answers := make([]int64, n), make([]*string, n)
	for i, p := range all {
		told := p.settlement()
		ids[i], ns[i], tokens[i], states[i] = int64(told.ID), told.N, told.Token, string(told.State)
		afters[i] = min(max(told.After, 0), outbox.LongestPause).Microseconds()
		var err error
		if answers[i], err = encodeAnswer(told.Answer); err != nil {
			return err
		}
		stale[p] = true
		if told.State == queue.Queued || told.State == queue.Deferred {
			t.wakes = true
		}
	}
	rows, err := t.Query(ctx, settleLeases, ids, ns, tokens, states, afters, answers, t.now, outbox.Lifetime, outbox.Overdue)
	if err != nil {
		return err
	}
	var at int
	var believed bool
	_, err = pgx.ForEachRow(rows, []any{&at, &believed}, func() error {
		stale[all[at-1]] = !believed
		return nil
	})
	return err
}
