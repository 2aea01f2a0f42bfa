package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// experiment is measured once in a round by each contender; it fills one row
// of the table, or several.
type experiment struct {
	rows []reportRow
	// who takes part beside the senders, and which of these do not and why.
	guests []string
	absent map[string]string
	// measure returns a value for each row; NaN where there is none.
	measure func(ctx context.Context, who string) ([]float64, error)
}

// participants are in the order of the table.
func (e experiment) participants() []string {
	all := append(senders(), e.guests...)
	return slices.DeleteFunc(all, func(who string) bool { return e.absent[who] != "" })
}

// Why some contenders are not in some rows.
const (
	noTLS       = "it speaks no TLS"
	noFiles     = "it attaches nothing"
	noHeap      = "not a Go program"
	noCommand   = "a library, not a command"
	noLoadMaker = "a load generator, not a command for mail"
)

func (c *course) experiments() []experiment {
	return slices.Concat(c.waits(), c.rates(), c.beginnings(), c.attachments(), c.starts(), c.policies())
}

// plainServer is where mail goes in the clear: Postfix's sink where it can be had.
func (c *course) plainServer(extension string) (server, label string) {
	if extension == pipelining && c.servers[postfixServer] != nil {
		return postfixServer, "PIPELINING (" + postfixServer + ")"
	}
	return extension, extension
}

// waits counts the round trips of a run of messages.
func (c *course) waits() []experiment {
	var all []experiment
	for _, extension := range []string{pipelining, chunking} {
		at, label := c.plainServer(extension)
		name := fmt.Sprintf("a message of a run of %d, %s", c.sizes.run, label)
		all = append(all, experiment{
			guests: []string{gomailDefault},
			rows:   []reportRow{{ID: "waits/" + extension, Name: name, Unit: "round trips"}},
			measure: func(ctx context.Context, who string) ([]float64, error) {
				n := c.sizes.waiting
				if who == ours {
					n = c.sizes.run
				}
				trips, err := c.roundTrips(ctx, who, trip{server: at, security: inClear}, c.sizes.long, func() order { return c.order(n, n, 0) })
				return []float64{trips / float64(n)}, err
			},
		})
	}
	return all
}

// roundTrips is how often a contender waits for the other end while it carries
// out an order on an open connection: the time over a long way, less the time
// over none, in round trips of the long way.
func (c *course) roundTrips(ctx context.Context, who string, t trip, long time.Duration, order func() order) (float64, error) {
	near, err := c.median(func() (float64, error) {
		answers, err := c.send(ctx, who, t, c.order(1, 1, 0), order())
		if err != nil {
			return 0, err
		}
		return answers[1].Seconds, nil
	})
	if err != nil {
		return 0, err
	}
	t.roundTrip = long
	far, err := c.send(ctx, who, t, c.order(1, 1, 0), order())
	if err != nil {
		return 0, err
	}
	return (far[1].Seconds - near) / long.Seconds(), nil
}

// median of several tries at what takes next to no time.
func (c *course) median(try func() (float64, error)) (float64, error) {
	var values []float64
	for range c.sizes.near {
		v, err := try()
		if err != nil {
			return 0, err
		}
		values = append(values, v)
	}
	return newFigure(values).Median, nil
}

