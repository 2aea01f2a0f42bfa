package outboxtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// operations are all operations of Random with their weights.
var operations = []struct {
	name   string
	weight int
	do     func(*storePair, context.Context) error
}{
	{"clock", 12, (*storePair).doMoveClock},
	{"step", 2, (*storePair).doStepClock},
	{"reboot", 1, (*storePair).doReboot},
	{"Enqueue", 16, (*storePair).doEnqueue},
	{"Join", 3, (*storePair).doJoin},
	{"Renew", 8, (*storePair).doRenew},
	{"Leave", 1, (*storePair).doLeave},
	{"Claim", 18, (*storePair).doClaim},
	{"Mark", 12, (*storePair).doMark},
	{"Settle", 16, (*storePair).doSettle},
	{"Body", 2, (*storePair).doBody},
	{"Slots", 4, (*storePair).doSlots},
	{"Pause", 3, (*storePair).doPause},
	{"Resume", 1, (*storePair).doResume},
	{"Sweep", 4, (*storePair).doSweep},
	{"Adopt", 1, func(p *storePair, ctx context.Context) error {
		return p.both("Adopt", "", func(side int) (any, error) { return p.stores[side].Adopt(ctx, p.clock.Now().Second()%2 == 0) })
	}},
	{"Due", 3, func(p *storePair, ctx context.Context) error {
		return p.both("Due", "", func(side int) (any, error) {
			due, err := p.stores[side].Due(ctx)
			for i := range due { // stores may know an account before it has a message and after
				due[i].Resumed = 0
			}
			return due, err
		})
	}},
	{"Unreported", 2, (*storePair).doUnreported},
	{"Reported", 2, (*storePair).doReported},
	{"List", 8, (*storePair).doList},
	{"Show", 5, func(p *storePair, ctx context.Context) error { return p.show(ctx, p.message()) }},
	{"Change", 10, (*storePair).doChange},
	{"Stats", 2, (*storePair).doStats},
	{"Events", 2, (*storePair).feed},
	{"Prune", 2, (*storePair).doPrune},
}

func (p *storePair) doMoveClock(context.Context) error {
	short := time.Duration(p.random.IntN(3000)) * time.Millisecond
	by := pick(p, short, short, short, short, short, p.span(), lease, -time.Duration(p.random.IntN(2000))*time.Millisecond)
	if p.chance(2) {
		by = outbox.Lifetime
	}
	p.clock.Advance(by)
	return p.both("clock", by.String(), func(int) (any, error) { return nil, nil })
}

// doStepClock sets the clock wrong, and the next time right again.
func (p *storePair) doStepClock(context.Context) error {
	by := -p.ahead
	if by == 0 {
		by = pick(p, time.Hour, 7*24*time.Hour, year, -time.Hour, -7*24*time.Hour)
	}
	p.ahead += by
	p.clock.Step(by)
	return p.both("step", by.String(), func(int) (any, error) { return nil, nil })
}

func (p *storePair) doReboot(context.Context) error {
	if p.chance(20) {
		p.clock.Reboot()
	}
	return p.both("reboot", "", func(int) (any, error) { return nil, nil })
}

// account returns one of three names.
func (p *storePair) account() string { return pick(p, "a", "a", "b", "") }

