package delivery

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
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
	// lookTime bounds the look into one account's folder, and mostMailboxes how many are
	// looked into side by side.
	lookTime, mostMailboxes = time.Minute, 8
	// sameID is how many messages with one Message-ID are gone through before a copy
	// proves nothing.
	sameID = 100
)

// doubt is what is known of a message in doubt.
type doubt struct {
	since  time.Time // the last of its recipients is
	looked int       // times
	absent int       // times that no copy was there
	next   time.Time
}

// reconcile ends doubts: by what the Sent folder shows, or by the account's policy.
// Accounts are looked after side by side, each over one connection and for a while at
// most, so that a slow mailbox delays no other one.
func (s *shift) reconcile() {
	accounts := s.collect()
	var group sync.WaitGroup
	free := make(chan struct{}, mostMailboxes)
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			s.guarded("ending the doubts of an account", func() { s.look(account, accounts[account]) })
		})
	}
	group.Wait()
}

// collect lists what is in doubt and may be looked into, by account.
func (s *shift) collect() map[string][]queue.Entry {
	d := s.d
	accounts := map[string][]queue.Entry{}
	for range doubtPages {
		d.mu.Lock()
		behind := d.doubtsBehind
		d.mu.Unlock()
		page, err := d.o.Store.List(s.over, queue.Filter{States: []queue.State{queue.InDoubt}, Limit: doubtsAPage, Oldest: true, Before: behind})
		if s.over.Err() != nil || !d.used(err) {
			return nil
		}
		d.forgetDoubts(behind, page)
		for _, e := range page.Entries {
			if d.isDue(e) {
				accounts[e.Account] = append(accounts[e.Account], e)
			}
		}
		if !page.More {
			break
		}
	}
	return accounts
}

// look goes through the doubts of an account until they are done or the time is over;
// what is left is looked into the next time.
func (s *shift) look(account string, doubts []queue.Entry) {
	route, err := s.d.o.Route(s.over, account)
	if err != nil {
		return // its couriers say so
	}
	ctx, cancel := context.WithTimeout(s.over, lookTime)
	defer cancel()
	v := &visit{route: route}
	defer v.close()
	for _, e := range doubts {
		if ctx.Err() != nil {
			return
		}
		if s.d.lookNow(e) {
			s.resolve(ctx, v, e.ID)
		}
	}
}

// visit is a look into the Sent folder of an account, for any number of messages.
type visit struct {
	route  Route
	folder SentFolder
	err    error // why it can't be opened; it is not asked again
}

// find looks for a message.
func (v *visit) find(ctx context.Context, messageID string) (Sighting, error) {
	if v.folder == nil && v.err == nil {
		v.folder, v.err = v.route.Sent(ctx)
	}
	if v.err != nil {
		return Sighting{}, v.err
	}
	return v.folder.Find(ctx, messageID)
}

func (v *visit) close() {
	if v.folder != nil {
		v.folder.Close()
	}
}

