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
	// settling is how long a doubt waits before it is checked: a worker that was thought dead
	// may still get the reply, and Sent folders show new messages with some delay.
	settling = time.Minute
	// looks is how often the Sent folder must lack a message before it counts as not sent, if
	// the provider files every message.
	looks = 3
	// doubtsAPage and doubtPages limit how many messages in doubt are read at a time; the next
	// run continues after them.
	doubtsAPage, doubtPages = 100, 10
	// lookTime limits the search in one account's folder, and mostMailboxes the folders that
	// are searched at the same time.
	lookTime, mostMailboxes = time.Minute, 8
	// sameID is how many messages with one Message-ID are read before a copy proves nothing.
	sameID = 100
)

// doubt is the state of a message in doubt.
type doubt struct {
	since  time.Time // since when its last recipient is in doubt
	looked int       // number of searches
	absent int       // number of searches that found no copy
	next   time.Time
}

// reconcileDoubts ends doubts: by the Sent folder, or by the account's policy. Accounts are checked
// concurrently, each over one connection and for a limited time, so that a slow mailbox delays
// no other account.
func (s *leaseSession) reconcileDoubts() {
	accounts := s.collectDoubts()
	var group sync.WaitGroup
	free := make(chan struct{}, mostMailboxes)
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			s.runGuarded("ending the doubts of an account", func() { s.checkAccount(account, accounts[account]) })
		})
	}
	group.Wait()
}

