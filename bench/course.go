package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// The extensions that matter for a client.
const (
	pipelining = "PIPELINING"
	chunking   = "CHUNKING" // and PIPELINING
)

// sizes are the amounts of a run.
type sizes struct {
	loopback   float64       // seconds of sending on loopback per contender
	link       float64       // seconds of sending over a link
	run        int           // messages of a run whose round trips are counted
	waiting    int           // the same for contenders that wait for each message: more would not change the figure
	long       time.Duration // round trip of the link for counting
	far        time.Duration // round trip of the other links
	near       int           // repetitions of the time without a link
	small      int64         // octets of the attachment for measuring memory
	large      int64         // octets of the attachment for measuring speed too
	starts     int           // runs of a command for one figure
	recipients int           // of a message to many
	through    int           // messages that go through an outbox
	million    int           // messages waiting in one
	shared     int           // messages that two processes share
	paced      int           // messages that they send at a pace
	yardstick  int64         // octets that are hashed to see how fast the machine is
	patience   time.Duration // time limit for one figure of one contender
}

// fullSizes are those of the published figures, quickSizes those of the tests.
func fullSizes() sizes {
	return sizes{loopback: 1, link: 1.5, run: 100, waiting: 4, long: 100 * time.Millisecond, far: 40 * time.Millisecond, near: 3,
		small: 50e6, large: 1e9, starts: 20, recipients: 50, patience: 5 * time.Minute,
		yardstick: 1e9, through: 20_000, million: 1_000_000, shared: 2000, paced: 500}
}

func quickSizes() sizes {
	return sizes{loopback: .05, link: .05, run: 10, waiting: 2, long: 20 * time.Millisecond, far: 10 * time.Millisecond, near: 1,
		small: 300e3, large: 3e6, starts: 2, recipients: 5, patience: time.Minute,
		yardstick: 1e6, through: 300, million: 2000, shared: 200, paced: 100}
}

// course is the environment of all measurements.
type course struct {
	sizes   sizes
	tools   tools
	folder  string // for the files of the run
	servers map[string]benchServer
	workers map[string]*senderProcess // those that live as long as the course
	serial  int                       // makes the subjects differ
	command string                    // path of yan
	// The server for measuring the outbox, or why there is none.
	postgres   *postgresServer
	noPostgres error
	relay      *relay
	noRelay    error
	holder     *relay // takes messages and delivers none
	noHolder   error
	filled     map[string]string // outboxes with a long queue
}

const postfixServer = "smtp-sink"

func newCourse(ctx context.Context, folder string, sizes sizes) (*course, error) {
	c := &course{sizes: sizes, folder: folder, servers: map[string]benchServer{}, workers: map[string]*senderProcess{}, filled: map[string]string{}}
	var err error
	if c.tools, err = findTools(ctx); err != nil {
		return nil, err
	}
	if err := makeCertificate(folder); err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	for path, size := range map[string]int64{c.attachment("small"): sizes.small, c.attachment("large"): sizes.large} {
		if err := writeAttachment(path, size); err != nil {
			return nil, fmt.Errorf("write an attachment: %w", err)
		}
	}
	if c.command, err = buildCommand(ctx, folder); err != nil {
		return nil, err
	}
	for _, extension := range []string{pipelining, chunking} {
		if c.servers[extension], err = startSinkProcess(extension, folder); err != nil {
			c.close()
			return nil, err
		}
	}
	if t := c.tools[postfixServer]; t.Path != "" {
		s, err := startPostfixSink(ctx, t)
		if err != nil {
			c.tools[postfixServer] = tool{Missing: err.Error()}
		} else {
			c.servers[postfixServer] = s
		}
	}
	c.postgres, c.noPostgres = startPostgres(ctx, folder)
	if s := c.servers[postfixServer]; s != nil {
		c.relay, c.noRelay = startRelay(ctx, folder, s.address(inClear), "")
	} else {
		c.noRelay = errors.New("no smtp-sink to relay to")
	}
	c.holder, c.noHolder = startHolder(ctx, folder)
	return c, nil
}

func (c *course) attachment(name string) string { return filepath.Join(c.folder, name+".bin") }

func (c *course) close() {
	for _, w := range c.workers {
		w.close()
	}
	for _, r := range []*relay{c.relay, c.holder} {
		if r != nil {
			r.close()
		}
	}
	if c.postgres != nil {
		c.postgres.close()
	}
	for _, s := range c.servers {
		if s != nil {
			s.close()
		}
	}
}

// missingReason returns why a contender can't be measured at all; "" if it can.
func (c *course) missingReason(who string) string {
	switch {
	case who == onPostgres && c.noPostgres != nil:
		return c.noPostgres.Error()
	case who == postfixMTA && c.noRelay != nil:
		return c.noRelay.Error()
	}
	needs := map[string]string{nodemailer: nodemailer, smtpsource: smtpsource, curl: curl, msmtp: msmtp, rawOpenSSL: "openssl", nullmailer: nullmailer, mailpitRelay: mailpit}[who]
	if needs == "" {
		return ""
	}
	return c.tools[needs].Missing
}

// worker returns the long-lived process of a contender.
func (c *course) worker(ctx context.Context, who string) (*senderProcess, error) {
	if w := c.workers[who]; w != nil {
		return w, nil
	}
	w, err := startWorker(ctx, who, c.tools)
	if err == nil {
		c.workers[who] = w
	}
	return w, err
}

