package delivery

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/outbox"
)

// longest is how long the dispatcher sleeps at most: a clock that was set, or a wake
// that was lost, costs no more than that.
const longest = 30 * time.Second

// mostCouriers bounds how many accounts are sent from at a time.
const mostCouriers = 128

// dispatch starts a courier for each account that has something due, until the
// shift is over or, when draining, nothing is due any more.
func (s *shift) dispatch() {
	d := s.d
	last := false
	for failed := 0; s.over.Err() == nil && d.dead() == nil; {
		resumed := s.resume()
		tidied := s.hasTidied() // before Due is asked: what was given back is due then
		wake := d.o.Store.Wake()
		due, err := d.o.Store.Due(s.over)
		if s.over.Err() != nil {
			return
		}
		wait := min(time.Second<<min(failed, 10), longest)
		failed++
		if d.used(err) {
			failed = 0
			wait = s.start(due)
			if s.drain && tidied && s.idle() && !slices.ContainsFunc(due, func(a outbox.Due) bool { return a.In <= 0 }) {
				if last {
					return
				}
				s.tidy() // what failed may have to be reported, which is due then
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

// resume ends, behind a Reload, the pauses that a person may have mended; false when
// that has to be tried again.
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

// mendable reports whether a person may have mended what an account rests for.
func mendable(why outbox.Answer) bool {
	if why.Reply.IsZero() {
		return true // a setting, or a server that could not be reached
	}
	info, ok := diagnosis.Describe(diagnosis.Class(why.Class))
	return ok && info.Retry.Kind == diagnosis.RetryAfterFix
}

// hasTidied reports whether what lapsed workers had, and doubts that can be ended,
// were looked at.
func (s *shift) hasTidied() bool {
	select {
	case <-s.tidied:
		return true
	default:
		return false
	}
}

// start begins couriers, and says when it is worth to look again.
func (s *shift) start(due []outbox.Due) (wait time.Duration) {
	d := s.d
	wait = longest
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.o.Now()
	for _, account := range due {
		in := account.In
		if at, waits := d.retryAt[account.Account]; waits {
			if left := at.Sub(now); left > in {
				in = left
			} else {
				delete(d.retryAt, account.Account)
			}
		}
		if d.couriers[account.Account] != nil {
			continue // it looks itself
		}
		if in > 0 {
			wait = min(wait, in)
			continue
		}
		if len(d.couriers) >= mostCouriers {
			continue // the first that ends makes the dispatcher look again
		}
		c := newCourier(s, account.Account)
		d.couriers[account.Account] = c
		s.work.Go(func() {
			c.work()
			d.mu.Lock()
			delete(d.couriers, c.account)
			d.mu.Unlock()
			d.look()
		})
	}
	return max(wait, 0)
}

func (s *shift) idle() bool {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	return len(s.d.couriers) == 0
}

// keep renews the lease and does what has to be done now and then.
func (s *shift) keep() {
	d := s.d
	s.tasks.Go(func() {
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
	})
	s.tasks.Go(func() {
		var once sync.Once
		for s.over.Err() == nil && d.dead() == nil {
			s.tidy()
			once.Do(func() {
				close(s.tidied)
				d.look()
			})
			select {
			case <-d.o.After(d.o.Lease / 3):
			case <-s.over.Done():
				return
			}
		}
	})
}

// tidy does what belongs to no courier.
func (s *shift) tidy() {
	if !s.sweep() {
		return
	}
	s.reconcile()
	s.report()
}

// sweep takes back what lapsed workers had; false when the store can't.
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
