package delivery

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

const (
	defaultLease = 30 * time.Second
	defaultGrace = 30 * time.Second
)

// Delivery sends what is in an outbox. It is for one Run or Drain at a time.
type Delivery struct {
	o Options

	mu       sync.Mutex
	couriers map[string]*courier // at work, by account
	// retryAt is when an account is worth another courier, where the last one had no
	// slot; failures counts the connections in a row that an account did not get.
	retryAt  map[string]time.Time
	failures map[string]int
	doubts   map[queue.ID]doubt
	suspects map[string]*suspicion // by account
	rests    map[string]Rest       // of this process alone, by account
	resumed  map[string]int64      // outbox.Due.Resumed, as last seen, by account
	// doubtsBehind is how far they were gone through; untold is of how many failures
	// nobody could be told.
	doubtsBehind queue.ID
	untold       int
	status       Status
	fatal        error
	reloaded     bool
	changed      chan struct{} // has one when the dispatcher should look again
	count        map[queue.State]int
}

// New makes a Delivery. It does nothing yet.
func New(o Options) *Delivery {
	if o.Lease <= 0 {
		o.Lease = defaultLease
	}
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Measure == nil {
		o.Measure = o.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	d := &Delivery{o: o, couriers: map[string]*courier{}, retryAt: map[string]time.Time{}, failures: map[string]int{},
		suspects: map[string]*suspicion{}, rests: map[string]Rest{}, resumed: map[string]int64{},
		doubts: map[queue.ID]doubt{}, changed: make(chan struct{}, 1), count: map[queue.State]int{}}
	d.o.Observe = d.sheltered(o.Observe)
	return d
}

// Run works until ctx is over, then finishes what is on the wire, gives back what it
// has not begun, and returns nil. An error is one of the store that can't be gone
// on from; queue.ErrBroken is.
func (d *Delivery) Run(ctx context.Context) error { return d.work(ctx, false) }

// Drain works until nothing is due any more, or ctx is over.
func (d *Delivery) Drain(ctx context.Context) (queue.Drained, error) {
	d.mu.Lock()
	clear(d.count)
	d.mu.Unlock()
	err := d.work(ctx, true)
	result := queue.Drained{Count: map[queue.State]int{}}
	d.mu.Lock()
	for state, n := range d.count {
		result.Count[state] = n
	}
	d.mu.Unlock()
	stats, statsErr := d.o.Store.Stats(context.WithoutCancel(ctx))
	for _, account := range stats.Accounts {
		for state, n := range account.Count {
			if !state.Final() {
				result.Left += n
			}
		}
	}
	return result, errors.Join(err, statsErr)
}

// Reload has every account's route asked for anew, and ends the pauses that were for a
// login or a setting, which may be what was changed. Those that a server asked
// for go on.
func (d *Delivery) Reload() {
	d.mu.Lock()
	d.reloaded = true
	for _, c := range d.couriers {
		c.stop(errReload)
	}
	clear(d.retryAt)
	clear(d.failures)
	clear(d.suspects)
	clear(d.rests)
	d.mu.Unlock()
	d.look()
}

// errReload ends a courier, so that another one begins with what is configured now.
var errReload = errors.New("the configuration is read anew")

// Status is how it goes, for health and readiness.
type Status struct {
	Joined    bool  // it has a lease
	Couriers  int   // accounts at work
	InFlight  int   // recipients leased
	StoreErr  error // of the last use of the store; nil when it worked
	Accepting bool  // not stopping
	// Rests are the accounts that this process does not use for a while, by name.
	Rests []Rest
}

// Status tells how it goes.
func (d *Delivery) Status() Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.status
	s.Couriers = len(d.couriers)
	for _, c := range d.couriers {
		s.InFlight += c.inFlight()
	}
	for _, account := range slices.Sorted(maps.Keys(d.rests)) {
		if r := d.rests[account]; d.o.Now().Before(r.Until) {
			s.Rests = append(s.Rests, r)
		}
	}
	return s
}

// look has the dispatcher look what is due.
func (d *Delivery) look() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// used notes how a use of the store went. It reports whether it worked, and ends
// the work when nothing can any more.
func (d *Delivery) used(err error) bool {
	err = outbox.WhyBroken(err)
	d.mu.Lock()
	d.status.StoreErr = err
	broken := errors.Is(err, queue.ErrBroken) || errors.Is(err, queue.ErrClosed) || errors.Is(err, queue.ErrCopied)
	if broken && d.fatal == nil {
		d.fatal = err
	}
	d.mu.Unlock()
	if err != nil {
		d.o.Observe(Event{Kind: StoreError, Err: err})
	}
	if broken {
		d.look()
	}
	return err == nil
}

func (d *Delivery) dead() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fatal
}

