package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// experiment is measured once in a round by each contender; it fills one row of
// the table, or several.
type experiment struct {
	rows []reportRow
	// guests take part in addition to the senders; absent maps senders that
	// don't to the reason.
	guests []string
	absent map[string]string
	// measure returns a value for each row.
	measure func(ctx context.Context, who string) ([]float64, error)
}

// participants returns the contenders in the order of the table.
func (e experiment) participants() []string {
	all := append(senders(), e.guests...)
	return slices.DeleteFunc(all, func(who string) bool { return e.absent[who] != "" })
}

// Reasons why contenders are not in a row.
const (
	noTLS       = "it speaks no TLS"
	noFiles     = "it attaches nothing"
	noHeap      = "not a Go program"
	noCommand   = "a library, not a command"
	noLoadMaker = "a load generator, not a command for mail"
)

func (c *course) experiments() []experiment {
	return slices.Concat([]experiment{c.waitRows()}, c.rateRows(), c.farRates(), c.connectRows(), c.attachmentRows(), c.startRows(), c.policyRows(), c.outboxRows(), c.doorRows(), c.sendmailRows())
}

// plainServer returns the server for cleartext mail: Postfix's sink if it is
// available.
func (c *course) plainServer(extension string) (server, label string) {
	if extension == pipelining && c.servers[postfixServer] != nil {
		return postfixServer, "PIPELINING (" + postfixServer + ")"
	}
	return extension, extension
}

// waitRows counts the round trips of a batch.
func (c *course) waitRows() experiment {
	e := experiment{guests: []string{gomailDefault, oursPipelined}}
	var at []string
	for _, extension := range []string{pipelining, chunking} {
		server, label := c.plainServer(extension)
		at = append(at, server)
		e.rows = append(e.rows, reportRow{ID: "waits/" + extension, Name: fmt.Sprintf("a message of a run of %d, %s", c.sizes.run, label), Unit: "round trips"})
	}
	e.measure = onceForPeers(len(at), func(ctx context.Context, who string, i int) ([]float64, error) {
		n := c.sizes.waiting
		if who == ours || who == oursPipelined {
			n = c.sizes.run
		}
		trips, err := c.roundTrips(ctx, who, trip{server: at[i], security: inClear}, c.sizes.long, func() order { return c.newOrder(n, n, 0) })
		return []float64{trips / float64(n)}, err
	})
	return e
}

// onceForPeers makes one measurement out of several that differ only for this
// project: in CHUNKING, and in the policy for refused recipients. A peer is
// measured the first time, and its figures are used for the others.
func onceForPeers(times int, measure func(ctx context.Context, who string, i int) ([]float64, error)) func(context.Context, string) ([]float64, error) {
	return func(ctx context.Context, who string) ([]float64, error) {
		peer := who != ours && (slices.Contains(senders(), who) || who == gomailDefault)
		var all, values []float64
		for i := range times {
			if i == 0 || !peer {
				var err error
				if values, err = measure(ctx, who, i); err != nil {
					return nil, err
				}
			}
			all = append(all, values...)
		}
		return all, nil
	}
}

// roundTrips returns how often a contender waits for the other end during an
// order on an open connection: the time over a long link, minus the time
// without one, in round trips of the link.
func (c *course) roundTrips(ctx context.Context, who string, t trip, long time.Duration, order func() order) (float64, error) {
	near, err := c.median(func() (float64, error) {
		answers, err := c.send(ctx, who, t, c.newOrder(1, 1, 0), order())
		if err != nil {
			return 0, err
		}
		return answers[1].Seconds, nil
	})
	if err != nil {
		return 0, err
	}
	t.roundTrip = long
	far, err := c.send(ctx, who, t, c.newOrder(1, 1, 0), order())
	if err != nil {
		return 0, err
	}
	return (far[1].Seconds - near) / long.Seconds(), nil
}

// median returns the median of several tries of a very short operation.
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

// policyRows counts the round trips of a single message, to one and to many
// recipients, with both extensions, and under both policies for refused
// recipients. Only this project uses CHUNKING and has the choice: the others
// are measured once, and the figure is used in all rows.
func (c *course) policyRows() []experiment {
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
			o := c.newOrder(1, 1, 0)
			o.Recipients = recipients
			return o
		}
		all = append(all, experiment{rows: rows, measure: onceForPeers(len(trips), func(ctx context.Context, who string, i int) ([]float64, error) {
			v, err := c.roundTrips(ctx, who, trips[i], c.sizes.far, order)
			return []float64{v}, err
		})})
	}
	return all
}

// absentFor maps contenders to one reason for their absence.
func absentFor(reason string, names ...string) map[string]string {
	absent := map[string]string{}
	for _, name := range names {
		absent[name] = reason
	}
	return absent
}

// mergeAbsent merges two maps of absent contenders.
func mergeAbsent(a, b map[string]string) map[string]string {
	joined := maps.Clone(a)
	maps.Copy(joined, b)
	return joined
}