// collectDoubts lists the messages in doubt that may be checked now, by account.
func (s *leaseSession) collectDoubts() map[string][]queue.Entry {
	d := s.d
	accounts := map[string][]queue.Entry{}
	for range doubtPages {
		d.mu.Lock()
		behind := d.doubtsBehind
		d.mu.Unlock()
		page, err := d.o.Store.List(s.over, queue.Filter{States: []queue.State{queue.InDoubt}, Limit: doubtsAPage, Oldest: true, Before: behind})
		if s.over.Err() != nil || !d.recordUse(err) {
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

// checkAccount checks the doubts of an account until all are checked or the time is over; the next run
// checks the others.
func (s *leaseSession) checkAccount(account string, doubts []queue.Entry) {
	route, err := s.d.o.Route(s.over, account)
	if err != nil {
		return // its account workers report it
	}
	ctx, cancel := context.WithTimeout(s.over, lookTime)
	defer cancel()
	v := &folderSearch{route: route}
	defer v.close()
	for _, e := range doubts {
		if ctx.Err() != nil {
			return
		}
		if s.d.lookNow(e) {
			s.resolveDoubt(ctx, v, e.ID)
		}
	}
}

// folderSearch is a connection to the Sent folder of an account, for several messages.
type folderSearch struct {
	route  Route
	folder SentFolder
	err    error // why the folder can't be opened; it is not opened again
}

// findCopy searches for a message.
func (v *folderSearch) findCopy(ctx context.Context, messageID string) (FoundCopy, error) {
	if v.folder == nil && v.err == nil {
		v.folder, v.err = v.route.Sent(ctx)
	}
	if v.err != nil {
		return FoundCopy{}, v.err
	}
	return v.folder.Find(ctx, messageID)
}

func (v *folderSearch) close() {
	if v.folder != nil {
		v.folder.Close()
	}
}

// forgetDoubts removes the doubts that have ended, of the messages of a page, and records
// where the next page begins.
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

// isDue reports whether a message in doubt must be checked now. A new doubt is recorded, and
// is checked later.
func (d *Delivery) isDue(e queue.Entry) bool {
	if d.isNew(e) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.o.Now().Before(d.doubts[e.ID].next)
}

// lookNow records that a message is being checked; it returns false if another goroutine has
// just done so.
func (d *Delivery) lookNow(e queue.Entry) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, known := d.o.Now(), d.doubts[e.ID]
	if now.Before(known.next) {
		return false
	}
	known.looked++
	known.next = now.Add(retryPause(known.looked))
	d.doubts[e.ID] = known
	return true
}

// isNew records a doubt that is new, or that began again: earlier searches say nothing about
// it.
func (d *Delivery) isNew(e queue.Entry) bool {
	var since time.Time
	for _, r := range doubtfulRecipients(e) {
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

// resolveDoubt ends the doubt about a message, if it can.
func (s *leaseSession) resolveDoubt(ctx context.Context, v *folderSearch, id queue.ID) {
	d, route := s.d, v.route
	e, ok := s.inDoubt(id)
	if !ok {
		return
	}
	verb := queue.Verb("")
	if route.Sent != nil && e.MessageID != "" && (copyProves(e) || route.Keeps && noneHasIt(e)) {
		seen, err := v.findCopy(ctx, e.MessageID)
		if s.over.Err() != nil {
			return
		}
		if err != nil {
			d.o.Observe(WorkerEvent{Kind: Reconciled, Account: e.Account, ID: id, MessageID: e.MessageID, State: queue.InDoubt, Err: err})
		}
		known := d.sawCopy(id, seen.Found, err)
		// The copy may be from a transaction that happened meanwhile.
		if e, ok = s.inDoubt(id); !ok {
			return
		}
		switch {
		case err == nil && seen.Found && copyProves(e) && isOf(seen, e) && s.isAlone(e):
			verb = queue.ResolveFound
		case err == nil && !seen.Found && route.Keeps && noneHasIt(e) && known.absent >= looks:
			verb = queue.ResolveResend
		case known.looked < looks:
			return // it may still appear
		}
	}
	if verb == "" && route.Doubt == RetryDoubt {
		verb = queue.ResolveResend
	}
	if verb != "" {
		s.applyVerb(e, verb)
	}
}

// isOf reports whether a copy can be from the transaction in doubt: it arrived no earlier than
// the recipient was marked as being sent. Servers report seconds.
func isOf(seen FoundCopy, e queue.Entry) bool {
	marked := doubtfulRecipients(e)[0].Marked
	return !marked.IsZero() && !seen.Arrived.Before(marked.Truncate(time.Second))
}

// isAlone reports whether no other message of the outbox with this Message-ID was ever tried,
// from which the copy could be.
func (s *leaseSession) isAlone(e queue.Entry) bool {
	page, err := s.d.o.Store.List(s.over, queue.Filter{MessageID: e.MessageID, Limit: sameID})
	if s.over.Err() != nil || !s.d.recordUse(err) || page.More {
		return false
	}
	return !slices.ContainsFunc(page.Entries, func(other queue.Entry) bool { return other.ID != e.ID && wasTried(other) })
}

// wasTried reports whether a message was ever sent to a server, or is about to be.
func wasTried(e queue.Entry) bool {
	if e.Total > len(e.Recipients) {
		return true // a list does not show all recipients
	}
	return slices.ContainsFunc(e.Recipients, func(r queue.Recipient) bool {
		switch r.State {
		case queue.Leased, queue.Sending, queue.InDoubt, queue.HandedOver:
			return true
		}
		return r.Attempts > 0 || r.Doubted
	})
}

// inDoubt returns a message that has recipients in doubt, if none of the doubts is new.
func (s *leaseSession) inDoubt(id queue.ID) (queue.Entry, bool) {
	e, err := s.d.o.Store.Show(s.over, id)
	if s.over.Err() != nil || !s.d.recordUse(err) {
		return e, false
	}
	return e, len(doubtfulRecipients(e)) > 0 && !s.d.isNew(e)
}

// sawCopy records whether a copy was found. A failed search is not counted.
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

func (s *leaseSession) applyVerb(e queue.Entry, verb queue.Verb) {
	c := outbox.Change{Verb: verb, Filter: queue.Filter{IDs: []queue.ID{e.ID}, States: []queue.State{queue.InDoubt}}}
	if verb == queue.ResolveFound {
		c.N = &doubtfulRecipients(e)[0].N // there is no other
	}
	changed, err := s.d.o.Store.Change(s.hard, c)
	if !s.recordUse(err) || changed.Recipients == 0 {
		return
	}
	state, _ := verb.Target(queue.InDoubt)
	s.d.o.Observe(WorkerEvent{Kind: Reconciled, Account: e.Account, ID: e.ID, MessageID: e.MessageID, State: state, Count: changed.Recipients})
	s.d.wakeDispatcher()
}

// doubtfulRecipients returns the recipients in doubt.
func doubtfulRecipients(e queue.Entry) []queue.Recipient {
	return slices.DeleteFunc(slices.Clone(e.Recipients), func(r queue.Recipient) bool { return r.State != queue.InDoubt })
}

// copyProves reports whether a copy in the Sent folder can only be from the transaction in
// doubt. Each recipient may have had a transaction of its own, and it is not recorded which
// shared one. So only one recipient may be in doubt, and no other may have had the message,
// now or before.
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
	return len(doubtfulRecipients(e)) == 1
}

// noneHasIt reports whether a missing copy proves anything: it does not if a recipient got the
// message, which should have left a copy.
func noneHasIt(e queue.Entry) bool {
	return !slices.ContainsFunc(e.Recipients, func(r queue.Recipient) bool { return r.State == queue.HandedOver })
}