// shift is the work under one lease. A worker that lapsed begins another one: what
// it had may be others' by now.
type shift struct {
	d     *Delivery
	owner string
	drain bool
	// over ends when nothing more is to be begun.
	over  context.Context
	end   context.CancelCauseFunc
	hard  context.Context // ends when what is on the wire is given up
	work  sync.WaitGroup  // couriers
	tasks sync.WaitGroup  // what keeps: renewals, sweeps
	// tidied is closed when the first look at what others left behind is over.
	tidied chan struct{}
	// finished is closed when no courier is left, and no lease needed.
	finished chan struct{}
}

var (
	errLapsed = errors.New("the lease has lapsed")
	// errUncertain ends a shift that may have leased what it does not know of: when it
	// leaves, that is given back.
	errUncertain = errors.New("a claim failed, and nobody knows what it leased")
)

// used is that of the Delivery, but an error of what was called off is nobody's.
func (s *shift) used(err error) bool {
	if err != nil && s.hard.Err() != nil && !errors.Is(err, queue.ErrBroken) && !errors.Is(err, queue.ErrClosed) {
		return false
	}
	return s.d.used(err)
}

func (d *Delivery) work(ctx context.Context, drain bool) error {
	d.mu.Lock()
	d.status.Accepting = true
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.status.Accepting, d.status.Joined = false, false
		d.mu.Unlock()
	}()
	var since time.Time // claims fail
	for pause := time.Second; ; {
		began := d.o.Now()
		why := d.oneShift(ctx, drain)
		if dead := d.dead(); dead != nil {
			return dead
		}
		if why == nil || ctx.Err() != nil {
			return nil
		}
		d.o.Observe(Event{Kind: Lapsed, Err: why})
		if errors.Is(why, errLapsed) {
			continue
		}
		if d.o.Now().Sub(began) > 2*longest {
			pause, since = time.Second, time.Time{} // it went well for a while
		}
		if since.IsZero() {
			since = began
		}
		if drain && d.o.Now().Sub(since) >= drainPatience {
			return why
		}
		select {
		case <-d.o.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, longest)
	}
}

// oneShift joins, works, and leaves. The error is errLapsed or errUncertain where
// another shift should follow.
func (d *Delivery) oneShift(ctx context.Context, drain bool) error {
	s := &shift{d: d, drain: drain, finished: make(chan struct{}), tidied: make(chan struct{})}
	if !s.join(ctx) {
		return nil
	}
	s.over, s.end = context.WithCancelCause(ctx)
	hard, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	s.hard = hard
	s.guarded("sweeping", func() { s.sweep() }) // what has had its time must not be claimed
	s.keep()
	s.guarded("the dispatcher", s.dispatch)
	s.end(nil)
	d.mu.Lock()
	d.status.Accepting = ctx.Err() == nil
	d.mu.Unlock()
	s.finish(giveUp)
	giveUp() // what still waits for the store need not any more
	close(s.finished)
	s.tasks.Wait()
	s.leave(ctx)
	if cause := context.Cause(s.over); errors.Is(cause, errLapsed) || errors.Is(cause, errUncertain) {
		return cause
	}
	return nil
}

// drainPatience is how long a Drain waits for a store before it gives up with the
// store's last error. Run waits for as long as it takes.
const drainPatience = time.Minute

// fails notes since when the store does not work, zero while it does, and ends a Drain that
// has waited long enough.
func (s *shift) fails(since time.Time, err error) time.Time {
	now := s.d.o.Now()
	switch {
	case err == nil:
		return time.Time{}
	case since.IsZero():
		return now
	case s.drain && now.Sub(since) >= drainPatience:
		s.d.mu.Lock()
		s.d.fatal = cmp.Or(s.d.fatal, err)
		s.d.mu.Unlock()
	}
	return since
}

// join makes this worker known; false when ctx is over before the store could.
func (s *shift) join(ctx context.Context) bool {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost" // it is only for people to read
	}
	var began time.Time
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		s.owner = rand.Text() // anew each time: one that failed may have joined, and nobody joins twice
		err := s.d.o.Store.Join(ctx, queue.Worker{Owner: s.owner, Host: host, PID: os.Getpid()}, s.d.o.Lease)
		if ctx.Err() != nil || s.d.dead() != nil {
			if err == nil {
				s.leave(ctx)
			}
			return false
		}
		if s.d.used(err) {
			s.d.mu.Lock()
			s.d.status.Joined = true
			s.d.mu.Unlock()
			return true
		}
		began = s.fails(began, err)
		if s.d.dead() != nil {
			return false
		}
		select {
		case <-s.d.o.After(pause):
		case <-ctx.Done():
			return false
		}
	}
}

// finish waits for what is on the wire, and gives it up when that takes too long.
func (s *shift) finish(giveUp func()) {
	done := make(chan struct{})
	go func() {
		s.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return
	case <-s.d.o.After(s.d.o.Grace):
	}
	giveUp()
	<-done
}

func (s *shift) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.d.o.Grace)
	defer cancel()
	if err := s.d.o.Store.Leave(ctx, s.owner); err != nil && !errors.Is(err, outbox.ErrLapsed) {
		s.d.used(err)
	}
	s.d.mu.Lock()
	s.d.status.Joined = false
	s.d.mu.Unlock()
}
