//go:build linux

package durability

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/internal/testing/faultproxy"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// shortLease is the lease of workers that are killed, so that their messages are soon free.
const shortLease = 400 * time.Millisecond

// battle is an outbox whose processes are killed.
type battle struct {
	where      string
	failpoints []string
	line       *serverLine
	series     atomic.Int64

	mu    sync.Mutex
	kept  map[Letter]queue.ID
	kills map[string]int // by cause
	stops int
	said  map[string]int // by the first words of the children's lines
}

func newBattle(where string, failpoints []string, faults ...sandbox.Fault) (*battle, error) {
	b := &battle{where: where, failpoints: failpoints, kept: map[Letter]queue.ID{}, kills: map[string]int{}, said: map[string]int{}}
	var err error
	b.line, err = newServerLine(sandbox.Config{Faults: faults}, faultproxy.Config{}, nil)
	return b, err
}

// poisonFaults returns replies inside transactions that may concern the whole account, each the given
// number of times.
func poisonFaults(times int) []sandbox.Fault {
	var faults []sandbox.Fault
	for _, f := range []sandbox.Fault{
		{Stage: smtp.StageRcpt, Code: 421, Text: "Closing connection"},
		{Stage: smtp.StageRcpt, Code: 554, Text: "Relay access denied"},
		{Stage: smtp.StageMail, Code: 421, Text: "Try again later"},
		{Stage: smtp.StageBody, Code: 421, Text: "Try again later"},
	} {
		f.Action, f.Times = sandbox.Reply, max(times, 1)
		faults = append(faults, f)
	}
	return faults
}

// goOn makes deferred recipients due and ends pauses that a server asked for, so that no test waits
// for minutes. It does not end pauses caused by a fault of a worker's own machine.
func goOn(ctx context.Context, store outbox.Store, stats queue.Stats) error {
	for _, a := range stats.Accounts {
		if a.PausedFor > 0 && !a.PauseAnswer.Reply.IsZero() {
			if err := store.Resume(ctx, a.Account); err != nil {
				return err
			}
		}
	}
	_, err := store.Change(ctx, outbox.Change{Verb: queue.Retry, Filter: queue.Filter{States: []queue.State{queue.Deferred}}})
	return err
}

func (b *battle) evidence() Evidence {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Evidence{Acknowledged: maps.Clone(b.kept), Ledger: b.line.ledger}
}

// heard processes a line from a child.
func (b *battle) heard(line string) error {
	words := strings.SplitN(line, " ", 3)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch words[0] {
	case "kept":
		id, err := strconv.ParseInt(words[2], 10, 64)
		if err != nil {
			return fmt.Errorf("a child says %q", line)
		}
		b.kept[Letter(words[1])] = queue.ID(id)
	case "event":
		b.said[words[1]]++
	case "trouble":
		b.said[line]++
	case "refused":
		b.said[strings.Join(words[:2], " ")]++
	case "error":
		return fmt.Errorf("a child reports an error: %s", line)
	}
	return nil
}

// died counts a kill by its cause.
func (b *battle) died(of string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kills[of]++
}

func (b *battle) killed() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, k := range b.kills {
		n += k
	}
	return n
}

// fate says when a child is killed: after a number of lines that count, after a delay from its
// start or from those lines, or when done is closed; whichever comes first.
type fate struct {
	name  string
	lines int
	delay time.Duration
	when  <-chan struct{}
	// stop stops the child at that point (SIGSTOP) for longer than its lease, continues it, and
	// kills it some time later.
	stop bool
}

// lead starts a child, reads its lines, and kills it as its fate says.
func (b *battle) lead(o orders, f fate) error {
	c, err := startChild(o)
	if err != nil {
		return err
	}
	defer func() {
		c.signal(syscall.SIGKILL)
		for range c.lines { // until it has ended
		}
		<-c.ended
		_ = c.stdin.Close()
	}()
	f.name, err = b.watch(c, o, f)
	if err != nil || f.name == "" {
		return err
	}
	c.signal(syscall.SIGKILL)
	for line := range c.lines { // lines from before its end
		if err := b.heard(line); err != nil {
			return err
		}
	}
	b.died(f.name)
	return nil
}