// forgetDoubts forgets the doubts that ended, of the messages from one to the end of
// a page, and notes where the next page begins.
func (d *Delivery) forgetDoubts(behind queue.ID, page queue.Page) {
	seen := make(map[queue.ID]bool, len(page.Entries))
	last := queue.ID(0)
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

// isDue reports whether a message in doubt is to be looked into, and when it was
// not looked into before, sees to it that it is soon.
func (d *Delivery) isDue(e queue.Entry) bool {
	if d.isNew(e) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.o.Now().Before(d.doubts[e.ID].next)
}

// lookNow notes that a message is looked into; false when another one has just done
// so.
func (d *Delivery) lookNow(e queue.Entry) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, known := d.o.Now(), d.doubts[e.ID]
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
func (d *Delivery) isNew(e queue.Entry) bool {
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
func (s *shift) resolve(ctx context.Context, v *visit, id queue.ID) {
	d, route := s.d, v.route
	e, ok := s.inDoubt(id)
	if !ok {
		return
	}
	verb := queue.Verb("")
	if route.Sent != nil && e.MessageID != "" && (copyProves(e) || route.Keeps && noneHasIt(e)) {
		seen, err := v.find(ctx, e.MessageID)
		if s.over.Err() != nil {
			return
		}
		if err != nil {
			d.o.Observe(Event{Kind: Reconciled, Account: e.Account, ID: id, MessageID: e.MessageID, State: queue.InDoubt, Err: err})
		}
		known := d.sawCopy(id, seen.Found, err)
		// What happened meanwhile, what was seen may be about.
		if e, ok = s.inDoubt(id); !ok {
			return
		}
		switch {
		case err == nil && seen.Found && copyProves(e) && isOf(seen, e) && s.isAlone(e):
			verb = queue.ResolveFound
		case err == nil && !seen.Found && route.Keeps && noneHasIt(e) && known.absent >= looks:
			verb = queue.ResolveResend
		case known.looked < looks:
			return // it may show up yet
		}
	}
	if verb == "" && route.Doubt == RetryDoubt {
		verb = queue.ResolveResend
	}
	if verb != "" {
		s.change(e, verb)
	}
}

// isOf reports whether a copy can be of the transaction that is in doubt: it arrived no
// earlier than the recipient was marked as being sent. Servers tell seconds.
func isOf(seen Sighting, e queue.Entry) bool {
	marked := doubted(e)[0].Marked
	return !marked.IsZero() && !seen.Arrived.Before(marked.Truncate(time.Second))
}

// isAlone reports whether no other message of the outbox with this Message-ID was ever
// tried: a copy could be of that one.
func (s *shift) isAlone(e queue.Entry) bool {
	page, err := s.d.o.Store.List(s.over, queue.Filter{MessageID: e.MessageID, Limit: sameID})
	if s.over.Err() != nil || !s.d.used(err) || page.More {
		return false
	}
	return !slices.ContainsFunc(page.Entries, func(other queue.Entry) bool { return other.ID != e.ID && wasTried(other) })
}

// wasTried reports whether something of a message was ever on a wire, or is about to
// be.
func wasTried(e queue.Entry) bool {
	if e.Total > len(e.Recipients) {
		return true // a list does not show them all
	}
	return slices.ContainsFunc(e.Recipients, func(r queue.Recipient) bool {
		switch r.State {
		case queue.Leased, queue.Sending, queue.InDoubt, queue.HandedOver:
			return true
		}
		return r.Attempts > 0 || r.Doubted
	})
}

// inDoubt is a message of which something is in doubt, and since no later than was
// known.
func (s *shift) inDoubt(id queue.ID) (queue.Entry, bool) {
	e, err := s.d.o.Store.Show(s.over, id)
	if s.over.Err() != nil || !s.d.used(err) {
		return e, false
	}
	return e, len(doubted(e)) > 0 && !s.d.isNew(e)
}

// sawCopy notes whether a copy was there. A look that failed says nothing.
func (d *Delivery) sawCopy(id queue.ID, found bool, err error) doubt {
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

func (s *shift) change(e queue.Entry, verb queue.Verb) {
	c := outbox.Change{Verb: verb, Filter: queue.Filter{IDs: []queue.ID{e.ID}, States: []queue.State{queue.InDoubt}}}
	if verb == queue.ResolveFound {
		c.N = &doubted(e)[0].N // there is no other
	}
	changed, err := s.d.o.Store.Change(s.hard, c)
	if !s.used(err) || changed.Recipients == 0 {
		return
	}
	state, _ := verb.Target(queue.InDoubt)
	s.d.o.Observe(Event{Kind: Reconciled, Account: e.Account, ID: e.ID, MessageID: e.MessageID, State: state, Count: changed.Recipients})
	s.d.look()
}

// doubted are the recipients in doubt.
func doubted(e queue.Entry) []queue.Recipient {
	return slices.DeleteFunc(slices.Clone(e.Recipients), func(r queue.Recipient) bool { return r.State != queue.InDoubt })
}

// copyProves reports whether a copy in the Sent folder can only be from what is in
// doubt. Recipients may have gone in a transaction each, of which one only came to its
// end, and nobody noted which went together: so one recipient alone is in doubt, and
// none of the others has, had or may have had the message.
func copyProves(e queue.Entry) bool {
	for _, r := range e.Recipients {
		switch r.State {
		case queue.InDoubt:
		case queue.HandedOver, queue.Leased, queue.Sending:
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
func noneHasIt(e queue.Entry) bool {
	return !slices.ContainsFunc(e.Recipients, func(r queue.Recipient) bool { return r.State == queue.HandedOver })
}
