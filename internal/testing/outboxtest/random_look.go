package outboxtest

import (
	"context"
	"fmt"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

func (p *storePair) doUnreported(ctx context.Context) error {
	limit := 1 + p.random.IntN(20)
	return p.both("Unreported", fmt.Sprint(limit), func(side int) (any, error) { return p.stores[side].Unreported(ctx, limit) })
}

// doReported reports some messages that are unreported, and some that are not.
func (p *storePair) doReported(ctx context.Context) error {
	limit, other, n := 1+p.random.IntN(3), p.message(), p.random.IntN(3)
	return p.both("Reported", fmt.Sprint(limit, other, n), func(side int) (any, error) {
		reports, err := p.stores[side].Unreported(ctx, limit)
		if err != nil {
			return nil, err
		}
		for i := range reports {
			reports[i].Recipients = reports[i].Recipients[:min(len(reports[i].Recipients), n+1)]
		}
		reports = append(reports, outbox.PendingReport{ID: p.id(side, other), Recipients: []queue.Recipient{{N: n}}})
		return nil, p.stores[side].Reported(ctx, reports)
	})
}

// filter returns a random filter without IDs and Before, which differ between the sides.
func (p *storePair) filter() queue.Filter {
	var f queue.Filter
	now := p.clock.Now()
	for _, set := range []func(){
		func() { f.Account = p.account() },
		func() { f.States = []queue.State{pick(p, queue.States()...), pick(p, queue.States()...)} },
		func() { f.To = pick(p, "ann", "bob0@", "用户", "bücher", "nobody", "_") },
		func() { f.From = pick(p, "boss", "example.com", "clerk@") },
		func() { f.Tag = pick(p, "news", "x", "none") },
		func() { f.Key = fmt.Sprint("key", p.random.IntN(20)) },
		func() { f.Since = now.Add(-p.span()) },
		func() { f.Until = now.Add(-p.span()) },
		func() { f.Doubted = true },
		func() { f.Oldest = true },
		func() { f.Limit = 1 + p.random.IntN(9) },
	} {
		if p.chance(13) {
			set()
		}
	}
	if p.chance(15) { // conditions on one recipient
		f = queue.Filter{States: []queue.State{pick(p, queue.States()...)}, To: pick(p, "ann", "bob", "用户1"), Doubted: p.chance(20)}
	}
	return f
}

// places returns the indexes of a few messages for a filter.
func (p *storePair) places() []int {
	var all []int
	for range pick(p, 1, 1, 1, 2, 5) {
		all = append(all, p.message())
	}
	return all
}

func (p *storePair) on(side int, f queue.Filter, places []int) queue.Filter {
	f.IDs = nil
	for _, place := range places {
		f.IDs = append(f.IDs, p.id(side, place))
	}
	return f
}

func (p *storePair) doList(ctx context.Context) error {
	f := p.filter()
	var places []int
	if p.chance(10) {
		places = p.places()
	}
	before := -2
	if p.chance(30) {
		before = p.message()
	}
	return p.both("List", fmt.Sprintf("%+v of %v before %d", f, places, before), func(side int) (any, error) {
		f := p.on(side, f, places)
		if before > -2 {
			f.Before = p.id(side, before)
		}
		return p.stores[side].List(ctx, f)
	})
}

func (p *storePair) doChange(ctx context.Context) error {
	c := outbox.Change{Verb: pick(p, queue.Verbs()...), Filter: p.filter()}
	var places []int
	// Cancel and Hold are rarely applied to all messages.
	if takes := c.Verb == queue.Cancel || c.Verb == queue.Hold; p.chance(50) || takes && p.chance(90) {
		places = p.places()
		if p.chance(70) {
			c.Filter = queue.Filter{}
		}
	}
	if p.chance(20) {
		n := p.random.IntN(3)
		c.N = &n
	}
	return p.both("Change", fmt.Sprintf("%s %+v of %v", c.Verb, c.Filter, places), func(side int) (any, error) {
		c := c
		c.Filter = p.on(side, c.Filter, places)
		return p.stores[side].Change(ctx, c)
	})
}

func (p *storePair) doPrune(ctx context.Context) error {
	keep := outbox.Retention{Bodies: p.span(), Messages: time.Hour + 3*p.span(), Automatic: p.chance(50)}
	if p.chance(3) {
		keep = outbox.Retention{}
	}
	return p.both("Prune", fmt.Sprintf("%+v", keep), func(side int) (any, error) { return p.stores[side].Prune(ctx, keep) })
}