func (p *storePair) doEnqueue(ctx context.Context) error {
	n := outbox.NewMessage{
		Account: p.account(), MessageID: fmt.Sprintf("<%d@example.org>", len(p.ids[0])), Subject: pick(p, "", "Hello", "Grüße 你好"),
		Priority: pick(p, queue.Normal, queue.Normal, queue.High, queue.Low),
		Tags:     pick(p, nil, []string{"news"}, []string{"urgent", "news"}, []string{"x"}), Hold: p.chance(8),
	}
	if p.chance(25) {
		n.Key, n.Fingerprint = fmt.Sprint("key", p.random.IntN(20)), [32]byte{byte(p.random.IntN(2))}
	}
	var to []string
	for i := range pick(p, 1, 1, 2, 3, 3, 25) {
		to = append(to, fmt.Sprintf("%s%d@%s", pick(p, "ann", "Bob", "用户"), i, pick(p, "example.org", "bücher.example")))
	}
	n.Envelope = envelope(pick(p, "", "boss@example.org", "Clerk@example.com"), to...)
	if p.chance(30) {
		dsn, err := n.Envelope.WithDSN(smtp.DSN{Return: "FULL", EnvelopeID: "e", Notify: []string{"NEVER"}})
		if err != nil {
			return err
		}
		n.Envelope = dsn
	}
	size := pick(p, 20, 20, 300, 5000, 5000, 64<<10, 64<<10+1)
	if p.chance(3) {
		size = pick(p, 256<<10, 256<<10+1, 700_000)
	}
	c := newText(size + p.random.IntN(2))
	c.eight, c.utf8, c.binary = p.chance(50), p.chance(50), p.chance(50)
	if p.chance(3) && n.Key == "" { // a store may look up the key before or after it reads the content
		c.fail = errors.New("it broke")
	}
	n.Content = c
	if p.chance(20) {
		n.NotBefore = p.clock.Now().Add(p.span() - time.Minute)
	}
	if p.chance(30) {
		n.Expires = p.clock.Now().Add(time.Minute + p.span())
	}
	about := -2
	if p.chance(10) {
		about = p.message()
	}
	return p.both("Enqueue", fmt.Sprintf("%q key %q to %d, priority %d, hold %v, not before %v, expires %v", n.Account, n.Key, len(to), n.Priority, n.Hold, n.NotBefore, n.Expires), func(side int) (any, error) {
		n := n
		if about > -2 {
			n.ReportOn = p.id(side, about)
		}
		r, err := p.stores[side].Enqueue(ctx, n)
		if err == nil && !r.Duplicate {
			p.ids[side] = append(p.ids[side], r.ID)
			if side == 1 && len(p.ids[0]) == len(p.ids[1]) {
				p.words[p.ids[0][len(p.ids[0])-1]], p.bodies[r.ID] = r.ID, c
			}
		}
		return r, err
	})
}

// owner returns one of the workers; rarely one that never existed.
func (p *storePair) owner() string {
	if p.chance(1) {
		return "nobody"
	}
	return pick(p, p.owners...)
}

func (p *storePair) doJoin(ctx context.Context) error {
	w, lease := queue.Worker{Owner: p.owner(), Host: pick(p, "", "host"), PID: p.random.IntN(99)}, pick(p, lease, 20*lease, p.span())
	return p.both("Join", fmt.Sprint(w, " ", lease), func(side int) (any, error) { return nil, p.stores[side].Join(ctx, w, lease) })
}

func (p *storePair) doRenew(ctx context.Context) error {
	owner, span := p.owner(), pick(p, lease, lease, 20*lease, p.span())
	var failed error
	err := p.both("Renew", fmt.Sprint(owner, " ", span), func(side int) (any, error) {
		failed = p.stores[side].Renew(ctx, owner, span)
		return nil, failed
	})
	return errors.Join(err, p.joinAnew(ctx, owner, failed))
}

// joinAnew usually joins another worker in place of one that has lapsed or has not joined.
func (p *storePair) joinAnew(ctx context.Context, owner string, failed error) error {
	at := slices.Index(p.owners, owner)
	if failed == nil || at < 0 || p.chance(15) {
		return nil
	}
	fresh := fmt.Sprint("w", p.joined)
	p.joined++
	p.owners[at] = fresh
	return p.both("Join", fresh, func(side int) (any, error) {
		return nil, p.stores[side].Join(ctx, queue.Worker{Owner: fresh, Host: "h"}, 20*lease)
	})
}

func (p *storePair) doLeave(ctx context.Context) error {
	owner := p.owner()
	return p.both("Leave", owner, func(side int) (any, error) { return nil, p.stores[side].Leave(ctx, owner) })
}

func (p *storePair) doClaim(ctx context.Context) error {
	c := outbox.Claim{Owner: p.owner(), Account: p.account(), Recipients: pick(p, 1, 2, 5, 20, 0), Bytes: pick[int64](p, 0, 6000, 1<<20)}
	if c.Account == "a" { // one pace for an account
		c.Pace = outbox.Pace{Messages: 60, Per: time.Minute, Burst: 4}
	}
	var of [2]outbox.Batch
	var failed error
	err := p.both("Claim", fmt.Sprintf("%+v", c), func(side int) (any, error) {
		batch, err := p.stores[side].Claim(ctx, c)
		of[side], failed = batch, err
		shown := batch
		shown.Items = nil
		for _, item := range batch.Items {
			item.Body = nil
			shown.Items = append(shown.Items, item)
		}
		return shown, err
	})
	for _, item := range of[1].Items {
		for _, r := range item.Recipients {
			p.leases = append(p.leases, heldLease{c.Owner, p.place(1, item.ID), r.N, r.Token})
		}
	}
	return errors.Join(err, p.sameBodies(of[0].Items, c.Bytes), p.joinAnew(ctx, c.Owner, failed))
}

