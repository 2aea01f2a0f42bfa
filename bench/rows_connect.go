package main

import (
	"context"
	"fmt"
)

// connectRows measures one accepted message from nothing: connect, TLS, AUTH,
// the message; and the same for a second connection of the same client, which
// can resume the TLS session.
func (c *course) connectRows() []experiment {
	var all []experiment
	for _, protection := range []protection{fromStart, startTLS} {
		name := fmt.Sprintf("connect, %s, AUTH, one message, %s", protection, chunking)
		id := "begin/" + string(protection) + "/"
		all = append(all, experiment{
			rows: []reportRow{
				{ID: id + "waits", Name: name, Unit: "round trips"},
				{ID: id + "ms", Name: fmt.Sprintf("%s, %v link", name, c.sizes.far), Unit: "ms"},
				{ID: id + "waits2", Name: name + ", second connection", Unit: "round trips"},
				{ID: id + "ms2", Name: fmt.Sprintf("%s, second connection, %v link", name, c.sizes.far), Unit: "ms"},
				{ID: id + "resumed", Name: name + ", second connection", Unit: "TLS sessions resumed of 1", Higher: true},
			},
			absent: absentFor(noTLS, smtpsource),
			measure: func(ctx context.Context, who string) ([]float64, error) {
				t := trip{server: chunking, security: protection}
				near := [2]float64{}
				for i := range near { // the first round warms up, the second counts
					var err error
					if near, _, err = c.beginTwice(ctx, who, t); err != nil {
						return nil, fmt.Errorf("on loopback, time %d: %w", i+1, err)
					}
				}
				t.roundTrip = c.sizes.far
				far, resumed, err := c.beginTwice(ctx, who, t)
				if err != nil {
					return nil, err
				}
				rtt := c.sizes.far.Seconds()
				return []float64{(far[0] - near[0]) / rtt, far[0] * 1000, (far[1] - near[1]) / rtt, far[1] * 1000, resumed}, nil
			},
		})
	}
	return all
}

// beginTwice returns the seconds of two connections, one after the other, and
// whether the second resumed the session of the first.
func (c *course) beginTwice(ctx context.Context, who string, t trip) (seconds [2]float64, resumed float64, err error) {
	w, err := c.worker(ctx, who)
	if err != nil {
		return seconds, 0, err
	}
	s := c.servers[t.server]
	address, done, err := c.addressFor(s, t)
	if err != nil {
		return seconds, 0, err
	}
	defer done()
	p := destination{Address: address, Security: t.security, Connections: 1, CA: authorityFile(c.folder), Fleeting: true}
	if _, err := w.ask(request{Do: "open", Place: p}); err != nil {
		return seconds, 0, err
	}
	for i := range seconds {
		o := c.newOrder(1, 1, 0)
		a, err := w.ask(request{Do: "once", Order: o})
		if err != nil {
			return seconds, 0, err
		}
		arrived, err := c.gatherArrivals(ctx, s, a.Sent)
		if err != nil {
			return seconds, 0, err
		}
		if err := checkAnswers(who, s, arrived, []order{o}, []workerAnswer{a}); err != nil {
			return seconds, 0, err
		}
		if n := len(arrived.Connections); n != 1 {
			return seconds, 0, fmt.Errorf("%d connections instead of one", n)
		}
		seconds[i], resumed = a.Seconds, 0
		if arrived.Connections[0].Resumed {
			resumed = 1
		}
	}
	return seconds, resumed, nil
}
