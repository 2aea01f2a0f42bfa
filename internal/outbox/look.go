package outbox

import (
	"time"

	"github.com/yanmail/yan/smtp"
)

// Filter chooses messages; empty fields choose all. A message fits when one of its
// recipients fits all that is said about recipients: States, To and Doubted.
//
// To and From are parts of an address as it was given, in lower case: that of
// strings.ToLower, beyond ASCII too. No character in them means anything else.
type Filter struct {
	IDs     []ID
	Account string
	States  []State
	To      string // a part of an address of a recipient, lower case
	From    string // a part of the sender's
	Tag     string
	Key     string
	// MessageID is all of it, with its angle brackets.
	MessageID string
	Since     time.Time // enqueued at or after
	Until     time.Time // and before
	Before    ID        // of an earlier page: its last message
	Limit     int       // 0 means 50
	Doubted   bool      // only those that were in doubt once
	Oldest    bool      // the oldest first; Before then means behind
}

// Page is a part of a list.
type Page struct {
	Entries []Entry
	// More says that there are others behind; Last.ID is the next Filter.Before.
	More bool
}

// Entry is a message as people see it. In a list it has no Events, and no
// more than 20 Recipients; Total counts them all.
type Entry struct {
	ID         ID
	Account    string
	Key        string
	From       smtp.Address
	MessageID  string
	Subject    string
	Size       int64
	HasBody    bool
	Created    time.Time
	NotBefore  time.Time // zero: at once
	Expires    time.Time
	Priority   Priority
	Tags       []string
	ReportOn   ID
	Recipients []Status
	Total      int
	Events     []Event
}

// Status is how it stands with a recipient.
type Status struct {
	N        int
	Address  smtp.Address
	State    State
	Attempts int
	Due      time.Time // of Queued and Deferred; zero in other states
	// Marked is when a recipient that is InDoubt was marked as being sent, or before
	// that; zero in other states.
	Marked  time.Time
	Doubted bool      // it was in doubt once
	Worker  string    // that has it: "host pid"; "" when none
	Updated time.Time // the last change of the state, and settlement
	Answer  Answer    // the last
}

// EventKind is what happened, in a stable word: that of the state it led to, or one
// of those below. Claim and Mark are no events; every other change of a state is one.
type EventKind string

const (
	// EventEnqueued is of a message (N is -1, the state that of all its recipients),
	// EventStale of an answer that came too late to be believed.
	EventEnqueued EventKind = "enqueued"
	EventStale    EventKind = "stale"
	EventRetry    EventKind = "retry"
	EventReleased EventKind = "released"
	EventResent   EventKind = "resent" // a person, or the policy, ended the doubt so
	EventFound    EventKind = "found"  // in the Sent folder: handed over
	EventLapsed   EventKind = "lapsed" // its worker did: queued again
)

// Event is something that happened to a recipient.
type Event struct {
	Cursor  Cursor
	ID      ID
	N       int // -1: to the message
	Address smtp.Address
	Account string
	Kind    EventKind
	State   State // since then
	At      time.Time
	Attempt int       // which one it was, from 1; 0 for what does not count as one
	Due     time.Time // of Deferred
	Answer  Answer    // of Settle; zero of what nobody answered
}

// Cursor is a place between events. It is a store's own word.
type Cursor string

// Now is the cursor behind all events that there are.
const Now Cursor = "now"

// Verb is what a person may want. All are events: of the kind released, retry, resent
// or found, otherwise of that of the state. What leads to Queued gives a message that
// has had its time a new one, Lifetime from now. Attempts, Answer and token stay,
// so that an old worker's answer is believed until somebody claims anew.
type Verb string

const (
	Hold    Verb = "hold"    // of what waits, or is leased
	Release Verb = "release" // of what is held; its due time is what it was
	// Retry has it due now, whatever NotBefore says: what is queued, deferred, failed,
	// expired or cancelled. That nobody was told of a failure begins anew.
	Retry  Verb = "retry"
	Cancel Verb = "cancel" // of whatever is not being sent and not final
	// ResolveSent and ResolveResend end a doubt; ResolveFound is ResolveSent by
	// what the Sent folder showed. Sent again means due now.
	ResolveSent   Verb = "resolve_sent"
	ResolveResend Verb = "resolve_resend"
	ResolveFound  Verb = "resolve_found"
)

// Verbs lists them.
func Verbs() []Verb {
	return []Verb{Hold, Release, Retry, Cancel, ResolveSent, ResolveResend, ResolveFound}
}

// Goes reports whether a verb is possible in a state, and where it leads.
func (v Verb) Goes(from State) (to State, ok bool) {
	switch v {
	case Hold:
		return Held, from.Waiting() || from == Leased
	case Release:
		return Queued, from == Held
	case Retry:
		return Queued, from.Waiting() || from == Failed || from == Expired || from == Cancelled
	case Cancel:
		return Cancelled, from.Waiting() || from == Leased || from == Held || from == InDoubt
	case ResolveSent, ResolveFound:
		return HandedOver, from == InDoubt
	case ResolveResend:
		return Queued, from == InDoubt
	}
	return "", false
}

// Change is what a person wants with what a filter chooses: of the messages that
// fit, the recipients that fit what it says about recipients. Limit and Before don't
// count.
type Change struct {
	Verb   Verb
	Filter Filter
	// N chooses one recipient of each; nil all.
	N *int
}

// Changed counts what was changed.
type Changed struct {
	Messages, Recipients int
	// Untouched are recipients that the filter chose and the verb is not possible for.
	Untouched int
}

// Stats is how it stands with an outbox.
type Stats struct {
	Accounts []AccountStats // by name: those with messages, and those that are paused
	Workers  []WorkerStats  // by owner; lapsed ones too, until Sweep has been
	Oldest   time.Time      // when the first message, by ID, of which something is Queued or Deferred was enqueued; zero for none
	Bytes    int64          // of database and spool, where that is known
	Free     int64          // left on the disk; -1 where that is not known
	// Copied says that this is a copy, which delivers nothing until it is adopted.
	Copied bool
	// Ahead is by how much the newest message or event is ahead of the clock, which was
	// ahead then or is behind now; 0 for less than a minute.
	Ahead time.Duration
}

// AccountStats counts recipients by state.
type AccountStats struct {
	Account     string
	Count       map[State]int // without those that are 0
	PausedFor   time.Duration // 0 for not
	PauseAnswer Answer
}

// WorkerStats is one that delivers.
type WorkerStats struct {
	Worker
	Since time.Time
	For   time.Duration // until its lease ends
}