// dismissWorker ends the process of a contender that failed.
func (c *course) dismissWorker(who string) {
	if w := c.workers[who]; w != nil {
		_ = w.command.Process.Kill()
		w.close()
		delete(c.workers, who)
	}
}

// newOrder returns an order of messages with new subjects.
func (c *course) newOrder(least, most int, seconds float64) order {
	o := order{First: c.serial + 1, Min: least, Max: most, Seconds: seconds, Recipients: 1, Text: fiveKilobytes()}
	c.serial += most
	return o
}

func fiveKilobytes() string {
	return strings.Repeat("The quick brown fox jumps over the lazy dog, and over the wall as well.\r\n", 68)
}

// trip is one route to a server.
type trip struct {
	server      string // by name
	security    protection
	roundTrip   time.Duration // 0 for loopback
	connections int
	all         bool
}

// errArrival reports a message that did not arrive, or arrived changed: such a
// contender gets no figure.
var errArrival = errors.New("what arrived is not what was sent")

// send lets a contender carry out orders on one trip, and checks the received
// messages. Each order is timed by itself; the first is usually discarded,
// because it opens the connections.
func (c *course) send(ctx context.Context, who string, t trip, orders ...order) ([]workerAnswer, error) {
	w, err := c.worker(ctx, who)
	if err != nil {
		return nil, err
	}
	return c.sendBy(ctx, w, t, destination{}, orders...)
}

// sendBy is send with a given process and place.
func (c *course) sendBy(ctx context.Context, w *senderProcess, t trip, p destination, orders ...order) (answers []workerAnswer, err error) {
	s := c.servers[t.server]
	var done func()
	if p.Address, done, err = c.addressFor(s, t); err != nil {
		return nil, err
	}
	defer done()
	p.Security, p.Connections, p.All, p.CA = t.security, max(1, t.connections), t.all, authorityFile(c.folder)
	if _, err := w.ask(request{Do: "open", Place: p}); err != nil {
		return nil, err
	}
	if _, err := w.ask(request{Do: "connect"}); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	for _, o := range orders {
		a, err := w.ask(request{Do: "send", Order: o})
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	if _, err := w.ask(request{Do: "disconnect"}); err != nil {
		return nil, err
	}
	sent := 0
	for _, a := range answers {
		sent += a.Sent + a.Beside
	}
	arrived, err := c.gatherArrivals(ctx, s, sent)
	if err != nil {
		return nil, err
	}
	return answers, checkAnswers(w.name, s, arrived, orders, answers)
}

// gatherArrivals collects received messages until the expected number is there and no
// connection is open. Messages are complete when their sender says so, but a
// QUIT may still be on its way, and so may the counters of Postfix's sink.
func (c *course) gatherArrivals(ctx context.Context, s benchServer, messages int) (arrivals, error) {
	var all arrivals
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for begun := time.Now(); time.Since(begun) < 10*time.Second; {
		a, err := s.take()
		if err != nil {
			return all, err
		}
		all.Messages, all.Count = append(all.Messages, a.Messages...), all.Count+a.Count
		all.Connections = append(all.Connections, a.Connections...)
		if a.Open == 0 && all.Count >= messages {
			return all, nil
		}
		select {
		case <-ctx.Done():
			return all, context.Cause(ctx)
		case <-pause.C:
		}
	}
	return all, fmt.Errorf("%w: %d of %d messages arrived, or a connection stays open", errArrival, all.Count, messages)
}

// addressFor returns the address of a server, through a link if the trip has one.
func (c *course) addressFor(s benchServer, t trip) (address string, done func(), err error) {
	address = s.address(t.security)
	if t.roundTrip == 0 {
		return address, func() {}, nil
	}
	l, err := startLink(address, t.roundTrip)
	if err != nil {
		return "", nil, err
	}
	return l.address(), l.close, nil
}

// checkAnswers compares a contender's report with the received messages.
func checkAnswers(who string, s benchServer, arrived arrivals, orders []order, answers []workerAnswer) error {
	var sent []mail
	total := 0
	for i, a := range answers {
		total += a.Sent + a.Beside
		for n := range a.Sent {
			sent = append(sent, orders[i].mail(orders[i].First+n))
		}
	}
	if arrived.Count != total {
		return fmt.Errorf("%w: %d messages arrived, %d were sent", errArrival, arrived.Count, total)
	}
	if s.counts() || who == smtpsource || who == bare {
		return nil // that server only counts, and these contenders compose nothing
	}
	if who == rawGo || who == rawOpenSSL {
		for i := range arrived.Messages {
			arrived.Messages[i].Subject = sent[i].subject // theirs was prepared once for all orders
		}
	}
	if err := checkArrivals(arrived.Messages, sent); err != nil {
		return fmt.Errorf("%w: %w", errArrival, err)
	}
	return nil
}

// forgetArrivals discards the messages that a failed contender left in the servers.
func (c *course) forgetArrivals() error {
	for _, s := range c.servers {
		if _, err := s.take(); err != nil && !strings.Contains(err.Error(), "sink:") {
			return err // other than how the conversation ended
		}
	}
	return nil
}
