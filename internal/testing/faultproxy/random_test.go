package faultproxy

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

var (
	schedules = flag.Uint64("schedules", 300, "how many random schedules to carry out")
	oneSeed   = flag.Uint64("seed", 0, "carry out the schedule of this seed only; 0 for all")
)

// chance is a random source determined by a seed.
type chance struct{ *rand.Rand }

func (c chance) in(percent int) bool { return c.IntN(100) < percent }

// from returns a number from low to high.
func (c chance) from(low, high int) int { return low + c.IntN(high-low+1) }

func pick[T any](c chance, all ...T) T { return all[c.IntN(len(all))] }

// schedule derives a course from a seed.
func schedule(seed uint64) smtpCourse {
	c := chance{rand.New(rand.NewPCG(seed, 0))}
	var s smtpCourse
	if c.in(60) {
		s.sendAll = c.from(1, 3)
	}
	s.server = c.server(s.sendAll > 0)
	if c.in(8) {
		s.server.Quirks, s.loose = append(s.server.Quirks, pick(c, sandbox.LosesGroup, sandbox.LosesMail)), true
	}
	s.client = smtpclient.Config{NoPipelining: c.in(5), NoChunking: c.in(5)}
	if c.in(60) {
		s.client.Window = smtpclient.Window{Messages: pick(c, 0, 1, 2, 3, 5, 40), Bytes: pick(c, int64(0), 100, 1000, 20_000)}
	}
	n := pick(c, c.from(1, 4), c.from(3, 12), c.from(10, 60))
	for range n {
		d := c.draft()
		if d.from == "data-354" && !slices.Contains(s.server.Without, "CHUNKING") {
			d.from = "" // a 354 in reply to BDAT is not SMTP, and after it no outcome can be known
		}
		s.messages = append(s.messages, d)
	}
	s.faults, s.wait = c.faults(n)
	if s.loose {
		s.wait = impatience
	}
	if !s.loose && c.in(40) {
		s.shape = c.shape()
	}
	if s.sendAll > 0 && c.in(20) {
		s.forbearance, s.deadline = 1200*time.Millisecond, 2500*time.Millisecond
	}
	if !s.loose && c.in(40) {
		for range c.from(1, 7) {
			s.halting = append(s.halting, c.in(40))
		}
	}
	if c.in(4) {
		s.deadline = time.Duration(c.from(1, 150)) * time.Millisecond
	}
	return s
}