// rates measures messages of 5 kB each second, composing included.
func (c *course) rates() []experiment {
	const most = 60_000
	rate := func(t trip, warm, timed func() order) func(context.Context, string) ([]float64, error) {
		return func(ctx context.Context, who string) ([]float64, error) {
			answers, err := c.send(ctx, who, t, warm(), timed())
			if err != nil {
				return nil, err
			}
			a := answers[1]
			return []float64{float64(a.Sent) / a.Seconds, float64(a.Allocations) / float64(a.Sent), float64(a.Allocated) / float64(a.Sent) / 1000}, nil
		}
	}
	warm := func() order { return c.order(50, most, c.sizes.loopback/4) }
	timed := func() order { return c.order(50, most, c.sizes.loopback) }
	one := func() order { return c.order(1, 1, 0) }
	over := func() order { return c.order(4, most, c.sizes.link) }
	row := func(id, name string) reportRow {
		return reportRow{ID: id, Name: name, Unit: "messages/s", Higher: true}
	}
	var all []experiment
	if c.servers[postfixServer] != nil {
		at, label := c.plainServer(pipelining)
		all = append(all, experiment{rows: []reportRow{row("loopback/"+postfixServer, "1 connection, loopback, "+label)},
			measure: first(rate(trip{server: at, security: inClear}, warm, timed))})
	}
	for _, extension := range []string{pipelining, chunking} {
		var beside []string
		if extension == chunking {
			beside = []string{bare}
		}
		all = append(all, experiment{
			guests:  beside,
			rows:    []reportRow{row("loopback/"+extension, "1 connection, loopback, "+extension)},
			measure: first(rate(trip{server: extension, security: inClear}, warm, timed)),
		})
	}
	all = append(all, experiment{
		rows: []reportRow{{ID: "allocations", Name: "a message, " + chunking, Unit: "allocations"},
			{ID: "allocated", Name: "allocated for a message, " + chunking, Unit: "kB"}},
		absent: map[string]string{nodemailer: noHeap, smtpsource: noHeap},
		measure: func(ctx context.Context, who string) ([]float64, error) {
			values, err := rate(trip{server: chunking, security: inClear}, warm, func() order { return c.order(2000, 2000, 0) })(ctx, who)
			if err != nil {
				return nil, err
			}
			return values[1:], nil
		},
	})
	for _, extension := range []string{pipelining, chunking} {
		at, label := c.plainServer(extension)
		all = append(all, experiment{
			guests:  []string{gomailDefault},
			rows:    []reportRow{row("link/"+extension, fmt.Sprintf("1 connection, %v link, %s", c.sizes.far, label))},
			measure: first(rate(trip{server: at, security: inClear, roundTrip: c.sizes.far}, one, over)),
		})
	}
	const connections = 4
	for _, extension := range []string{pipelining, chunking} {
		all = append(all, experiment{
			guests: []string{gomailDefault},
			rows:   []reportRow{row("link4/"+extension, fmt.Sprintf("%d connections, %v link, STARTTLS + AUTH, %s", connections, c.sizes.far, extension))},
			absent: map[string]string{smtpsource: noTLS},
			measure: first(rate(trip{server: extension, security: startTLS, roundTrip: c.sizes.far, connections: connections},
				func() order { return c.order(2*connections, most, c.sizes.link4/4) },
				func() order { return c.order(2*connections, most, c.sizes.link4) })),
		})
	}
	return all
}

// first keeps the first of several values.
func first(measure func(context.Context, string) ([]float64, error)) func(context.Context, string) ([]float64, error) {
	return func(ctx context.Context, who string) ([]float64, error) {
		values, err := measure(ctx, who)
		if err != nil {
			return nil, err
		}
		return values[:1], nil
	}
}

// policies counts the round trips of a single message, to one and to many, with
// both extensions, and under both policies for what is to happen when some are
// refused. Only this project uses CHUNKING and has the choice: the others are
// measured once, and the figure stands in all rows.
func (c *course) policies() []experiment {
	var all []experiment
	for _, recipients := range []int{1, c.sizes.recipients} {
		var rows []reportRow
		var trips []trip
		for _, extension := range []string{pipelining, chunking} {
			for _, policy := range []string{"any", "all"} {
				rows = append(rows, reportRow{ID: fmt.Sprintf("single/%d/%s/%s", min(recipients, 2), extension, policy),
					Name: fmt.Sprintf("one message to %d, %s, policy %s", recipients, extension, policy), Unit: "round trips"})
				trips = append(trips, trip{server: extension, security: inClear, all: policy == "all"})
			}
		}
		order := func() order {
			o := c.order(1, 1, 0)
			o.Recipients = recipients
			return o
		}
		all = append(all, experiment{rows: rows, measure: func(ctx context.Context, who string) ([]float64, error) {
			var values []float64
			for _, t := range trips {
				if len(values) > 0 && who != ours {
					values = append(values, values[0])
					continue
				}
				v, err := c.roundTrips(ctx, who, t, c.sizes.far, order)
				if err != nil {
					return nil, err
				}
				values = append(values, v)
			}
			return values, nil
		}})
	}
	return all
}

// without marks contenders as absent for one reason.
func without(reason string, names ...string) map[string]string {
	absent := map[string]string{}
	for _, name := range names {
		absent[name] = reason
	}
	return absent
}

// both joins two lists of who is absent.
func both(a, b map[string]string) map[string]string {
	joined := maps.Clone(a)
	maps.Copy(joined, b)
	return joined
}
