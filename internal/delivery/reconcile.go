package delivery

import (
	"context"
	"time"

	"github.com/yanmail/yan/internal/outbox"
)

const (
	// settling is how long a doubt rests before it is looked into: a worker that was
	// thought dead may still learn the answer, and Sent folders show what is new with
	// some delay.
	settling = time.Minute
	// looks is how often the Sent folder is looked into before a message that is not
	// there counts as not handed over, where the provider keeps every one.
	looks = 3
	// mostDoubts bounds how many messages are looked into at a time.
	mostDoubts = 100
)

// doubt is what is known of a message in doubt.
type doubt struct {
	looked int
	next   time.Time
}

// reconcile ends doubts: by what the Sent folder shows, or by the account's policy.
func (s *shift) reconcile() {
	d := s.d
	page, err := d.o.Store.List(s.over, outbox.Filter{States: []outbox.State{outbox.InDoubt}, Limit: mostDoubts, Oldest: true})
	if s.over.Err() != nil || !d.used(err) {
		return
	}
	seen := make(map[outbox.ID]bool, len(page.Entries))
	routes := map[string]Route{}
	for _, listed := range page.Entries {
		seen[listed.ID] = true
		if s.over.Err() != nil || !d.lookNow(listed) {
			continue
		}
		route, known := routes[listed.Account]
		if !known {
			if route, err = d.o.Route(s.over, listed.Account); err != nil {
				continue // its couriers say so
			}
			routes[listed.Account] = route
		}
		s.resolve(route, listed.ID)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for id := range d.doubts {
		if !seen[id] {
			delete(d.doubts, id)
		}
	}
}

// lookNow reports whether a message in doubt is to be looked into, and when it was
// not looked into before, sees to it that it is soon.
func (d *Delivery) lookNow(e outbox.Entry) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.o.Now()
	known, ok := d.doubts[e.ID]
	if !ok {
		d.doubts[e.ID] = doubt{next: now.Add(settling)}
		return false
	}
	if now.Before(known.next) {
		return false
	}
	known.looked++
	known.next = now.Add(pause(known.looked))
	d.doubts[e.ID] = known
	return true
}

// resolve ends the doubt about a message, if it can.
func (s *shift) resolve(route Route, id outbox.ID) {
	d := s.d
	e, err := d.o.Store.Show(s.over, id)
	if s.over.Err() != nil || !d.used(err) {
		return
	}
	verb, sure := outbox.Verb(""), false
	if route.Find != nil && oneTransaction(e) {
		found, err := route.Find(s.over, e.MessageID)
		if s.over.Err() != nil {
			return
		}
		d.mu.Lock()
		looked := d.doubts[id].looked
		d.mu.Unlock()
		switch {
		case err == nil && found:
			verb, sure = outbox.ResolveFound, true
		case err == nil && route.Keeps && looked >= looks:
			verb, sure = outbox.ResolveResend, true
		case err != nil:
			d.o.Observe(Event{Kind: Reconciled, Account: e.Account, ID: id, MessageID: e.MessageID, State: outbox.InDoubt, Err: err})
		}
		if !sure && looked < looks {
			return // it may show up yet
		}
	}
	if !sure && route.Doubt == RetryDoubt {
		verb = outbox.ResolveResend
	}
	if verb == "" {
		return
	}
	s.change(e, verb)
}

func (s *shift) change(e outbox.Entry, verb outbox.Verb) {
	changed, err := s.d.o.Store.Change(context.WithoutCancel(s.over), outbox.Change{Verb: verb,
		Filter: outbox.Filter{IDs: []outbox.ID{e.ID}, States: []outbox.State{outbox.InDoubt}}})
	if !s.d.used(err) || changed.Recipients == 0 {
		return
	}
	state, _ := verb.Goes(outbox.InDoubt)
	s.d.o.Observe(Event{Kind: Reconciled, Account: e.Account, ID: e.ID, MessageID: e.MessageID, State: state, Count: changed.Recipients})
	s.d.look()
}

// oneTransaction reports whether one copy in the Sent folder would speak for all that
// is in doubt: nobody was handed the message in another transaction, and all that is
// in doubt went together. A message to many may have gone in parts.
func oneTransaction(e outbox.Entry) bool {
	const together = 50 // fewer than any provider takes in one transaction
	if e.Total > together || e.MessageID == "" {
		return false
	}
	attempts := -1
	for _, r := range e.Recipients {
		switch {
		case r.State == outbox.HandedOver:
			return false
		case r.State != outbox.InDoubt:
			continue
		case attempts >= 0 && r.Attempts != attempts:
			return false
		}
		attempts = r.Attempts
	}
	return attempts >= 0
}
