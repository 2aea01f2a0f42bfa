package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// mostWithItem is the size up to which a body comes with its item.
const mostWithItem = 64 << 10

// dueQuery leases due recipients of an account: up to $3 recipients, of up to $4 messages. It skips
// recipients that another worker is leasing. The three priorities, and in each the three
// timings, are read one after the other by the index delivery_due.
var dueQuery = sync.OnceValue(func() string {
	return "with " + dueInPriority("high", 1, "$3::int") + ", " + dueInPriority("normal", 0, "$3::int - (select count(*) from high)") + ", " +
		dueInPriority("low", -1, "$3::int - (select count(*) from high) - (select count(*) from normal)") + leaseQuery
})

// dueInPriority returns the query of the due recipients of a priority.
func dueInPriority(name string, priority int, limit string) string {
	arm := func(condition string) string {
		return fmt.Sprintf(`select * from (select message, n, state, priority, due from yan.delivery
			where account = $1 and priority = %d and %s and state in ('queued', 'deferred')
			order by due, message, n limit %s for update skip locked) as arm`, priority, condition, limit)
	}
	return name + " as materialized (select * from (" + arm("timing = 0") + " union all " + arm("timing = 1 and due <= $2") + " union all " +
		arm("timing = 2 and due <= $2") + ") as found order by due, message, n limit " + limit + ")"
}

const leaseQuery = `, placed as (
	select *, row_number() over (order by priority desc, due, message, n) as place
	from (select * from high union all select * from normal union all select * from low) as found
), headed as (
	select *, place = min(place) over (partition by message) as head from placed
), counted as (
	select *, count(*) filter (where head) over (order by place) as messages from headed
), chosen as materialized (
	select * from counted where messages <= $4::int
), leased as (
	update yan.delivery d set state = 'leased', owner = $5, token = d.token + 1, updated = $2
	from chosen c where d.message = c.message and d.n = c.n
	returning d.message, d.n, d.address, d.token, d.attempts, d.doubted, c.place, c.state as was
), tallied as (
	insert into yan.tally (account, state, n)
	select $1, was, -count(*) from leased group by was union all select $1, 'leased', count(*) from leased having count(*) > 0
)
select m.id, m.account, m.sender, m.dsn, m.message_id, m.size, m.eight, m.utf8, m."binary", m.has_body, m.report_on, m.created, m.expires,
	array_agg(l.n order by l.n), array_agg(l.address order by l.n), array_agg(l.token order by l.n),
	array_agg(l.attempts order by l.n), array_agg(l.doubted order by l.n)
from leased l join yan.message m on m.id = l.message group by m.id order by min(l.place)`

// bodiesQuery reads the bodies of messages that are small enough to come with their items.
const bodiesQuery = `select m.id, coalesce(b.data, c.data) from yan.message m left join yan.body b on b.message = m.id
	left join yan.chunk c on c.blob = m.blob and c.n = 0 where m.id = any($1::bigint[])`

// claimOp is a Claim in progress.
type claimOp struct {
	claim outbox.Claim
	batch outbox.Batch
	err   error
}

// Claim implements outbox.Store.
func (s *Store) Claim(ctx context.Context, c outbox.Claim) (outbox.Batch, error) {
	op := &claimOp{claim: c}
	if err := shareCommit(ctx, s, s.claims, op); err != nil {
		return outbox.Batch{}, err
	}
	return op.batch, op.err
}

