package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The contenders next to our outbox in its rows.
const (
	bareDisk   = "append + fdatasync"
	onPostgres = "yan on PostgreSQL"
	postfixMTA = "Postfix"
	oneWorker  = "yan, 1 process"
)

const noOutbox = "it keeps no outbox"

// outboxRows returns the rows about the outbox: SQLite, unless stated otherwise.
func (c *course) outboxRows() []experiment {
	others := absentFor(noOutbox, gomailName, netsmtp, gosmtpName, nodemailer, smtpsource)
	row := func(id, name, unit string, higher bool) reportRow {
		return reportRow{ID: "outbox/" + id, Name: name, Unit: unit, Higher: higher}
	}
	shared := others // rows about an outbox that two processes share
	if c.noPostgres != nil {
		shared = mergeAbsent(others, absentFor(c.noPostgres.Error(), ours, oneWorker))
	}
	all := []experiment{}
	for _, callers := range []int{1, 32} {
		all = append(all, experiment{
			rows:   []reportRow{row(fmt.Sprintf("enqueue/%d", callers), fmt.Sprintf("durable enqueue of 5 kB, %d callers", callers), "messages/s", true)},
			guests: []string{onPostgres, bareDisk}, absent: others,
			measure: func(ctx context.Context, who string) ([]float64, error) { return c.enqueueRate(ctx, who, callers) },
		})
	}
	return append(all,
		experiment{rows: []reportRow{row("through", "enqueued, kept, marked, handed over to smtp-sink, 5 kB", "messages/s", true)},
			guests: []string{onPostgres, postfixMTA}, absent: others, measure: c.throughRate},
		experiment{rows: []reportRow{row("million/claim", "1 million queued: a claim of 256", "ms", false),
			row("million/list", "1 million queued: a page of 50", "ms", false),
			row("million/stats", "1 million queued: the counts", "ms", false),
			row("million/memory", "1 million queued: yan serve, sending 200 a second", "MB of memory at most", false)},
			guests: []string{onPostgres}, absent: others, measure: c.millionRow},
		experiment{rows: []reportRow{row("two", "two processes on one PostgreSQL, 4 connections each over a link of "+c.sizes.far.String()+", "+chunkless, "messages/s", true)},
			guests: []string{oneWorker}, absent: shared, measure: c.twoWorkers},
		experiment{rows: []reportRow{row("pace", "the pace that is set, kept by two processes: off by", "%", false)}, absent: shared, measure: c.pacedWorkers},
		experiment{rows: []reportRow{row("big", fmt.Sprintf("a message of %s enqueued and handed over", formatSize(c.sizes.small)), "MB of memory beyond a small one's", false)},
			guests: []string{onPostgres}, absent: others, measure: c.bigMemory},
	)
}

const chunkless = pipelining

// outbox returns an empty outbox for a contender, and a function that removes
// it.
func (c *course) outbox(ctx context.Context, who string) (where string, done func(), err error) {
	if who == onPostgres {
		if c.postgres == nil {
			return "", nil, fmt.Errorf("%s", c.noPostgres)
		}
		where, err = c.postgres.database(ctx)
		return where, func() {}, err
	}
	folder, err := os.MkdirTemp(c.folder, "outbox-")
	return filepath.Join(folder, "outbox.db"), func() { _ = os.RemoveAll(folder) }, err
}

// outboxProcess lets a new process carry out an order.
func outboxProcess(ctx context.Context, o outboxOrder) (a outboxAnswer, err error) {
	self, err := os.Executable()
	if err != nil {
		return a, err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return a, err
	}
	command := exec.CommandContext(ctx, self, asOutbox, string(text))
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		return a, fmt.Errorf("%s: %w: %s", o.Do, err, said.Bytes())
	}
	return a, json.Unmarshal(out, &a)
}

func (c *course) enqueueRate(ctx context.Context, who string, callers int) ([]float64, error) {
	o := outboxOrder{Do: "enqueue", Callers: callers, Seconds: c.sizes.loopback, Octets: 5000}
	if who == bareDisk {
		o.Do, o.Where = "sync", c.folder
	} else {
		where, done, err := c.outbox(ctx, who)
		if err != nil {
			return nil, err
		}
		defer done()
		o.Where = where
	}
	a, err := outboxProcess(ctx, o)
	return []float64{float64(a.Messages) / a.Seconds}, err
}

