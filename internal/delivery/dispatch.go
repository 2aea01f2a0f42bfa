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
	// mostCouriers limits how many accounts are sent from at a time. Account workers that have not
	// yet sent a message to a server don't count: their server may be dead, and accounts whose
	// server answers must not wait for them.
	mostCouriers = 128
	// mostConnecting limits all account workers.
	mostConnecting = 1024
)

// dispatch starts an account worker for each account that has due messages, until the session
// is over or, when draining, no message is due.
func (s *shift) dispatch() {
	d := s.d
	last := false
	var since time.Time // since when the store fails
	for failed := 0; s.over.Err() == nil && d.dead() == nil; {
		resumed := s.resume()
		tidied := s.hasTidied() // before Due, so that requeued messages are due then
		wake := d.o.Store.Wake()
		due, err := d.o.Store.Due(s.over)
		if s.over.Err() != nil {
			return
		}
		wait := min(time.Second<<min(failed, 10), longest)
		failed++
		worked := d.used(err)
		if since = s.fails(since, err); worked {
			failed = 0
			var more bool
			wait, more = s.start(due)
			if s.drain && tidied && s.idle() && !more {
				if last {
					return
				}
				s.tidy() // failures may have to be reported, and the reports are due then
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

// resume ends, after a Reload, the pauses whose cause a user may have corrected. It returns
// false if it must be called again.
func (s *shift) resume() (done bool) {
	d := s.d
	d.mu.Lock()
	reloaded := d.reloaded
	d.reloaded = false
	d.mu.Unlock()
	if !reloaded {
		return true
	}
	stats, err := d.o.Store.Stats(s.over)
	done = d.used(err)
	for _, account := range stats.Accounts {
		if account.PausedFor > 0 && mendable(account.PauseAnswer) {
			done = d.used(d.o.Store.Resume(s.over, account.Account)) && done
		}
	}
	if !done {
		d.mu.Lock()
		d.reloaded = true // to be tried again
		d.mu.Unlock()
	}
	return done
}

// mendable reports whether a user may have corrected the cause of a pause.
func mendable(why queue.Answer) bool {
	if why.Reply.IsZero() {
		return true // a setting, or a server that could not be reached
	}
	info, ok := diagnosis.Describe(diagnosis.Class(why.Class))
	return ok && info.Retry.Kind == diagnosis.RetryAfterFix
}

// hasTidied reports whether all duties have run once: lapsed leases and doubts were checked.
func (s *shift) hasTidied() bool {
	select {
	case <-s.tidied:
		return true
	default:
		return false
	}
}

// start starts account workers, and returns when to check again. more is true if a message is due
// that can be sent, or could be if a connection were free.
func (s *shift) start(due []outbox.Due) (wait time.Duration, more bool) {
	d := s.d
	wait = longest
	d.mu.Lock()
	defer d.mu.Unlock()
	now, busy := d.o.Now(), 0
	for _, c := range d.couriers {
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
		if d.couriers[account.Account] != nil {
			continue // its account worker claims itself
		}
		if in > 0 {
			wait = min(wait, in)
			continue
		}
		if busy >= mostCouriers || len(d.couriers) >= mostConnecting {
			continue // the first account worker that ends wakes the dispatcher
		}
		c := newCourier(s, account.Account)
		d.couriers[account.Account] = c
		s.work.Go(func() {
			s.guarded("the courier of an account", c.work)
			d.mu.Lock()
			delete(d.couriers, c.account)
			d.mu.Unlock()
			d.look()
		})
	}
	return max(wait, 0), more
}

func (s *shift) idle() bool {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	return len(s.d.couriers) == 0
}

// renew renews the lease until no account worker needs it.
func (s *shift) renew() {
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
		s.used(err)
	}
}

// keep renews the lease and does the regular duties.
func (s *shift) keep() {
	d := s.d
	s.tasks.Go(func() { s.guarded("renewing the lease", s.renew) })
	// Each duty has its own goroutine: a slow mailbox must not delay the requeueing of dead
	// workers' messages.
	var once sync.WaitGroup
	duties := s.duties()
	once.Add(len(duties))
	for _, duty := range duties {
		s.tasks.Go(func() { s.attend(duty, once.Done) })
	}
	s.tasks.Go(func() {
		once.Wait()
		close(s.tidied)
		d.look()
	})
}

// duty is regular work that belongs to no courier.
type duty struct {
	name string
	do   func()
}

func (s *shift) duties() []duty {
	return []duty{
		{"sweeping", func() { s.sweep() }},
		{"ending doubts", s.reconcile},
		{"reporting", s.report},
	}
}

// attend does a duty regularly until the session is over. It calls done after the first time, or
// if there is none.
func (s *shift) attend(duty duty, done func()) {
	d, first := s.d, sync.OnceFunc(done)
	defer first()
	s.guarded(duty.name, func() {
		for s.over.Err() == nil && d.dead() == nil {
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

// tidy does all duties once, for a drain.
func (s *shift) tidy() {
	if !s.sweep() {
		return
	}
	s.reconcile()
	s.report()
}

// sweep calls Store.Sweep; it returns false if that fails.
func (s *shift) sweep() bool {
	d := s.d
	swept, err := d.o.Store.Sweep(s.over)
	if s.over.Err() != nil || !d.used(err) {
		return false
	}
	if n := swept.Requeued + swept.Doubted + swept.Expired; n > 0 || swept.Workers > 0 {
		d.o.Observe(Event{Kind: Swept, Count: n})
		d.look()
	}
	return true
}