func (s *Store) claimAll(ctx context.Context, t *tx, all []*claimOp) error {
	t.idle = true
	for _, op := range all {
		op.batch, op.err = outbox.Batch{}, nil
		err := op.carryOut(ctx, t)
		if errors.Is(err, outbox.ErrLapsed) {
			op.err = err
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (op *claimOp) carryOut(ctx context.Context, t *tx) error {
	c := op.claim
	full, wait, err := op.admitClaim(ctx, t)
	if err != nil || wait > 0 {
		op.batch.Wait = wait
		return err
	}
	most := max(c.Recipients, 0)
	messages, _, _ := c.Pace.Take(t.now, full, most)
	if messages > 0 {
		if err := op.leaseDue(ctx, t, most, messages); err != nil {
			return err
		}
	}
	var after time.Time
	_, after, op.batch.Wait = c.Pace.Take(t.now, full, len(op.batch.Items))
	if c.Pace.IsZero() || after.Equal(full) {
		return nil
	}
	t.idle = false
	_, err = t.Exec(ctx, `update yan.account set "full" = $2 where account = $1`, c.Account, after)
	return err
}

// admitClaim reads and locks worker and account until the commit, so that Sweep waits for a worker
// that is about to lease, and other claims wait for the bucket of tokens. It returns when the
// bucket is full, and the rest of the account's pause.
func (op *claimOp) admitClaim(ctx context.Context, t *tx) (full time.Time, wait time.Duration, err error) {
	c := op.claim
	b := &pgx.Batch{}
	var until, bucket, paused *time.Time
	b.Queue("select until from yan.worker where owner = $1 for key share", c.Owner).QueryRow(func(row pgx.Row) error {
		return orNone(row.Scan(&until))
	})
	account := `select "full", paused from yan.account where account = $1`
	if !c.Pace.IsZero() {
		b.Queue("insert into yan.account (account) values ($1) on conflict do nothing", c.Account)
		account += " for no key update"
	}
	b.Queue(account, c.Account).QueryRow(func(row pgx.Row) error { return orNone(row.Scan(&bucket, &paused)) })
	if err := t.SendBatch(ctx, b).Close(); err != nil {
		return time.Time{}, 0, err
	}
	if leaseLapsed(until, t.now) {
		return time.Time{}, 0, outbox.ErrLapsed
	}
	return timeOrZero(bucket), outbox.PauseLeft(timeOrZero(paused), t.now), nil
}

func orNone(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

func (op *claimOp) leaseDue(ctx context.Context, t *tx, most, messages int) error {
	rows, err := t.Query(ctx, dueQuery(), op.claim.Account, t.now, most, messages, op.claim.Owner)
	if err != nil {
		return err
	}
	bodies := map[int64]*outbox.Item{}
	room := op.claim.Bytes
	var items []outbox.Item
	var senseless []outbox.Settlement
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		it, wrong, err := scanItem(row, &room)
		if err == nil && wrong != nil {
			senseless = append(senseless, heldSettlements(it, wrong)...)
		} else if err == nil {
			items = append(items, it)
		}
		return struct{}{}, err
	})
	if err != nil || len(items)+len(senseless) == 0 {
		return err
	}
	t.idle = false
	if err := settleInside(ctx, t, senseless); err != nil {
		return err
	}
	op.batch.Items = items
	var ids []int64
	for i := range items {
		if items[i].Body != nil {
			ids = append(ids, int64(items[i].ID))
			bodies[int64(items[i].ID)] = &items[i]
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err = t.Query(ctx, bodiesQuery, ids)
	if err != nil {
		return err
	}
	for _, it := range bodies {
		it.Body = nil
	}
	var id int64
	var data []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &data}, func() error {
		bodies[id].Body = data
		data = nil
		return nil
	})
	return err
}

// heldSettlements makes the recipients of a malformed message Held, so that it does not delay the others.
func heldSettlements(it outbox.Item, why error) (list []outbox.Settlement) {
	for _, r := range it.Recipients {
		list = append(list, outbox.Settlement{Lease: outbox.Lease{ID: it.ID, N: r.N, Token: r.Token}, State: queue.Held,
			Answer: queue.Answer{Err: why.Error()}})
	}
	return list
}

// scanItem reads an item. If there is room for its body, Body is not nil, and is still to be read.
// wrong is the reason if Enqueue can't have written it.
func scanItem(row pgx.CollectableRow, room *int64) (it outbox.Item, wrong, err error) {
	var id, reportOn int64
	var sender string
	var ask *dsnColumn
	var has bool
	var ns []int
	var addresses []string
	var tokens []int64
	var attempts []int
	var doubted []bool
	err = row.Scan(&id, &it.Account, &sender, &ask, &it.MessageID, &it.Size, &it.EightBit, &it.UTF8, &it.Binary, &has, &reportOn,
		&it.Created, &it.Expires, &ns, &addresses, &tokens, &attempts, &doubted)
	if err != nil {
		return it, nil, err
	}
	it.ID, it.ReportOn = queue.ID(id), queue.ID(reportOn)
	it.Created, it.Expires = it.Created.UTC(), it.Expires.UTC()
	it.DSN = ask.toDSN()
	it.From, wrong = parseAddress(sender)
	for i, n := range ns {
		r := outbox.LeasedRecipient{N: n, Token: tokens[i], Attempts: attempts[i], Doubted: doubted[i]}
		var other error
		r.Address, other = parseAddress(addresses[i])
		wrong = cmp.Or(wrong, other)
		it.Recipients = append(it.Recipients, r)
	}
	if wrong == nil && has && it.Size <= min(mostWithItem, *room) {
		*room -= it.Size
		it.Body = []byte{}
	}
	return it, wrong, nil
}

// parseAddress parses the text of an smtp.Address, which may be "".
func parseAddress(text string) (a smtp.Address, err error) {
	err = a.UnmarshalText([]byte(text))
	return a, err
}

// displayAddress parses an address for display. A malformed one becomes the zero address, so that its
// message does not hide the others.
func displayAddress(text string) smtp.Address {
	a, err := parseAddress(text)
	if err != nil {
		return smtp.Address{}
	}
	return a
}