// throughRate measures messages enqueued and delivered per second.
func (c *course) throughRate(ctx context.Context, who string) ([]float64, error) {
	s := c.servers[postfixServer]
	if s == nil {
		s = c.servers[pipelining]
	}
	if who == postfixMTA {
		return c.throughPostfix(ctx, s)
	}
	where, done, err := c.outbox(ctx, who)
	if err != nil {
		return nil, err
	}
	defer done()
	a, err := outboxProcess(ctx, outboxOrder{Do: "through", Where: where, Callers: 32, Messages: c.sizes.through, Octets: 5000,
		Server: s.address(inClear), Connections: 4})
	if err != nil {
		return nil, err
	}
	if _, err := c.gatherArrivals(ctx, s, c.sizes.through); err != nil {
		return nil, err
	}
	return []float64{float64(a.Messages) / a.Seconds}, nil
}

// throughPostfix sends Postfix as many with its own smtp-source, over as many
// sessions as we have callers.
func (c *course) throughPostfix(ctx context.Context, s benchServer) ([]float64, error) {
	if c.relay == nil {
		return nil, fmt.Errorf("%s", c.noRelay)
	}
	source := c.tools[smtpsource]
	if source.Path == "" {
		return nil, fmt.Errorf("%s", source.Missing)
	}
	n := max(c.sizes.through/8, 200)
	command := source.command(ctx, "-d", "-M", "localhost", "-f", userName, "-t", "recipient@example.test",
		"-s", "32", "-m", fmt.Sprint(n), "-l", "5000", "-S", "a message", "inet:"+c.relay.where)
	var said bytes.Buffer
	command.Stderr = &said
	begun := time.Now()
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, said.Bytes())
	}
	for arrived := 0; arrived < n; {
		a, err := s.take()
		if err != nil {
			return nil, err
		}
		arrived += a.Count
		if time.Since(begun) > c.sizes.patience {
			return nil, fmt.Errorf("%d of %d messages came through", arrived, n)
		}
		if arrived < n {
			time.Sleep(5 * time.Millisecond)
		}
	}
	return []float64{float64(n) / time.Since(begun).Seconds()}, nil
}

// millionRow fills an outbox once for a run, and times operations on it in each
// round.
func (c *course) millionRow(ctx context.Context, who string) ([]float64, error) {
	where := c.filled[who]
	if where == "" {
		var err error
		if where, _, err = c.outbox(ctx, who); err != nil {
			return nil, err
		}
		if _, err := outboxProcess(ctx, outboxOrder{Do: "fill", Where: where, Messages: c.sizes.million, Octets: 500, Callers: 256}); err != nil {
			return nil, err
		}
		c.filled[who] = where
	}
	a, err := outboxProcess(ctx, outboxOrder{Do: "look", Where: where})
	if err != nil {
		return nil, err
	}
	peak, err := c.runServe(ctx, where)
	return append(a.Millis, float64(peak)/1e6), err
}

// runServe runs the released `yan serve` until some messages have arrived, and
// returns its peak memory.
func (c *course) runServe(ctx context.Context, where string) (peak int64, err error) {
	s := c.servers[pipelining]
	home := filepath.Join(c.folder, "home")
	if err := os.MkdirAll(filepath.Join(home, "yan"), 0o700); err != nil {
		return 0, err
	}
	config := fmt.Sprintf("[account.bench]\nfrom = %q\nserver = \"smtp+notls://%s\"\npace = \"200/s\"\n", userName, s.address(inClear))
	if err := os.WriteFile(filepath.Join(home, "yan", "config.toml"), []byte(config), 0o600); err != nil {
		return 0, err
	}
	command := exec.CommandContext(ctx, c.command, "serve", "--outbox", where, "--socket", filepath.Join(home, "socket"))
	command.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home)
	var said bytes.Buffer
	command.Stderr = &said
	if err := command.Start(); err != nil {
		return 0, err
	}
	want := min(c.sizes.million/20, 400)
	for arrived, begun := 0, time.Now(); arrived < want && err == nil; {
		var a arrivals
		if a, err = s.take(); err == nil && time.Since(begun) > c.sizes.patience {
			err = fmt.Errorf("yan serve sent %d messages: %s", arrived, said.Bytes())
		}
		arrived += a.Count
		time.Sleep(5 * time.Millisecond)
	}
	if err == nil {
		peak, err = peakResidentOf(fmt.Sprint(command.Process.Pid))
	}
	_ = command.Process.Signal(os.Interrupt)
	_ = command.Wait() // its messages have arrived
	_, takeErr := s.take()
	return peak, errors.Join(err, takeErr)
}

