//go:build linux

package durability

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli"
	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/outbox/sqlite"
	"github.com/yanmail/yan/internal/testing/pgtest"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtpclient"
)

// orders tells a child, another process of this test program, its task. They are in the
// environment, as JSON.
type orders struct {
	Role  string // enqueue; deliver; both, in this order
	Where string // the outbox: a path, or a URL
	// DieAt is the failpoint at which the child kills itself, the DieOn-th time that it gets there.
	DieAt string `json:",omitempty"`
	DieOn int    `json:",omitempty"`
	// Broken replaces a part: early acknowledges before it enqueues, unmarked marks nothing, local
	// can't use the account on its machine.
	Broken string `json:",omitempty"`

	// For enqueue: the number of letters, and of concurrent callers.
	Series           string `json:",omitempty"`
	Letters, Callers int    `json:",omitempty"`
	// Rounds is how often the child closes and reopens the outbox; each round enqueues Letters.
	Rounds int   `json:",omitempty"`
	Octets int64 `json:",omitempty"` // maximum; 0 varies
	// Recipients per letter; 0 varies.
	Recipients int `json:",omitempty"`

	// FileSize limits the size of every file once the outbox is open; 0 means no limit.
	FileSize uint64 `json:",omitempty"`

	// For the command: its arguments and environment.
	Args, Env []string `json:",omitempty"`

	// For deliver.
	Port  int           `json:",omitempty"`
	Lease time.Duration `json:",omitempty"`
}

const ordersVariable = "YAN_SURVIVAL_ORDERS"

func TestMain(m *testing.M) {
	if text := os.Getenv(ordersVariable); text != "" {
		var o orders
		err := json.Unmarshal([]byte(text), &o)
		if err == nil && o.Role == "yan" {
			os.Exit(cli.Run(context.Background(), o.Args, cli.SystemEnv()))
		}
		if err == nil {
			err = o.carryOut()
		}
		if err != nil {
			sayLine("error", strconv.Quote(err.Error()))
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(pgtest.Main(m))
}

// inlineBytes is small, so that bodies are stored in both ways.
const inlineBytes = 4 << 10

// openPlace opens an outbox that other processes have open, too.
func openPlace(ctx context.Context, where string, hook func(string)) (outbox.Store, error) {
	o := outbox.Options{MinFree: -1, InlineBytes: inlineBytes}
	if outbox.IsPostgres(where) {
		return postgres.OpenWith(ctx, where, o, postgres.TestSettings{Hook: hook})
	}
	return sqlite.OpenWith(ctx, where, o, sqlite.Harness{Hook: hook})
}

// sayLine writes a line to the parent. A write of this size is atomic.
func sayLine(words ...string) { _, _ = os.Stdout.WriteString(strings.Join(words, " ") + "\n") }

func (o orders) carryOut() error {
	// A child without a parent ends: its standard input is closed then.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	sayLine("alive")
	var came atomic.Int64
	store, err := openPlace(context.Background(), o.Where, func(point string) {
		if point == o.DieAt && int(came.Add(1)) == o.DieOn {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	if err != nil {
		return err
	}
	sayLine("open")
	if o.FileSize > 0 {
		if err := limitFiles(o.FileSize); err != nil {
			return err
		}
	}
	if o.Role == "deliver" {
		return o.deliver(store)
	}
	for round := 0; ; round++ {
		if err := o.enqueue(store, round*o.Letters); err != nil {
			return err
		}
		if round >= o.Rounds {
			break
		}
		if err := store.Close(); err != nil {
			return err
		}
		if store, err = openPlace(context.Background(), o.Where, nil); err != nil {
			return err
		}
	}
	sayLine("done")
	if o.Role == "both" {
		return o.deliver(store)
	}
	select {} // until it is killed
}

// enqueue enqueues letters with numbers after the given one, and reports each.
func (o orders) enqueue(store outbox.Store, behind int) error {
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make(chan error, o.Callers)
	for range o.Callers {
		group.Go(func() {
			for n := next.Add(1); n <= int64(o.Letters); n = next.Add(1) {
				if err := o.one(store, behind+int(n)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(errs)
	err := <-errs
	if errors.Is(err, queue.ErrUncertain) {
		// All callers may have shared the commit that failed. The next call is refused and reports
		// that.
		_ = o.one(store, behind+o.Letters+1)
	}
	return err
}

func (o orders) one(store outbox.Store, n int) error {
	recipients, octets := 1+rand.IntN(2), int64([]int{0, 500, 3000, 6000}[rand.IntN(4)])
	if o.Octets > 0 {
		octets = o.Octets
	}
	if o.Recipients > 0 {
		recipients = o.Recipients
	}
	letter := NewLetter(o.Series, n, recipients, octets)
	m, err := letter.New()
	if err != nil {
		return err
	}
	if o.Broken == "early" {
		sayLine("kept", string(letter), "0")
	}
	receipt, err := store.Enqueue(context.Background(), m)
	if err != nil {
		sayLine("refused", kindOf(err), strconv.Quote(err.Error()))
		return err
	}
	if o.Broken != "early" {
		sayLine("kept", string(letter), receipt.ID.String())
	}
	return nil
}

// deliver delivers until it is killed, and reports events.
func (o orders) deliver(store outbox.Store) error {
	if o.Broken == "unmarked" {
		store = unmarked{store}
	}
	route := accountWay{port: o.Port, connections: 2, window: smtpclient.Window{Messages: 4}}.route
	if o.Broken == "local" {
		route = func(context.Context, string) (delivery.Route, error) {
			return delivery.Route{}, errors.New("the password file is not on this machine")
		}
	}
	d := delivery.New(delivery.Options{
		Store: store, Lease: o.Lease, Route: route,
		Observe: func(e delivery.WorkerEvent) {
			sayLine("event", string(e.Kind))
			if e.Err != nil {
				sayLine("trouble", strconv.Quote(e.Err.Error()))
			}
		},
	})
	return d.Run(context.Background())
}

// childProcess is a running child process.
type childProcess struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	// lines are the lines that it writes; closed when no more will come.
	lines chan string
	// ended is closed when the process has ended.
	ended chan struct{}
}

// startChild starts a child. The caller reads lines until the channel is closed.
func startChild(o orders, wrap ...string) (*childProcess, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	argv := append(wrap, self, "-test.run=^$")
	c := &childProcess{command: exec.Command(argv[0], argv[1:]...), lines: make(chan string, 64), ended: make(chan struct{})}
	c.command.Env = append(append(os.Environ(), o.Env...), ordersVariable+"="+string(text))
	c.command.Stderr = os.Stderr
	out, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if c.stdin, err = c.command.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	go func() {
		defer close(c.ended)
		defer func() { _ = c.command.Wait() }() // it was killed on purpose
		defer close(c.lines)
		in := bufio.NewReader(out)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return // half a line is ignored
			}
			c.lines <- strings.TrimSuffix(line, "\n")
		}
	}()
	return c, nil
}

// signal sends a signal; a child that has ended is no error.
func (c *childProcess) signal(s os.Signal) { _ = c.command.Process.Signal(s) }