// server returns a server configuration. If limited, it may announce LIMITS, which only a transport
// respects.
func (c chance) server(limited bool) sandbox.Config {
	var cfg sandbox.Config
	for _, less := range []struct {
		keyword string
		percent int
	}{{"PIPELINING", 25}, {"CHUNKING", 40}, {"SIZE", 10}, {"ENHANCEDSTATUSCODES", 10}} {
		if c.in(less.percent) {
			cfg.Without = append(cfg.Without, less.keyword)
		}
	}
	if c.in(30) {
		cfg.Quirks = []sandbox.Quirk{sandbox.KeepsTransaction}
	}
	if c.in(20) {
		cfg.MessagesPerConnection = sandbox.Bound{Max: c.from(1, 10), Reply: pick(c, "", "452 4.3.2 too many messages in this connection", "450 MI:DMC 163 smtp10")}
	}
	if c.in(10) {
		cfg.ConnectionsAtOnce = sandbox.Bound{Max: c.from(1, 2), Reply: pick(c, "", "554 HL:ICC", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded")}
	}
	if limited && c.in(15) {
		cfg.Limits = smtp.Limits{Transactions: c.from(0, 12), Recipients: c.from(0, 4), RecipientsDomains: c.from(0, 1)}
	}
	if c.in(10) {
		cfg.MaxRecipients = c.from(1, 4)
	}
	return cfg
}

// draft returns a message; most are ordinary.
func (c chance) draft() courseMessage {
	d := courseMessage{octets: int64(pick(c, 0, 0, 0, 200, 1000, 5000, 40_000))}
	if c.in(1) {
		d.octets = 1<<20 + 1
	}
	for range pick(c, 1, 1, 1, 2, 3, c.from(1, 5)) {
		to := ""
		if c.in(12) {
			to = pick(c, "rcpt-550", "rcpt-550", "rcpt-450", "rcpt-452-4.5.3", "rcpt-550-5.1.1")
		}
		d.to = append(d.to, to)
	}
	if c.in(10) {
		d.to[c.IntN(len(d.to))] = pick(c, "body-550", "body-452", "body-554+DT~SPM", "body-432-4.3.2", "data-554", "data-451", "data-450-4.7.0")
	}
	if c.in(2) {
		d.to[c.IntN(len(d.to))] = pick(c, "body-421", "data-421", "rcpt-421", "data-421-100")
	}
	if c.in(5) {
		d.from = pick(c, "mail-550", "mail-450", "mail-450-4.7.1", "data-354", "mail-421")
	}
	if c.in(20) {
		d.policy = smtpclient.All
	}
	if c.in(2) {
		d.octets = max(d.octets, 1000)
		d.failAt = int64(c.from(1, int(d.octets)))
	}
	return d
}

// faults returns faults on the first connections of a run of n messages.
func (c chance) faults(n int) (faults []Fault, wait time.Duration) {
	for range pick(c, 0, 1, 1, 2, 3, 5) {
		f := Fault{Conn: pick(c, 1, 1, 2, c.from(1, 6)), Action: pick(c, Cut, Cut, Reset, Reset, Stall, StallReplies)}
		if c.in(60) {
			f.Reply, f.Instead = c.from(0, 4+3*n), c.in(50)
		} else {
			f.Message, f.Octets = c.from(1, n), int64(c.from(1, pick(c, 60, 300, 5000)))
		}
		f.Instead = f.Instead && f.Reply > 0
		if f.Action == Stall || f.Action == StallReplies {
			wait = impatience
		}
		faults = append(faults, f)
	}
	return faults, wait
}

// shape returns a random shape.
func (c chance) shape() Shape {
	var s Shape
	sizes := func() []int {
		var all []int
		for range c.from(1, 5) {
			all = append(all, pick(c, 1, 2, c.from(3, 50), c.from(50, 2000)))
		}
		return append(all, 4000)
	}
	if c.in(50) {
		s.Up = sizes()
	}
	if c.in(50) {
		s.Down = sizes()
	}
	if c.in(50) {
		s.Clump = c.from(2, 12)
	}
	return s
}

// describe returns the course without its messages.
func (c smtpCourse) describe() string {
	return fmt.Sprintf("sendAll %d, without %q, quirks %v, limits %v, per connection %v, at once %v, recipients %d, window %+v, nopipe %v, nochunk %v, %d messages, faults %v, shape %+v, deadline %v",
		c.sendAll, c.server.Without, c.server.Quirks, c.server.Limits, c.server.MessagesPerConnection, c.server.ConnectionsAtOnce,
		c.server.MaxRecipients, c.client.Window, c.client.NoPipelining, c.client.NoChunking, len(c.messages), c.faults, c.shape, c.deadline)
}

// Random schedules combine servers, messages, windows, connections and faults. Each is determined
// by its seed, which a failure names: -seed N.
func TestRandomSchedules(t *testing.T) {
	t.Parallel()
	first, last := uint64(1), *schedules
	if *oneSeed > 0 {
		first, last = *oneSeed, *oneSeed
	}
	sum, began := &outcomeTally{}, time.Now()
	courses := make(chan func(*Gate))
	var feeder sync.WaitGroup
	feeder.Go(func() {
		defer close(courses)
		for seed := first; seed <= last; seed++ {
			courses <- func(gate *Gate) {
				c := schedule(seed)
				c.gate = gate
				v, err := c.run()
				reportContradictions(t, fmt.Sprintf("-seed %d: %s", seed, c.describe()), v, err)
				sum.add(v)
			}
		}
	})
	runConcurrently(t, courses)
	feeder.Wait()
	sum.log(t, began)
	if *oneSeed > 0 {
		return
	}
	for _, status := range smtp.Statuses() {
		if sum.counts[status] == 0 {
			t.Errorf("no outcome was %q", status)
		}
	}
}
