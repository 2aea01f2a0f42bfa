package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// outboxOrder is the task of a process for an outbox.
type outboxOrder struct {
	Do      string // one of outboxDeeds
	Where   string // path or URL of the outbox, or a directory
	Callers int
	Seconds float64
	// Messages is how many to enqueue, or to wait for; Octets the size of each.
	Messages int
	Octets   int64
	// Server and Connections are where and how to deliver; Rate is a pace in
	// messages a second, 0 for none.
	Server      string
	Connections int
	Rate        int
}

// outboxAnswer is the result.
type outboxAnswer struct {
	Messages int
	Seconds  float64
	Peak     int64 // octets of memory in addition to those at the beginning
	Millis   []float64
}

// runOutbox is the entry point of the other process.
func runOutbox(text string) error {
	var o outboxOrder
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	deeds := map[string]func(context.Context, outboxOrder) (outboxAnswer, error){
		"sync": syncDisk, "enqueue": enqueueFor, "fill": fillOutbox, "through": sendThrough, "deliver": deliverAll, "look": lookAt, "big": sendBig,
	}
	deed := deeds[o.Do]
	if deed == nil {
		return fmt.Errorf("nothing is called %q", o.Do)
	}
	a, err := deed(context.Background(), o)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(a)
}

// syncDisk repeatedly appends 4 kB and syncs: the disk's limit for one write at
// a time.
func syncDisk(_ context.Context, o outboxOrder) (outboxAnswer, error) {
	file, err := os.Create(filepath.Join(o.Where, "sync.bin"))
	if err != nil {
		return outboxAnswer{}, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	block := make([]byte, 4096)
	begun, n := time.Now(), 0
	for ; time.Since(begun).Seconds() < o.Seconds; n++ {
		if _, err := file.Write(block); err != nil {
			return outboxAnswer{}, err
		}
		if err := dataSync(file); err != nil {
			return outboxAnswer{}, err
		}
	}
	return outboxAnswer{Messages: n, Seconds: time.Since(begun).Seconds()}, nil
}

// testLetter is a message of a given size: a header, then lines of text.
type testLetter struct {
	serial int
	size   int64
}

func (l testLetter) Size() int64         { return l.size }
func (l testLetter) EightBit() bool      { return false }
func (l testLetter) NeedsSMTPUTF8() bool { return false }

func (l testLetter) id() string { return "<" + strconv.Itoa(l.serial) + "@bench.example.test>" }

func (l testLetter) WriteTo(w io.Writer) (int64, error) {
	head := "From: <" + userName + ">\r\nTo: <recipient@example.test>\r\nMessage-ID: " + l.id() +
		"\r\nSubject: message " + strconv.Itoa(l.serial) + "\r\n\r\n"
	n, err := io.WriteString(w, head)
	total := int64(n)
	line := strings.Repeat("The quick brown fox jumps over the lazy dog, and over the wall as well.\r\n", 100)
	for err == nil && total < l.size {
		rest := min(int64(len(line)), l.size-total)
		text := line[:rest]
		if rest == l.size-total && rest >= 2 {
			text = text[:rest-2] + "\r\n"
		}
		n, err = io.WriteString(w, text)
		total += int64(n)
	}
	return total, err
}

func (l testLetter) asNew(expires time.Time) (outbox.NewMessage, error) {
	from, err := smtp.ParseAddress(userName)
	if err != nil {
		return outbox.NewMessage{}, err
	}
	to, err := smtp.ParseAddress("recipient@example.test")
	if err != nil {
		return outbox.NewMessage{}, err
	}
	envelope, err := smtp.NewEnvelope(from, to)
	return outbox.NewMessage{Account: "bench", Envelope: envelope, MessageID: l.id(), Subject: "message " + strconv.Itoa(l.serial), Content: l, Expires: expires}, err
}

// enqueue runs concurrent callers, each enqueuing the next message when the
// last one is stored, until enough returns true.
func enqueue(ctx context.Context, store outbox.Enqueuer, callers int, octets int64, enough func(n int) bool) (int, error) {
	var next, kept atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, callers)
	for range callers {
		wg.Go(func() {
			for {
				serial := int(next.Add(1))
				if enough(serial) {
					return
				}
				m, err := testLetter{serial, octets}.asNew(time.Time{})
				if err == nil {
					_, err = store.Enqueue(ctx, m)
				}
				if err != nil {
					failed <- err
					return
				}
				kept.Add(1)
			}
		})
	}
	wg.Wait()
	close(failed)
	return int(kept.Load()), <-failed
}

func enqueueFor(ctx context.Context, o outboxOrder) (a outboxAnswer, err error) {
	store, err := stores.Open(ctx, o.Where, outbox.Options{})
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if _, err := enqueue(ctx, store, o.Callers, o.Octets, func(n int) bool { return n > 50*o.Callers }); err != nil {
		return a, err
	}
	begun := time.Now()
	a.Messages, err = enqueue(ctx, store, o.Callers, o.Octets, func(int) bool { return time.Since(begun).Seconds() >= o.Seconds })
	a.Seconds = time.Since(begun).Seconds()
	return a, err
}