// watch returns when a child is to be killed, with the cause; "" if it has ended by itself.
func (b *battle) watch(c *childProcess, o orders, f fate) (of string, err error) {
	var due <-chan time.Time
	if f.lines == 0 && f.when == nil && o.DieAt == "" {
		due = time.After(f.delay)
	}
	limit := time.After(2 * time.Second) // a child without work does not reach its fate
	for count := 0; ; {
		select {
		case line, alive := <-c.lines:
			if !alive {
				b.died(f.name)
				return "", nil
			}
			if err := b.heard(line); err != nil {
				return "", err
			}
			if strings.HasPrefix(line, "kept") || strings.HasPrefix(line, "event") {
				count++
			}
			if f.lines > 0 && count == f.lines {
				due = time.After(f.delay)
			}
		case <-f.when:
			f.when, due = nil, time.After(f.delay)
		case <-limit:
			return "idleness", nil
		case <-due:
			if !f.stop {
				return f.name, nil
			}
			b.pause(c)
			f.name, f.stop, f.lines = "stopped, and then killed", false, 0
			limit, due = nil, time.After(300*time.Millisecond)
		}
	}
}

// pause stops a child for longer than its lease.
func (b *battle) pause(c *childProcess) {
	b.mu.Lock()
	b.stops++
	b.mu.Unlock()
	c.signal(syscall.SIGSTOP)
	<-time.After(shortLease * 5 / 2)
	c.signal(syscall.SIGCONT)
}

// enqueuer starts a child that enqueues letters, and kills it.
func (b *battle) enqueuer() error {
	o := orders{Role: "enqueue", Where: b.where, Series: fmt.Sprintf("k%d", b.series.Add(1)), Letters: 24, Callers: 1 + rand.IntN(6)}
	f := fate{name: "an acknowledgement", lines: 1 + rand.IntN(20), delay: time.Duration(rand.IntN(3000)) * time.Microsecond}
	switch rand.IntN(4) {
	case 0:
		f = fate{name: "time, enqueuing", delay: time.Duration(rand.IntN(80)) * time.Millisecond}
	case 1:
		point := b.failpoints[rand.IntN(len(b.failpoints))]
		o.DieAt, o.DieOn = point, 1+rand.IntN(6)
		f = fate{name: "failpoint " + point}
	}
	return b.lead(o, f)
}

// courier starts a child that delivers, and kills it.
func (b *battle) courier(ctx context.Context) error {
	o := orders{Role: "deliver", Where: b.where, Lease: shortLease}
	var faults []faultproxy.Fault
	var f fate
	switch rand.IntN(6) {
	case 5:
		o.Broken = "local"
		f = fate{name: "a fault of its own machine", delay: time.Duration(rand.IntN(300)) * time.Millisecond}
	case 0:
		f = fate{name: "time, delivering", delay: time.Duration(rand.IntN(200)) * time.Millisecond}
	case 1:
		point := b.failpoints[rand.IntN(len(b.failpoints))]
		o.DieAt, o.DieOn = point, 1+rand.IntN(25)
		f = fate{name: "failpoint " + point}
	case 2:
		f = fate{name: "an event", lines: 1 + rand.IntN(30), delay: time.Duration(rand.IntN(3000)) * time.Microsecond}
	case 3:
		f = fate{name: "an event", lines: 1 + rand.IntN(30), delay: time.Duration(rand.IntN(3000)) * time.Microsecond, stop: true}
	case 4:
		// It dies after the last octet and before the reply, or near there.
		fault := faultproxy.Fault{Conn: 1, Action: faultproxy.StallReplies, Message: 1 + rand.IntN(6), Octets: int64(1 + rand.IntN(60))}
		if rand.IntN(2) == 0 {
			fault = faultproxy.Fault{Conn: 1, Action: faultproxy.StallReplies, Reply: 3 + rand.IntN(20), Instead: true}
		}
		faults = append(faults, fault)
		f = fate{name: "silence of the server", delay: time.Duration(rand.IntN(3000)) * time.Microsecond}
	}
	proxy, err := faultproxy.Start(faultproxy.Config{Serve: b.line.server.Serve, Faults: faults})
	if err != nil {
		return err
	}
	o.Port = proxy.Port()
	gone := make(chan struct{})
	if len(faults) > 0 {
		f.when = faultActed(proxy, gone)
	}
	err = b.lead(o, f)
	close(gone)
	if finish := proxy.Finish(ctx); err == nil {
		err = finish
	}
	return err
}

