package delivery

import (
	"slices"
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
	// doubtsAPage and doubtPages bound how many messages in doubt are gone through at a
	// time; the next time it goes on behind them.
	doubtsAPage, doubtPages = 100, 10
)

// doubt is what is known of a message in doubt.
type doubt struct {
	since  time.Time // the last of its recipients is
	looked int       // times
	absent int       // times that no copy was there
	next   time.Time
}

// reconcile ends doubts: by what the Sent folder shows, or by the account's policy.
func (s *shift) reconcile() {
	d := s.d
	routes := map[string]Route{}
	for range doubtPages {
		d.mu.Lock()
		behind := d.doubtsBehind
		d.mu.Unlock()
		page, err := d.o.Store.List(s.over, outbox.Filter{States: []outbox.State{outbox.InDoubt}, Limit: doubtsAPage, Oldest: true, Before: behind})
		if s.over.Err() != nil || !d.used(err) {
			return
		}
		d.forgetDoubts(behind, page)
		for _, listed := range page.Entries {
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
		if !page.More {
			return
		}
	}
}

// forgetDoubts forgets the doubts that ended, of the messages from one to the end of
// a page, and notes where the next page begins.
func (d *Delivery) forgetDoubts(behind outbox.ID, page outbox.Page) {
	seen := make(map[outbox.ID]bool, len(page.Entries))
	last := outbox.ID(0)
	for _, e := range page.Entries {
		seen[e.ID], last = true, e.ID
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for id := range d.doubts {
		if id > behind && (id <= last || !page.More) && !seen[id] {
			delete(d.doubts, id)
		}
	}
	d.doubtsBehind = 0
	if page.More {
		d.doubtsBehind = last
	}
}

// lookNow reports whether a message in doubt is to be looked into, and when it was
// not looked into before, sees to it that it is soon.
func (d *Delivery) lookNow(e outbox.Entry) bool {
	if d.isNew(e) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.o.Now()
	known := d.doubts[e.ID]
	if now.Before(known.next) {
		return false
	}
	known.looked++
	known.next = now.Add(pause(known.looked))
	d.doubts[e.ID] = known
	return true
}

// isNew notes a doubt that was not there before, or is another one by now: what was
// seen before it says nothing about it.
func (d *Delivery) isNew(e outbox.Entry) bool {
	var since time.Time
	for _, r := range doubted(e) {
		if r.Updated.After(since) {
			since = r.Updated
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known, ok := d.doubts[e.ID]; ok && !since.After(known.since) {
		return false
	}
	d.doubts[e.ID] = doubt{since: since, next: d.o.Now().Add(settling)}
	return true
}

// resolve ends the doubt about a message, if it can.
func (s *shift) resolve(route Route, id outbox.ID) {
	d := s.d
	e, ok := s.inDoubt(id)
	if !ok {
		return
	}
	verb := outbox.Verb("")
	if route.Find != nil && e.MessageID != "" && (copyProves(e) || route.Keeps && noneHasIt(e)) {
		found, err := route.Find(s.over, e.MessageID)
		if s.over.Err() != nil {
			return
		}
		if err != nil {
			d.o.Observe(Event{Kind: Reconciled, Account: e.Account, ID: id, MessageID: e.MessageID, State: outbox.InDoubt, Err: err})
		}
		known := d.sawCopy(id, found, err)
		// What happened meanwhile, what was seen may be about.
		if e, ok = s.inDoubt(id); !ok {
			return
		}
		switch {
		case err == nil && found && copyProves(e):
			verb = outbox.ResolveFound
		case err == nil && !found && route.Keeps && noneHasIt(e) && known.absent >= looks:
			verb = outbox.ResolveResend
		case known.looked < looks:
			return // it may show up yet
		}
	}
	if verb == "" && route.Doubt == RetryDoubt {
		verb = outbox.ResolveResend
	}
	if verb != "" {
		s.change(e, verb)
	}
}

// inDoubt is a message of which something is in doubt, and since no later than was
// known.
func (s *shift) inDoubt(id outbox.ID) (outbox.Entry, bool) {
	e, err := s.d.o.Store.Show(s.over, id)
	if s.over.Err() != nil || !s.d.used(err) {
		return e, false
	}
	return e, len(doubted(e)) > 0 && !s.d.isNew(e)
}

// sawCopy notes whether a copy was there. A look that failed says nothing.
func (d *Delivery) sawCopy(id outbox.ID, found bool, err error) doubt {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.doubts[id]
	switch {
	case err != nil:
	case found:
		known.absent = 0
	default:
		known.absent++
	}
	d.doubts[id] = known
	return known
}

func (s *shift) change(e outbox.Entry, verb outbox.Verb) {
	c := outbox.Change{Verb: verb, Filter: outbox.Filter{IDs: []outbox.ID{e.ID}, States: []outbox.State{outbox.InDoubt}}}
	if verb == outbox.ResolveFound {
		c.N = &doubted(e)[0].N // there is no other
	}
	changed, err := s.d.o.Store.Change(s.hard, c)
	if !s.used(err) || changed.Recipients == 0 {
		return
	}
	state, _ := verb.Goes(outbox.InDoubt)
	s.d.o.Observe(Event{Kind: Reconciled, Account: e.Account, ID: e.ID, MessageID: e.MessageID, State: state, Count: changed.Recipients})
	s.d.look()
}

// doubted are the recipients in doubt.
func doubted(e outbox.Entry) []outbox.Status {
	return slices.DeleteFunc(slices.Clone(e.Recipients), func(r outbox.Status) bool { return r.State != outbox.InDoubt })
}

// copyProves reports whether a copy in the Sent folder can only be from what is in
// doubt. Recipients may have gone in a transaction each, of which one only came to its
// end, and nobody noted which went together: so one recipient alone is in doubt, and
// none of the others has, had or may have had the message.
func copyProves(e outbox.Entry) bool {
	for _, r := range e.Recipients {
		switch r.State {
		case outbox.InDoubt:
		case outbox.HandedOver, outbox.Leased, outbox.Sending:
			return false
		default:
			if r.Doubted {
				return false
			}
		}
	}
	return len(doubted(e)) == 1
}

// noneHasIt reports whether that there is no copy says something: not of a message
// that should have left one.
func noneHasIt(e outbox.Entry) bool {
	return !slices.ContainsFunc(e.Recipients, func(r outbox.Status) bool { return r.State == outbox.HandedOver })
}
