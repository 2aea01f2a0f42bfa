package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// patience bounds the waits of a test. It is reached only if the test fails.
const patience = time.Minute

func receiveWithin[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("timeout waiting: %s", what)
		panic("unreachable")
	}
}

// manualClock is a clock that moves only when a test says so.
type manualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[time.Duration][]chan time.Time
	set    chan struct{} // closed and replaced when a timer is set
}

func newManualClock() *manualClock {
	return &manualClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), timers: map[time.Duration][]chan time.Time{}, set: make(chan struct{})}
}

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := make(chan time.Time, 1)
	c.timers[d] = append(c.timers[d], timer)
	close(c.set)
	c.set = make(chan struct{})
	return timer
}

// fire waits until a timer of duration d is set, and fires it.
func (c *manualClock) fire(t *testing.T, d time.Duration) {
	t.Helper()
	for {
		c.mu.Lock()
		set := c.set
		if waiting := c.timers[d]; len(waiting) > 0 {
			c.timers[d] = waiting[1:]
			c.now = c.now.Add(d)
			waiting[0] <- c.now
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		receiveWithin(t, set, "somebody who waits for "+d.String())
	}
}

// fakeStore is an outbox that implements only the methods that the daemon itself calls.
type fakeStore struct {
	accounts []queue.AccountStats
	ahead    time.Duration
	statsErr error
	outbox.Store
	mu     sync.Mutex
	woke   chan struct{}
	prune  func(outbox.Retention) (outbox.Pruned, error)
	pruned chan outbox.Retention
}

func newFakeStore() *fakeStore {
	return &fakeStore{woke: make(chan struct{}), pruned: make(chan outbox.Retention, 10)}
}

func (s *fakeStore) Wake() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.woke
}

func (s *fakeStore) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.woke)
	s.woke = make(chan struct{})
}

// Stats returns the accounts that the test has set.
func (s *fakeStore) Stats(context.Context) (queue.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return queue.Stats{Accounts: s.accounts, Ahead: s.ahead}, s.statsErr
}

func (s *fakeStore) setAccounts(accounts []queue.AccountStats) { s.accounts = accounts }
func (s *fakeStore) failStats(err error)                       { s.statsErr = err }

func (s *fakeStore) Join(context.Context, queue.Worker, time.Duration) error { return nil }

func (s *fakeStore) Prune(_ context.Context, r outbox.Retention) (outbox.Pruned, error) {
	s.pruned <- r
	s.mu.Lock()
	prune := s.prune
	s.mu.Unlock()
	if prune != nil {
		return prune(r)
	}
	return outbox.Pruned{}, nil
}

func (s *fakeStore) setPrune(prune func(outbox.Retention) (outbox.Pruned, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prune = prune
}

// fakeDelivery is a delivery that ends as the test says.
type fakeDelivery struct {
	o        delivery.Options
	running  chan struct{} // closed when Run is called
	told     chan struct{} // closed when Run was asked to end
	end      chan error    // the result of Run
	reloaded chan struct{}
	mu       sync.Mutex
	status   func() delivery.WorkerStatus
}

func newFakeDelivery() *fakeDelivery {
	return &fakeDelivery{running: make(chan struct{}), told: make(chan struct{}), end: make(chan error, 1), reloaded: make(chan struct{}, 10),
		status: func() delivery.WorkerStatus {
			return delivery.WorkerStatus{Joined: true, Accepting: true, Couriers: 2, InFlight: 7}
		}}
}

func (f *fakeDelivery) Run(ctx context.Context) error {
	if err := f.o.Store.Join(ctx, queue.Worker{}, f.o.Lease); err != nil {
		return err
	}
	close(f.running)
	select {
	case <-ctx.Done():
		close(f.told)
		return <-f.end
	case err := <-f.end:
		if err != nil && err.Error() == "panic" {
			panic("a recipient like alice@example.org")
		}
		return err
	}
}

func (f *fakeDelivery) Reload() { f.reloaded <- struct{}{} }

func (f *fakeDelivery) Status() delivery.WorkerStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status()
}

func (f *fakeDelivery) setStatus(status func() delivery.WorkerStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = status
}

// runningDaemon is a daemon started by a test.
type runningDaemon struct {
	*fakeDelivery
	store  *fakeStore
	clock  *manualClock
	socket string
	stop   context.CancelFunc
	ended  chan error
	log    *logBuffer
	info   Info
	client *Client
}

// logBuffer is a buffer that goroutines write and the test reads.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// shortTempDir creates a directory with a short path: a socket's path is bounded, and t.TempDir is too
// long on some systems.
func shortTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "yan")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

var errNoRoute = errors.New("no route in this test")

func oneAccount(context.Context) (Config, error) {
	return Config{Accounts: []string{"work"}, Route: func(context.Context, string) (delivery.Route, error) {
		return delivery.Route{}, errNoRoute
	}}, nil
}

// startDaemon runs a daemon and waits until its delivery runs and it is ready.
func startDaemon(t *testing.T, change func(*Options)) *runningDaemon {
	t.Helper()
	r := &runningDaemon{fakeDelivery: newFakeDelivery(), store: newFakeStore(), clock: newManualClock(), ended: make(chan error, 1), log: &logBuffer{},
		socket: filepath.Join(shortTempDir(t), "s.sock")}
	ready := make(chan Info, 1)
	o := Options{Store: r.store, Outbox: "/somewhere/outbox.db", Configure: oneAccount, Socket: r.socket, Version: "1.2.3",
		Log: NewLog(r.log, LogText, slog.LevelDebug), Ready: func(i Info) { ready <- i }, Now: r.clock.Now, After: r.clock.After,
		Deliver: func(d delivery.Options) Deliverer { r.o = d; return r.fakeDelivery }}
	if change != nil {
		change(&o)
	}
	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	go func() { r.ended <- Run(ctx, o) }()
	t.Cleanup(func() {
		stop()
		select {
		case r.end <- nil:
		default:
		}
	})
	select {
	case r.info = <-ready:
	case err := <-r.ended:
		t.Fatalf("Run ended at once: %v", err)
	case <-time.After(patience):
		t.Fatal("the daemon does not get ready")
	}
	receiveWithin(t, r.running, "the delivery runs")
	c, err := Dial(t.Context(), r.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	r.client = c
	return r
}

// systemdSocket is the receiver of notifications.
type systemdSocket struct {
	*net.UnixConn
	path string
}

func listenAsSystemd(t *testing.T) systemdSocket {
	t.Helper()
	path := filepath.Join(shortTempDir(t), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return systemdSocket{c, path}
}

// receiveLines returns the lines of the next datagram.
func (s systemdSocket) receiveLines(t *testing.T) []string {
	t.Helper()
	if err := s.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := s.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(buf[:n]), "\n")
}

func environmentOf(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}
