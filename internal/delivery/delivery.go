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

// Delivery sends the messages of an outbox. Call one Run or Drain at a time.
type Delivery struct {
	o Options

	mu      sync.Mutex
	workers map[string]*accountWorker // running, by account
	// retryAt is when an account without a connection may start another account worker; failures
	// counts its failed connections in a row.
	retryAt  map[string]time.Time
	failures map[string]int
	doubts   map[queue.ID]doubt
	suspects map[string]*suspicion // by account
	rests    map[string]Rest       // pauses of this process alone, by account
	resumed  map[string]int64      // outbox.Due.Resumed, as last seen, by account
	// doubtsBehind is the last message in doubt that was checked; untold counts the failures
	// that could not be reported.
	doubtsBehind queue.ID
	unreported   int
	status       WorkerStatus
	fatal        error
	reloaded     bool
	changed      chan struct{} // has a value when the dispatcher must check for due messages
	count        map[queue.State]int
}

// New returns a Delivery. It does nothing yet.
func New(o Options) *Delivery {
	if o.Lease <= 0 {
		o.Lease = defaultLease
	}
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	if o.Observe == nil {
		o.Observe = func(WorkerEvent) {}
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
	d := &Delivery{o: o, workers: map[string]*accountWorker{}, retryAt: map[string]time.Time{}, failures: map[string]int{},
		suspects: map[string]*suspicion{}, rests: map[string]Rest{}, resumed: map[string]int64{},
		doubts: map[queue.ID]doubt{}, changed: make(chan struct{}, 1), count: map[queue.State]int{}}
	d.o.Observe = d.guardObserver(o.Observe)
	return d
}

// Run works until ctx is done; then it finishes the messages in flight, requeues the others,
// and returns nil. It returns an error of the store only if it can't continue, such as
// queue.ErrBroken.
func (d *Delivery) Run(ctx context.Context) error { return d.runSessions(ctx, false) }

// Drain works until no message is due, or ctx is done.
func (d *Delivery) Drain(ctx context.Context) (queue.Drained, error) {
	d.mu.Lock()
	clear(d.count)
	d.mu.Unlock()
	err := d.runSessions(ctx, true)
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

// Reload makes the delivery call Options.Route again for every account, and ends pauses because of
// a login or a setting, which may have been corrected. Pauses that a server asked for otherwise
// continue.
func (d *Delivery) Reload() {
	d.mu.Lock()
	d.reloaded = true
	for _, c := range d.workers {
		c.stop(errReload)
	}
	clear(d.retryAt)
	clear(d.failures)
	clear(d.suspects)
	clear(d.rests)
	d.mu.Unlock()
	d.wakeDispatcher()
}

// errReload ends an account worker, so that the next one uses the current configuration.
var errReload = errors.New("the configuration is read anew")

// WorkerStatus is the state of a Delivery, for health and readiness.
type WorkerStatus struct {
	Joined    bool  // the worker has a lease
	Couriers  int   // accounts that are sending
	InFlight  int   // leased recipients
	StoreErr  error // of the last call of the store; nil if it worked
	Accepting bool  // not stopping
	// Rests are the accounts that this process does not use for a time, by name.
	Rests []Rest
}

// Status returns the current state.
func (d *Delivery) Status() WorkerStatus {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.status
	s.Couriers = len(d.workers)
	for _, c := range d.workers {
		s.InFlight += c.inFlight()
	}
	for _, account := range slices.Sorted(maps.Keys(d.rests)) {
		if r := d.rests[account]; d.o.Now().Before(r.Until) {
			s.Rests = append(s.Rests, r)
		}
	}
	return s
}

// wakeDispatcher makes the dispatcher check for due messages.
func (d *Delivery) wakeDispatcher() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// recordUse records the result of a call of the store, and reports whether it succeeded. It ends
// the work if the store can't be used any more.
func (d *Delivery) recordUse(err error) bool {
	err = outbox.WhyBroken(err)
	d.mu.Lock()
	d.status.StoreErr = err
	broken := errors.Is(err, queue.ErrBroken) || errors.Is(err, queue.ErrClosed) || errors.Is(err, queue.ErrCopied)
	if broken && d.fatal == nil {
		d.fatal = err
	}
	d.mu.Unlock()
	if err != nil {
		d.o.Observe(WorkerEvent{Kind: StoreError, Err: err})
	}
	if broken {
		d.wakeDispatcher()
	}
	return err == nil
}

func (d *Delivery) fatalError() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fatal
}

// leaseSession is the work under one lease. A worker whose lease lapsed begins another session, because
// other workers may have its messages.
type leaseSession struct {
	d     *Delivery
	owner string
	drain bool
	// over is done when no more messages may begin.
	over  context.Context
	end   context.CancelCauseFunc
	hard  context.Context // cancelled when the grace period for messages in flight is over
	work  sync.WaitGroup  // account workers
	tasks sync.WaitGroup  // renewals and maintenance
	// maintained is closed after the first run of all duties.
	maintained chan struct{}
	// finished is closed when no account worker is left, and no lease is needed.
	finished chan struct{}
}

var (
	errLapsed = errors.New("the lease has lapsed")
	// errUncertain ends a session whose claim failed after it may have leased messages: when the
	// worker leaves, they are requeued.
	errUncertain = errors.New("a claim failed, and nobody knows what it leased")
)

// recordUse is Delivery.recordUse, but ignores errors of calls that were cancelled.
func (s *leaseSession) recordUse(err error) bool {
	if err != nil && s.hard.Err() != nil && !errors.Is(err, queue.ErrBroken) && !errors.Is(err, queue.ErrClosed) {
		return false
	}
	return s.d.recordUse(err)
}

func (d *Delivery) runSessions(ctx context.Context, drain bool) error {
	d.mu.Lock()
	d.status.Accepting = true
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.status.Accepting, d.status.Joined = false, false
		d.mu.Unlock()
	}()
	var since time.Time // since claims fail
	for pause := time.Second; ; {
		began := d.o.Now()
		why := d.runSession(ctx, drain)
		if dead := d.fatalError(); dead != nil {
			return dead
		}
		if why == nil || ctx.Err() != nil {
			return nil
		}
		d.o.Observe(WorkerEvent{Kind: Lapsed, Err: why})
		if errors.Is(why, errLapsed) {
			continue
		}
		if d.o.Now().Sub(began) > 2*longest {
			pause, since = time.Second, time.Time{} // it worked for a while
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

// runSession joins, works, and leaves. The error is errLapsed or errUncertain if another session
// should follow.
func (d *Delivery) runSession(ctx context.Context, drain bool) error {
	s := &leaseSession{d: d, drain: drain, finished: make(chan struct{}), maintained: make(chan struct{})}
	if !s.joinStore(ctx) {
		return nil
	}
	s.over, s.end = context.WithCancelCause(ctx)
	hard, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	s.hard = hard
	s.runGuarded("sweeping", func() { s.sweepStore() }) // expired messages must not be claimed
	s.startHeartbeat()
	s.runGuarded("the dispatcher", s.dispatchDue)
	s.end(nil)
	d.mu.Lock()
	d.status.Accepting = ctx.Err() == nil
	d.mu.Unlock()
	s.finishInFlight(giveUp)
	giveUp() // calls of the store that still wait are not needed any more
	close(s.finished)
	s.tasks.Wait()
	s.leaveStore(ctx)
	if cause := context.Cause(s.over); errors.Is(cause, errLapsed) || errors.Is(cause, errUncertain) {
		return cause
	}
	return nil
}

// drainPatience is how long a Drain waits for a failing store before it returns the store's
// last error. Run waits without limit.
const drainPatience = time.Minute

// noteFailure returns since when the store has failed, zero if it works, and ends a Drain that has
// waited long enough.
func (s *leaseSession) noteFailure(since time.Time, err error) time.Time {
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

// joinStore registers this worker; it returns false if ctx was done before the store could.
func (s *leaseSession) joinStore(ctx context.Context) bool {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost" // it is only for people to read
	}
	var began time.Time
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		s.owner = rand.Text() // new each time: a failed call may have joined, and no owner joins twice
		err := s.d.o.Store.Join(ctx, queue.Worker{Owner: s.owner, Host: host, PID: os.Getpid()}, s.d.o.Lease)
		if ctx.Err() != nil || s.d.fatalError() != nil {
			if err == nil {
				s.leaveStore(ctx)
			}
			return false
		}
		if s.d.recordUse(err) {
			s.d.mu.Lock()
			s.d.status.Joined = true
			s.d.mu.Unlock()
			return true
		}
		began = s.noteFailure(began, err)
		if s.d.fatalError() != nil {
			return false
		}
		select {
		case <-s.d.o.After(pause):
		case <-ctx.Done():
			return false
		}
	}
}

// finishInFlight waits for the messages in flight, and calls giveUp after the grace period.
func (s *leaseSession) finishInFlight(giveUp func()) {
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

func (s *leaseSession) leaveStore(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.d.o.Grace)
	defer cancel()
	if err := s.d.o.Store.Leave(ctx, s.owner); err != nil && !errors.Is(err, outbox.ErrLapsed) {
		s.d.recordUse(err)
	}
	s.d.mu.Lock()
	s.d.status.Joined = false
	s.d.mu.Unlock()
}
