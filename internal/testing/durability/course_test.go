package durability

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/internal/testing/faultproxy"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtpclient"
)

// sendMode is how letters are sent.
type sendMode struct {
	name    string
	without []string
	window  smtpclient.Window
	letters int
}

func modes() []sendMode {
	return []sendMode{
		{name: "lock-step", without: []string{"PIPELINING", "CHUNKING"}, letters: 4},
		{name: "DATA", without: []string{"CHUNKING"}, letters: 5},
		{name: "BDAT", window: smtpclient.Window{Messages: 1}, letters: 4},
		// Enough letters that some are marked ahead of their turn.
		{name: "BDAT, window", window: smtpclient.Window{Messages: 8}, letters: 40},
	}
}

// outboxCourse is an outbox that is drained over a line with faults, and drained again when the line
// works.
type outboxCourse struct {
	sendMode
	letters []Letter
	faults  []faultproxy.Fault
	// wait is the client's timeout, 0 for a long one. release ends stalls after that time; 0 ends
	// them after the client's timeout.
	wait, release time.Duration
	doubt         delivery.DoubtPolicy
	firm          bool // the letters expire after a day
	connections   int
	open          func(clock *outboxtest.Clock) (outbox.Store, error)
	gate          *faultproxy.Gate
	// server configures the server's replies.
	server sandbox.Config
}

// outboxVerdict is the result of a course.
type outboxVerdict struct {
	during, after Tally
	wrong         []string
	seen          []faultproxy.Seen
	acted         int
	ahead         int // most recipients marked in one commit
	transcript    string
}

// scene is a course in progress: the letters are in the outbox and the line is open.
type scene struct {
	outboxCourse
	store    outbox.Store
	clock    *outboxtest.Clock
	line     *serverLine
	evidence Evidence
}

// begin starts the course. The caller closes the scene.
func (c outboxCourse) begin(ctx context.Context) (*scene, error) {
	s := &scene{outboxCourse: c, clock: outboxtest.NewClock()}
	var err error
	if s.store, err = c.open(s.clock); err != nil {
		return nil, err
	}
	s.evidence = Evidence{Acknowledged: map[Letter]queue.ID{}, Resends: c.doubt == delivery.RetryDoubt}
	if err := s.enqueue(ctx); err != nil {
		return nil, errors.Join(err, s.store.Close())
	}
	cfg := c.server
	cfg.Without = append(slices.Clone(cfg.Without), c.without...)
	if s.line, err = newServerLine(cfg, faultproxy.Config{Gate: c.gate, Faults: c.faults}, nil); err != nil {
		return nil, errors.Join(err, s.store.Close())
	}
	s.evidence.Ledger = s.line.ledger
	return s, nil
}

func (s *scene) enqueue(ctx context.Context) error {
	for _, letter := range s.letters {
		m, err := letter.New()
		if err != nil {
			return err
		}
		if s.firm {
			m.Expires = s.clock.Now().Add(24 * time.Hour)
		}
		receipt, err := s.store.Enqueue(ctx, m)
		if err != nil {
			return err
		}
		s.evidence.Acknowledged[letter] = receipt.ID
	}
	return nil
}

func (s *scene) close() {
	s.line.close()
	_ = s.store.Close() // its content does not matter any more
}

// run carries the course out.
func (c outboxCourse) run() (v outboxVerdict, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := c.begin(ctx)
	if err != nil {
		return v, err
	}
	defer func() {
		s.close()
		v.seen, v.acted, v.transcript = s.line.proxy.Seen(), s.line.proxy.Acted(), s.line.proxy.Transcript()
	}()
	w := s.worker(&v)
	if err := w.drain(ctx); err != nil {
		return v, err
	}
	return v, s.examine(ctx, &v, w)
}

// examine compares the outbox with the server, repairs the line, drains and compares again: all
// recipients that are not in doubt are sent to now, and those in doubt if the policy says so.
func (s *scene) examine(ctx context.Context, v *outboxVerdict, w *courseWorker) (err error) {
	s.line.proxy.Release()
	if err := s.line.quiet(ctx); err != nil {
		return err
	}
	if v.during, v.wrong, err = Examine(ctx, s.store, s.evidence); err != nil || len(v.wrong) > 0 {
		return err
	}
	for range 8 {
		s.clock.Advance(5 * time.Hour)
		if err := w.drain(ctx); err != nil {
			return err
		}
	}
	if err := s.line.quiet(ctx); err != nil {
		return err
	}
	if v.after, v.wrong, err = Examine(ctx, s.store, s.evidence); err != nil {
		return err
	}
	if v.after.Pending > 0 || v.after.InDoubt > 0 && s.doubt == delivery.RetryDoubt {
		v.wrong = append(v.wrong, "the line is mended, and yet: "+v.after.String())
	}
	return nil
}

// courseWorker drains the outbox of a scene.
type courseWorker struct {
	*scene
	store outbox.Store // as the worker sees it
	v     *outboxVerdict
	d     *delivery.Delivery
}

func (s *scene) worker(v *outboxVerdict) *courseWorker {
	return &courseWorker{scene: s, store: s.store, v: v}
}

// begin creates the Delivery.
func (w *courseWorker) begin() {
	began, p := time.Now(), &fakePace{}
	w.d = delivery.New(delivery.Options{
		Store: pacedMarks{w.store, p}, Measure: p.now,
		Route: accountWay{port: w.line.proxy.Port(), connections: w.connections, window: w.window, wait: w.wait, doubt: w.doubt}.route,
		// Time passes for the worker; for the store it passes as the test says.
		Now: func() time.Time { return w.clock.Now().Add(time.Since(began)) },
		Observe: func(e delivery.WorkerEvent) {
			if e.Kind == delivery.Marked {
				w.line.mu.Lock()
				defer w.line.mu.Unlock()
				w.v.ahead = max(w.v.ahead, e.Count)
			}
		},
	})
}

func (w *courseWorker) drain(ctx context.Context) error {
	if w.d == nil {
		w.begin()
	}
	ended := make(chan struct{})
	defer close(ended)
	if w.release > 0 {
		go w.releaseLater(ended)
	}
	if _, err := w.d.Drain(ctx); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the course did not end within %v", patience)
	}
	return nil
}

// releaseLater ends each stall some time after it began.
func (w *courseWorker) releaseLater(ended <-chan struct{}) {
	tick := time.NewTicker(w.release)
	defer tick.Stop()
	for was := 0; ; was = w.line.proxy.Acted() {
		if was > 0 {
			w.line.proxy.Release()
			return
		}
		select {
		case <-tick.C:
		case <-ended:
			return
		}
	}
}
