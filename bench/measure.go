package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// row is one line of the table.
type row struct {
	name   string
	unit   string
	higher bool // whether more is better
	// policyAll marks a row that only differs from the one before it for a
	// contender that honours the policy.
	policyAll bool
	measure   func(ctx context.Context, c contender) (float64, error)
}

// course is what the rows are measured on.
type course struct {
	sinks      map[string]server // by the extension that decides
	attachment string
	serial     int // makes the subjects differ
}

const (
	loopbackMessages = 2000 // in one go of a row
	linkMessages     = 10
	linkRoundTrip    = 40 * time.Millisecond
	countRoundTrip   = 100 * time.Millisecond
	manyRecipients   = 50
)

func newCourse(attachment string, start func(chunking bool) (server, error)) (*course, error) {
	c := &course{sinks: map[string]server{}, attachment: attachment}
	for _, extension := range extensions() {
		s, err := start(extension == "CHUNKING")
		if err != nil {
			return nil, err
		}
		c.sinks[extension] = s
	}
	return c, nil
}

func extensions() []string { return []string{"PIPELINING", "CHUNKING"} }

func (c *course) close() {
	for _, s := range c.sinks {
		s.close()
	}
}

func (c *course) rows() []row {
	var rows []row
	for _, extension := range extensions() {
		s := c.sinks[extension]
		rows = append(rows, row{name: "loopback, " + extension, unit: "messages/s", higher: true,
			measure: func(ctx context.Context, who contender) (float64, error) {
				return c.throughput(ctx, who, s, s.address(), loopbackMessages)
			}})
	}
	for _, extension := range extensions() {
		s := c.sinks[extension]
		rows = append(rows, row{name: fmt.Sprintf("%v link, %s", linkRoundTrip, extension), unit: "messages/s", higher: true,
			measure: func(ctx context.Context, who contender) (float64, error) {
				far, err := startLink(s.address(), linkRoundTrip)
				if err != nil {
					return 0, err
				}
				defer far.close()
				return c.throughput(ctx, who, s, far.address(), linkMessages)
			}})
	}
	for _, recipients := range []int{1, manyRecipients} {
		for _, extension := range extensions() {
			for _, all := range []bool{false, true} {
				rows = append(rows, c.roundTripRow(recipients, extension, all))
			}
		}
	}
	return append(rows, row{name: fmt.Sprintf("peak memory, attachment of %d MB", attachmentSize>>20), unit: "MB",
		measure: func(ctx context.Context, who contender) (float64, error) {
			return c.peakMemory(ctx, who, c.sinks["PIPELINING"])
		}})
}

func (c *course) roundTripRow(recipients int, extension string, all bool) row {
	policy := map[bool]string{false: "any", true: "all"}[all]
	return row{
		name:      fmt.Sprintf("waited for one message to %d, %s, policy %s", recipients, extension, policy),
		unit:      "round trips",
		policyAll: all,
		measure: func(ctx context.Context, who contender) (float64, error) {
			return c.roundTrips(ctx, who, c.sinks[extension], recipients, all)
		},
	}
}

// mails makes messages of about 5 kB with subjects of their own.
func (c *course) mails(n, recipients int) []mail {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog, and over the wall as well.\r\n", 68)
	to := make([]string, recipients)
	for i := range to {
		to[i] = fmt.Sprintf("recipient-%d@example.test", i+1)
	}
	mails := make([]mail, n)
	for i := range mails {
		c.serial++
		mails[i] = mail{from: "sender@example.test", to: to, subject: fmt.Sprintf("第 %d 封测试邮件", c.serial), text: text}
	}
	return mails
}

// timed opens a session, sends the first message outside of the time, and
// measures the others; all of them must have arrived.
func timed(ctx context.Context, who contender, s server, address string, all bool, mails []mail) (time.Duration, error) {
	session, err := who.open(ctx, address, all)
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	var start time.Time
	for i, m := range mails {
		if i == 1 {
			start = time.Now()
		}
		if err := session.send(ctx, m); err != nil {
			_ = session.close() // the first failure counts
			return 0, fmt.Errorf("send: %w", err)
		}
	}
	took := time.Since(start)
	if err := session.close(); err != nil {
		return 0, fmt.Errorf("close: %w", err)
	}
	arrived, err := s.take()
	if err != nil {
		return 0, err
	}
	return took, checkArrived(arrived, mails)
}

func (c *course) throughput(ctx context.Context, who contender, s server, address string, n int) (float64, error) {
	took, err := timed(ctx, who, s, address, false, c.mails(1+n, 1))
	return float64(n) / took.Seconds(), err
}

// roundTrips is how often a contender waits for the other end while it sends
// one message on an open connection: the time over a long way, less the time
// over none, in round trips of the long way.
func (c *course) roundTrips(ctx context.Context, who contender, s server, recipients int, all bool) (float64, error) {
	one := func(address string) (time.Duration, error) {
		return timed(ctx, who, s, address, all, append(c.mails(1, 1), c.mails(1, recipients)...))
	}
	near := make([]time.Duration, 5)
	for i := range near {
		var err error
		if near[i], err = one(s.address()); err != nil {
			return 0, err
		}
	}
	slices.Sort(near)
	far, err := startLink(s.address(), countRoundTrip)
	if err != nil {
		return 0, err
	}
	defer far.close()
	took, err := one(far.address())
	return (took - near[len(near)/2]).Seconds() / countRoundTrip.Seconds(), err
}
