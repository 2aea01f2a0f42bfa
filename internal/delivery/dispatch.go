package delivery

import (
	"errors"
	"sync"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// longest is the longest sleep of the dispatcher: a changed clock or a lost wake costs no more
// than that.
const longest = 30 * time.Second

const (
	// mostWorkers limits how many accounts are sent from at a time. Account workers that have not
	// yet sent a message to a server don't count: their server may be dead, and accounts whose
	// server answers must not wait for them.
	mostWorkers = 128
	// mostConnecting limits all account workers.
	mostConnecting = 1024
)

// dispatchDue starts an account worker for each account that has due messages, until the session
// is over or, when draining, no message is due.
func (s *leaseSession) dispatchDue() {
	d := s.d
	last := false
	var since time.Time // since when the store fails
	for failed := 0; s.over.Err() == nil && d.fatalError() == nil; {
		resumed := s.resumeReloaded()
		tidied := s.hasMaintained() // before Due, so that requeued messages are due then
		wake := d.o.Store.Wake()
		due, err := d.o.Store.Due(s.over)
		if s.over.Err() != nil {
			return
		}
		wait := min(time.Second<<min(failed, 10), longest)
		failed++
		worked := d.recordUse(err)
		if since = s.noteFailure(since, err); worked {
			failed = 0
			var more bool
			wait, more = s.startWorkers(due)
			if s.drain && tidied && s.isIdle() && !more {
				if last {
					return
				}
				s.maintainOnce() // failures may have to be reported, and the reports are due then
				last = true
				continue
			}
			last = false
		}
		if !resumed {
			wait = min(wait, time.Second)
		}
		select {
		case <-d.o.After(wait):
		case <-wake:
		case <-d.changed:
		case <-s.over.Done():
		}
	}
}

// resumeReloaded ends, after a Reload, the pauses whose cause a user may have corrected. It returns
// false if it must be called again.
func (s *leaseSession) resumeReloaded() (done bool) {
	d := s.d
	d.mu.Lock()
	reloaded := d.reloaded
	d.reloaded = false
	d.mu.Unlock()
	if !reloaded {
		return true
	}
	stats, err := d.o.Store.Stats(s.over)
	done = d.recordUse(err)
	for _, account := range stats.Accounts {
		if account.PausedFor > 0 && isCorrectable(account.PauseAnswer) {
			done = d.recordUse(d.o.Store.Resume(s.over, account.Account)) && done
		}
	}
	if !done {
		d.mu.Lock()
		d.reloaded = true // to be tried again
		d.mu.Unlock()
	}
	return done
}

// isCorrectable reports whether a user may have corrected the cause of a pause.
func isCorrectable(why queue.Answer) bool {
	if why.Reply.IsZero() {
		return true // a setting, or a server that could not be reached
	}
	info, ok := diagnosis.Describe(diagnosis.Class(why.Class))
	return ok && info.Retry.Kind == diagnosis.RetryAfterFix
}

// hasMaintained reports whether all duties have run once: lapsed leases and doubts were checked.
func (s *leaseSession) hasMaintained() bool {
	select {
	case <-s.maintained:
		return true
	default:
		return false
	}
}

// startWorkers starts account workers, and returns when to check again. more is true if a message is due
// that can be sent, or could be if a connection were free.
func (s *leaseSession) startWorkers(due []outbox.Due) (wait time.Duration, more bool) {
	d := s.d
	wait = longest
	d.mu.Lock()
	defer d.mu.Unlock()
	now, busy := d.o.Now(), 0
	for _, c := range d.workers {
		if c.sends.Load() {
			busy++
		}
	}
	for _, account := range due {
		in := account.In
		d.resumed[account.Account] = account.Resumed
		if rest, rests := d.rests[account.Account]; rests {
			if rest.resumed != account.Resumed { // a user resumed the account
				delete(d.retryAt, account.Account)
				delete(d.failures, account.Account)
				rest.Until = now
			}
			if left := rest.Until.Sub(now); left > 0 {
				wait = min(wait, max(in, left))
				continue
			}
			delete(d.rests, account.Account)
		}
		more = more || in <= 0
		if at, waits := d.retryAt[account.Account]; waits {
			if left := at.Sub(now); left > in {
				in = left
			} else {
				delete(d.retryAt, account.Account)
			}
		}
		if d.workers[account.Account] != nil {
			continue // its account worker claims itself
		}
		if in > 0 {
			wait = min(wait, in)
			continue
		}
		if busy >= mostWorkers || len(d.workers) >= mostConnecting {
			continue // the first account worker that ends wakes the dispatcher
		}
		c := newAccountWorker(s, account.Account)
		d.workers[account.Account] = c
		s.work.Go(func() {
			s.runGuarded("the courier of an account", c.sendDue)
			d.mu.Lock()
			delete(d.workers, c.account)
			d.mu.Unlock()
			d.wakeDispatcher()
		})
	}
	return max(wait, 0), more
}

func (s *leaseSession) isIdle() bool {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	return len(s.d.workers) == 0
}

// renewLease renews the lease until no account worker needs it.
func (s *leaseSession) renewLease() {
	d := s.d
	for {
		select {
		case <-d.o.After(d.o.Lease / 3):
		case <-s.finished:
			return
		}
		err := d.o.Store.Renew(s.hard, s.owner, d.o.Lease)
		if errors.Is(err, outbox.ErrLapsed) {
			s.end(errLapsed)
			return
		}
		s.recordUse(err)
	}
}

// startHeartbeat renews the lease and does the regular duties.
func (s *leaseSession) startHeartbeat() {
	d := s.d
	s.tasks.Go(func() { s.runGuarded("renewing the lease", s.renewLease) })
	// Each duty has its own goroutine: a slow mailbox must not delay the requeueing of dead
	// workers' messages.
	var once sync.WaitGroup
	duties := s.listDuties()
	once.Add(len(duties))
	for _, duty := range duties {
		s.tasks.Go(func() { s.attendDuty(duty, once.Done) })
	}
	s.tasks.Go(func() {
		once.Wait()
		close(s.maintained)
		d.wakeDispatcher()
	})
}

// duty is regular work that belongs to no account worker.
type duty struct {
	name string
	do   func()
}

func (s *leaseSession) listDuties() []duty {
	return []duty{
		{"sweeping", func() { s.sweepStore() }},
		{"ending doubts", s.reconcileDoubts},
		{"reporting", s.reportFailures},
	}
}

// attendDuty does a duty regularly until the session is over. It calls done after the first time, or
// if there is none.
func (s *leaseSession) attendDuty(duty duty, done func()) {
	d, first := s.d, sync.OnceFunc(done)
	defer first()
	s.runGuarded(duty.name, func() {
		for s.over.Err() == nil && d.fatalError() == nil {
			duty.do()
			first()
			select {
			case <-d.o.After(d.o.Lease / 3):
			case <-s.over.Done():
				return
			}
		}
	})
}

// maintainOnce does all duties once, for a drain.
func (s *leaseSession) maintainOnce() {
	if !s.sweepStore() {
		return
	}
	s.reconcileDoubts()
	s.reportFailures()
}

// sweepStore calls Store.Sweep; it returns false if that fails.
func (s *leaseSession) sweepStore() bool {
	d := s.d
	swept, err := d.o.Store.Sweep(s.over)
	if s.over.Err() != nil || !d.recordUse(err) {
		return false
	}
	if n := swept.Requeued + swept.Doubted + swept.Expired; n > 0 || swept.Workers > 0 {
		d.o.Observe(WorkerEvent{Kind: Swept, Count: n})
		d.wakeDispatcher()
	}
	return true
}
