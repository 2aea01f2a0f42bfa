package queue

import "time"

// Filter selects messages; empty fields select all. A message is selected if one of its
// recipients has all that the filter says about recipients: States, To and Doubted. A
// change changes only those recipients.
//
// To and From are parts of an address as it was given, in lower case (strings.ToLower).
// No character in them has a special meaning.
type Filter struct {
	IDs       []ID
	Account   string
	States    []State
	To        string // part of the address of a recipient, in lower case
	From      string // part of the address of the sender, in lower case
	Tag       string
	Key       string
	MessageID string    // the whole of it, with its angle brackets
	Since     time.Time // enqueued at this time or later
	Until     time.Time // enqueued before this time
	Doubted   bool      // only recipients that were in doubt at least once
	Before    ID        // the last message of the page before; 0 for the first page
	Limit     int       // messages on a page; 0 means 50
	Oldest    bool      // lists the oldest first; Before then means after
}

// Page is a part of a list.
type Page struct {
	Entries []Entry
	// More is true if there are messages after these; the ID of the last entry is the
	// Filter.Before of the next page.
	More bool
}

// Changed counts the messages and recipients of a change.
type Changed struct {
	Messages, Recipients int
	// Untouched counts selected recipients whose state does not allow the change.
	Untouched int
}

// Resolution is the decision of a user about a recipient that is in doubt.
type Resolution string

const (
	Sent   Resolution = "sent"   // it was handed over: nothing more is sent
	Resend Resolution = "resend" // send it again; the recipient may get it twice
)

// Verb is a change that a user asks for. Each changed recipient adds an [Event], whose
// kind is released, retry, resent or found, and otherwise that of the new state. A change
// to Queued extends an expired message by another lifetime of five days. The number of
// attempts, the last answer and the lease stay, so that the answer of an earlier worker
// is accepted until another worker leases the recipient.
type Verb string

const (
	Hold    Verb = "hold"    // Queued, Deferred and Leased recipients
	Release Verb = "release" // Held ones; they are due when they were due before
	// Retry makes Queued, Deferred, Failed, Expired and Cancelled recipients due now,
	// whatever NotBefore says. If one fails again, that is reported again.
	Retry  Verb = "retry"
	Cancel Verb = "cancel" // all that are neither Sending nor final
	// ResolveSent and ResolveResend end a doubt: as handed over, or due now. ResolveFound
	// is ResolveSent for a message that is in the Sent folder.
	ResolveSent   Verb = "resolve_sent"
	ResolveResend Verb = "resolve_resend"
	ResolveFound  Verb = "resolve_found"
)

// Verbs returns all verbs.
func Verbs() []Verb {
	return []Verb{Hold, Release, Retry, Cancel, ResolveSent, ResolveResend, ResolveFound}
}

// Target returns the state that a verb leads to, and whether it is possible in a state.
func (v Verb) Target(from State) (to State, ok bool) {
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
