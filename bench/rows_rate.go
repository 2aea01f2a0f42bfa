package main

import (
	"context"
	"fmt"
)

// mostMessages limits the messages sent in the time there is.
const mostMessages = 60_000

// rate measures messages of 5 kB per second, composing included, and the heap
// allocations and kB for each. The warm-up order opens the connections.
func (c *course) rate(t trip, warm, timed func() order) func(context.Context, string) ([]float64, error) {
	return func(ctx context.Context, who string) ([]float64, error) {
		answers, err := c.send(ctx, who, t, warm(), timed())
		if err != nil {
			return nil, err
		}
		a := answers[1]
		sent := float64(a.Sent)
		return []float64{sent / a.Seconds, float64(a.Allocations) / sent, float64(a.Allocated) / sent / 1000}, nil
	}
}

// firstValue keeps the first of several values.
func firstValue(measure func(context.Context, string) ([]float64, error)) func(context.Context, string) ([]float64, error) {
	return func(ctx context.Context, who string) ([]float64, error) {
		values, err := measure(ctx, who)
		if err != nil {
			return nil, err
		}
		return values[:1], nil
	}
}

func rateRow(id, name string) reportRow {
	return reportRow{ID: id, Name: name, Unit: "messages/s", Higher: true}
}

// rateRows measures on loopback, where only the work counts.
func (c *course) rateRows() []experiment {
	warm := func() order { return c.newOrder(50, mostMessages, c.sizes.loopback/4) }
	timed := func() order { return c.newOrder(50, mostMessages, c.sizes.loopback) }
	loopback := func(server, label string, guests ...string) experiment {
		return experiment{
			guests:  guests,
			rows:    []reportRow{rateRow("loopback/"+server, "1 connection, loopback, "+label)},
			measure: firstValue(c.rate(trip{server: server, security: inClear}, warm, timed)),
		}
	}
	postfix := loopback(postfixServer, pipelining+" ("+postfixServer+")", oursPipelined)
	if c.servers[postfixServer] == nil {
		postfix.absent = absentFor("no "+postfixServer+": "+c.tools[postfixServer].Missing, senders()...)
	}
	all := []experiment{postfix, loopback(pipelining, pipelining, oursPipelined), loopback(chunking, chunking, bare)}
	steady := func() order { return c.newOrder(2000, 2000, 0) }
	measure := c.rate(trip{server: chunking, security: inClear}, warm, steady)
	return append(all, experiment{
		rows: []reportRow{{ID: "allocations", Name: "a message, " + chunking, Unit: "allocations"},
			{ID: "allocated", Name: "allocated for a message, " + chunking, Unit: "kB"}},
		absent: absentFor(noHeap, nodemailer, smtpsource),
		measure: func(ctx context.Context, who string) ([]float64, error) {
			values, err := measure(ctx, who)
			if err != nil {
				return nil, err
			}
			return values[1:], nil
		},
	})
}

// farRates measures over a link, where waiting counts.
func (c *course) farRates() []experiment {
	var all []experiment
	for _, extension := range []string{pipelining, chunking} {
		server, label := c.plainServer(extension)
		all = append(all, experiment{
			guests: []string{gomailDefault, oursPipelined},
			rows:   []reportRow{rateRow("link/"+extension, fmt.Sprintf("1 connection, %v link, %s", c.sizes.far, label))},
			measure: firstValue(c.rate(trip{server: server, security: inClear, roundTrip: c.sizes.far},
				func() order { return c.newOrder(1, 1, 0) }, func() order { return c.newOrder(4, mostMessages, c.sizes.link) })),
		})
	}
	const connections = 4
	four := experiment{guests: []string{gomailDefault, oursPipelined}, absent: absentFor(noTLS, smtpsource)}
	for _, extension := range []string{pipelining, chunking} {
		four.rows = append(four.rows, rateRow("link4/"+extension,
			fmt.Sprintf("%d connections, %v link, STARTTLS + AUTH, %s", connections, c.sizes.far, extension)))
	}
	four.measure = onceForPeers(2, func(ctx context.Context, who string, i int) ([]float64, error) {
		t := trip{server: []string{pipelining, chunking}[i], security: startTLS, roundTrip: c.sizes.far, connections: connections}
		// Contenders that open connections on demand need some round trips for
		// it.
		return firstValue(c.rate(t, func() order { return c.newOrder(2*connections, mostMessages, c.sizes.link*2/3) },
			func() order { return c.newOrder(2*connections, mostMessages, c.sizes.link) }))(ctx, who)
	})
	return append(all, four)
}