// runDeliverers runs several deliverers on the same outbox until n messages have
// arrived.
func (c *course) runDeliverers(ctx context.Context, processes, n, rate int, where, address string, s benchServer) (took time.Duration, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	text, err := json.Marshal(outboxOrder{Do: "deliver", Where: where, Server: address, Connections: 4, Rate: rate})
	if err != nil {
		return 0, err
	}
	var first, last time.Time
	for range processes {
		command := exec.CommandContext(ctx, self, asOutbox, string(text))
		command.Stderr = os.Stderr
		in, err := command.StdinPipe()
		if err != nil {
			return 0, err
		}
		if err := command.Start(); err != nil {
			return 0, err
		}
		defer func() {
			_ = in.Close()
			_ = command.Wait() // its output is not needed
		}()
	}
	// The clock runs from the first tenth to the last, to exclude the start.
	begin := n / 10
	for arrived, begun := 0, time.Now(); arrived < n; {
		a, err := s.take()
		if err != nil {
			return 0, err
		}
		arrived += a.Count
		if first.IsZero() && arrived >= begin {
			first, begin = time.Now(), arrived
		}
		last = time.Now()
		if time.Since(begun) > c.sizes.patience {
			return 0, fmt.Errorf("%d of %d messages arrived", arrived, n)
		}
		if arrived < n {
			time.Sleep(2 * time.Millisecond)
		}
	}
	return time.Duration(float64(last.Sub(first)) * float64(n) / float64(n-begin)), nil
}

func (c *course) twoWorkers(ctx context.Context, who string) ([]float64, error) {
	where, done, err := c.outbox(ctx, onPostgres)
	if err != nil {
		return nil, err
	}
	defer done()
	n := c.sizes.shared
	processes := 2
	if who == oneWorker {
		processes, n = 1, n/2
	}
	if _, err := outboxProcess(ctx, outboxOrder{Do: "fill", Where: where, Messages: n, Octets: 5000}); err != nil {
		return nil, err
	}
	s := c.servers[pipelining]
	l, err := startLink(s.address(inClear), c.sizes.far)
	if err != nil {
		return nil, err
	}
	defer l.close()
	took, err := c.runDeliverers(ctx, processes, n, 0, where, l.address(), s)
	return []float64{float64(n) / took.Seconds()}, err
}

func (c *course) pacedWorkers(ctx context.Context, _ string) ([]float64, error) {
	where, done, err := c.outbox(ctx, onPostgres)
	if err != nil {
		return nil, err
	}
	defer done()
	const rate = 50
	n := c.sizes.paced
	if _, err := outboxProcess(ctx, outboxOrder{Do: "fill", Where: where, Messages: n, Octets: 5000}); err != nil {
		return nil, err
	}
	s := c.servers[pipelining]
	took, err := c.runDeliverers(ctx, 2, n, rate, where, s.address(inClear), s)
	off := (float64(n)/took.Seconds()/rate - 1) * 100
	return []float64{max(off, -off)}, err
}

func (c *course) bigMemory(ctx context.Context, who string) ([]float64, error) {
	where, done, err := c.outbox(ctx, who)
	if err != nil {
		return nil, err
	}
	defer done()
	s := c.servers[pipelining]
	if err := s.reserve(int(c.sizes.small) + largeMessage); err != nil {
		return nil, err
	}
	a, err := outboxProcess(ctx, outboxOrder{Do: "big", Where: where, Octets: c.sizes.small, Server: s.address(inClear), Connections: 1})
	if err != nil {
		return nil, err
	}
	_, err = c.gatherArrivals(ctx, s, 2)
	return []float64{float64(a.Peak) / 1e6}, err
}