// some returns leases, mostly recent ones, sometimes wrong ones.
func (p *storePair) some(most int) []heldLease {
	var all []heldLease
	for range 1 + p.random.IntN(most) {
		if len(p.leases) == 0 {
			break
		}
		h := p.leases[len(p.leases)-1-p.random.IntN(min(len(p.leases), pick(p, 15, 15, 15, 60)))]
		switch {
		case p.chance(2):
			h.message = -1
		case p.chance(2):
			h.token += pick[int64](p, -1, 1)
		}
		all = append(all, h)
	}
	return all
}

func (p *storePair) lease(side int, h heldLease) outbox.Lease {
	return outbox.Lease{ID: p.id(side, h.message), N: h.n, Token: h.token}
}

func (p *storePair) doMark(ctx context.Context) error {
	all := p.some(6)
	owner := p.owner()
	if len(all) > 0 && p.chance(90) {
		owner = all[0].owner
	}
	seen := map[heldLease]bool{}
	return p.both("Mark", fmt.Sprint(owner, " ", all), func(side int) (any, error) {
		var leases []outbox.Lease
		clear(seen)
		for _, h := range all {
			h.owner = ""
			if !seen[h] {
				seen[h] = true
				leases = append(leases, p.lease(side, h))
			}
		}
		return p.stores[side].Mark(ctx, owner, leases)
	})
}

func (p *storePair) doSettle(ctx context.Context) error {
	all := p.some(4)
	var settlements []outbox.Settlement
	for range all {
		answer := queue.Answer{Class: pick(p, "", "mailbox"), Err: pick(p, "", "reset")}
		if p.chance(60) {
			answer = newRefusal(pick(p, "no such user", "try later"))
		}
		state := pick(p, append(settledStates(), queue.HandedOver, queue.Deferred)...)
		if p.chance(1) {
			state = queue.Sending
		}
		settlements = append(settlements, outbox.Settlement{State: state, After: p.span(), Answer: answer})
	}
	return p.both("Settle", fmt.Sprint(all, settlements), func(side int) (any, error) {
		for i, h := range all {
			settlements[i].Lease = p.lease(side, h)
		}
		return p.stores[side].Settle(ctx, settlements)
	})
}

func (p *storePair) doBody(ctx context.Context) error {
	message := p.message()
	return p.both("Body", fmt.Sprint(message), func(side int) (any, error) {
		r, err := p.stores[side].Body(ctx, p.id(side, message))
		if err != nil {
			return nil, err
		}
		octets, err := io.ReadAll(r)
		return octets, errors.Join(err, r.Close())
	})
}

func (p *storePair) doSlots(ctx context.Context) error {
	owner, account, want, most := p.owner(), pick(p, "a", "a", "a", "b"), p.random.IntN(6)-1, pick(p, 0, 3, 5, 5, 5)
	return p.both("Slots", fmt.Sprint(owner, " ", account, " ", want, most), func(side int) (any, error) {
		return p.stores[side].Slots(ctx, owner, account, want, most)
	})
}

func (p *storePair) doPause(ctx context.Context) error {
	pause := outbox.Pause{Account: p.account(), For: p.span(), Answer: newRefusal(pick(p, "one", "two"))}
	return p.both("Pause", fmt.Sprint(pause.Account, " ", pause.For), func(side int) (any, error) { return p.stores[side].Pause(ctx, pause) })
}

func (p *storePair) doResume(ctx context.Context) error {
	account := p.account()
	return p.both("Resume", account, func(side int) (any, error) { return nil, p.stores[side].Resume(ctx, account) })
}

func (p *storePair) doSweep(ctx context.Context) error {
	return p.both("Sweep", "", func(side int) (any, error) { return p.stores[side].Sweep(ctx) })
}