// faultActed returns a channel that is closed when a fault has happened.
func faultActed(proxy *faultproxy.Proxy, gone <-chan struct{}) <-chan struct{} {
	happened := make(chan struct{})
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-gone:
				return
			case <-tick.C:
				if proxy.Acted() > 0 {
					close(happened)
					return
				}
			}
		}
	}()
	return happened
}

// rage kills the given number of children, several at a time.
func (b *battle) rage(ctx context.Context, kills int) error {
	errs := make(chan error, 16)
	var group sync.WaitGroup
	for i := range 5 {
		group.Go(func() {
			for b.killed() < kills && ctx.Err() == nil {
				var err error
				if i < 2 {
					err = b.enqueuer()
				} else {
					err = b.courier(ctx)
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(errs)
	return <-errs
}

// settle drains the outbox with a last worker, which is not killed. until says when the outbox is
// drained.
func (b *battle) settle(ctx context.Context, doubt delivery.DoubtPolicy, until func(map[queue.State]int) bool) error {
	store, err := openPlace(ctx, b.where, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	var ahead atomic.Int64 // of the worker's clock
	proxy, err := faultproxy.Start(faultproxy.Config{Serve: b.line.server.Serve})
	if err != nil {
		return err
	}
	d := delivery.New(delivery.Options{Store: store, Lease: shortLease,
		Now:   func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		Route: accountWay{port: proxy.Port(), connections: 2, doubt: doubt}.route})
	run, end := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- d.Run(run) }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var stats queue.Stats
	for enough := false; !enough && err == nil; {
		select {
		case <-tick.C:
			ahead.Add(int64(2 * time.Minute)) // so that recipients in doubt are resolved
			if stats, err = store.Stats(ctx); err == nil {
				enough = until(countStates(stats)) && len(stats.Workers) == 1
				err = goOn(ctx, store, stats)
			}
		case <-ctx.Done():
			err = fmt.Errorf("the outbox is not drained: %+v", stats)
		}
	}
	end()
	if ended := <-ran; err == nil {
		err = ended
	}
	if finish := proxy.Finish(ctx); err == nil {
		err = finish
	}
	return err
}

func countStates(s queue.Stats) map[queue.State]int {
	all := map[queue.State]int{}
	for _, a := range s.Accounts {
		for state, n := range a.Count {
			all[state] += n
		}
	}
	return all
}

// drained reports that no recipient waits or is being sent to.
func drained(n map[queue.State]int) bool {
	return n[queue.Queued]+n[queue.Deferred]+n[queue.Leased]+n[queue.Sending] == 0
}

// report returns the counts of the battle.
func (b *battle) report() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var s strings.Builder
	total := 0
	for _, of := range slices.Sorted(maps.Keys(b.kills)) {
		fmt.Fprintf(&s, "\n  %4d killed by %s", b.kills[of], of)
		total += b.kills[of]
	}
	for _, what := range slices.Sorted(maps.Keys(b.said)) {
		fmt.Fprintf(&s, "\n  %4d times %s", b.said[what], what)
	}
	return fmt.Sprintf("%d kills, %d stopped past their lease%s", total, b.stops, s.String())
}
