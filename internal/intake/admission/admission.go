// Package admission takes messages from programs into the outbox: it finds what a peer may do, checks
// sender and recipients, repairs the message and stores it. Every way in uses it: the submission socket,
// the SMTP listener and the drop folder.
//
// # The same message twice
//
// A message has a key if it has the field Yan-Key, which is not sent, or if the way in gives it one
// ([Transaction.SetKey]). Stored again by the same peer under its key, it is a duplicate, or, with other
// octets, queue.ErrConflict. Otherwise a message with a Message-ID of its own is a duplicate for a day if
// peer, envelope and octets are the same: a client that lost the reply sends it again.
package admission

import (
	"context"
	"runtime"
	"time"

	"github.com/yanmail/yan/internal/intake/repair"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// Store is the part of an outbox that admission uses.
type Store interface {
	outbox.Enqueuer
	// List finds the messages of a peer by their tag, and messages by their number.
	List(ctx context.Context, f queue.Filter) (queue.Page, error)
}

// Options configure an Admission.
type Options struct {
	Policy func() Policy // the current one: reloading the configuration changes it
	Store  Store
	Spool  string // the folder for large messages; "" is the system's folder for temporary files
	// Repeat stores a message again that is handed over twice within a day, unless it has a key.
	Repeat  bool
	Now     func() time.Time // nil: time.Now
	Observe func(Event)      // is told of each message that Accept has read; nil: no one is
}

// Event is a message that was accepted or refused, for logs and metrics.
type Event struct {
	Peer       Peer
	Account    string
	From       string // as the client gave it
	Recipients int
	Accepted   Accepted // if Err is nil
	Err        error    // a *Refusal, or an error of the store
}

// Admission is safe for concurrent use.
type Admission struct {
	o Options
	*counters
}

// counters are shared by the ways in of a process: each peer has one limit at all of them.
type counters struct {
	rates rates
	large largeMessages
	turns chan struct{} // of longer messages that are being repaired
}

// New returns an Admission.
func New(o Options) *Admission {
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &Admission{o: o, counters: &counters{turns: make(chan struct{}, max(4, 2*runtime.GOMAXPROCS(0)))}}
	a.rates.load = a.recentRecipients
	return a
}

// With returns an Admission with another policy and Repeat, for another way in to the same outbox: the
// limits of a peer count what it hands over at both.
func (a *Admission) With(policy func() Policy, repeat bool) *Admission {
	other := *a
	other.o.Policy, other.o.Repeat = policy, repeat
	return &other
}

// Accepted is a message that is in the outbox.
type Accepted struct {
	ID        queue.ID
	Duplicate bool // it was there already
	MessageID string
	Changes   []repair.Change
}

// Grant returns what a peer may do. The error is a *Refusal.
func (a *Admission) Grant(p Peer) (Grant, error) { return a.o.Policy().Grant(p) }