func fillOutbox(ctx context.Context, o outboxOrder) (a outboxAnswer, err error) {
	store, err := stores.Open(ctx, o.Where, outbox.Options{})
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	begun := time.Now()
	a.Messages, err = enqueue(ctx, store, max(o.Callers, 64), o.Octets, func(n int) bool { return n > o.Messages })
	a.Seconds = time.Since(begun).Seconds()
	return a, err
}

// newDeliverer returns a worker like that of `yan serve`.
func newDeliverer(store outbox.Store, o outboxOrder, observe func(delivery.WorkerEvent)) *delivery.Delivery {
	return delivery.New(delivery.Options{Store: store, Observe: observe,
		Route: func(context.Context, string) (delivery.Route, error) {
			return delivery.Route{NoReport: true, Connections: o.Connections,
				Pace: outbox.Pace{Messages: o.Rate, Per: time.Second, Burst: 1, Slack: time.Second / time.Duration(4*max(o.Rate, 1))},
				Open: func(_ context.Context, connections int) (delivery.TransactionSender, error) {
					return transport.Open("smtp+notls://"+o.Server, transport.Options{MaxConnections: connections})
				}}, nil
		}})
}

// handedOver counts delivered messages, and signals when there are enough.
type handedOver struct {
	n    atomic.Int64
	want int64
	done chan struct{}
	once sync.Once
}

func (h *handedOver) observe(e delivery.WorkerEvent) {
	if e.Kind == delivery.Settled && e.State == queue.HandedOver && h.n.Add(1) >= h.want {
		h.once.Do(func() { close(h.done) })
	}
}

// sendThrough enqueues and delivers at the same time, and stops the clock when
// all messages are handed over.
func sendThrough(ctx context.Context, o outboxOrder) (a outboxAnswer, err error) {
	store, err := stores.Open(ctx, o.Where, outbox.Options{})
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	h := &handedOver{want: int64(o.Messages), done: make(chan struct{})}
	working, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	begun := time.Now()
	go func() { ended <- newDeliverer(store, o, h.observe).Run(working) }()
	if _, err = enqueue(ctx, store, o.Callers, o.Octets, func(n int) bool { return n > o.Messages }); err == nil {
		select {
		case <-h.done:
		case err := <-ended:
			return a, fmt.Errorf("the delivery ended: %w", err)
		case <-time.After(2 * time.Minute):
			err = fmt.Errorf("%d of %d messages were handed over", h.n.Load(), o.Messages)
		}
	}
	a.Messages, a.Seconds = int(h.n.Load()), time.Since(begun).Seconds()
	stop()
	return a, errors.Join(err, <-ended)
}

// deliverAll runs one worker, which ends when its standard input does.
func deliverAll(ctx context.Context, o outboxOrder) (a outboxAnswer, err error) {
	store, err := stores.Open(ctx, o.Where, outbox.Options{})
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	h := &handedOver{want: 1 << 60, done: make(chan struct{})}
	working, stop := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // only its end counts
		stop()
	}()
	begun := time.Now()
	err = newDeliverer(store, o, h.observe).Run(working)
	return outboxAnswer{Messages: int(h.n.Load()), Seconds: time.Since(begun).Seconds()}, err
}

// lookAt times the usual operations on a long queue: a claim of 256 and its
// return, a page of the list, the counts.
func lookAt(ctx context.Context, o outboxOrder) (a outboxAnswer, err error) {
	store, err := stores.Open(ctx, o.Where, outbox.Options{})
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	const owner = "bench"
	if err := store.Join(ctx, queue.Worker{Owner: owner, Host: "localhost", PID: os.Getpid()}, time.Minute); err != nil {
		return a, err
	}
	claim := func() error {
		batch, err := store.Claim(ctx, outbox.Claim{Owner: owner, Account: "bench", Recipients: 256, Bytes: 4 << 20})
		if err == nil && len(batch.Items) != 256 {
			err = fmt.Errorf("claimed %d", len(batch.Items))
		}
		return err
	}
	list := func() error {
		page, err := store.List(ctx, queue.Filter{})
		if err == nil && len(page.Entries) != 50 {
			err = fmt.Errorf("a page of %d", len(page.Entries))
		}
		return err
	}
	stats := func() error { _, err := store.Stats(ctx); return err }
	for _, do := range []func() error{claim, list, stats} {
		var times []float64
		for range 5 {
			begun := time.Now()
			if err := do(); err != nil {
				return a, err
			}
			times = append(times, float64(time.Since(begun).Microseconds())/1000)
		}
		a.Millis = append(a.Millis, newFigure(times).Median)
	}
	return a, store.Leave(ctx, owner)
}

// sendBig enqueues one large message and delivers it; the result is the memory
// that this takes beyond the same with a small one.
func sendBig(ctx context.Context, o outboxOrder) (a outboxAnswer, err error) {
	large := o.Octets
	o.Octets, o.Messages, o.Callers = 5000, 1, 1
	if _, err = sendThrough(ctx, o); err != nil {
		return a, err
	}
	before, err := peakResident()
	if err != nil {
		return a, err
	}
	o.Octets = large
	if a, err = sendThrough(ctx, o); err != nil {
		return a, err
	}
	after, err := peakResident()
	a.Peak = after - before
	return a, err
}
