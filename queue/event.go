package queue

import (
	"time"

	"github.com/yanmail/yan/smtp"
)

// EventKind is the kind of an event, in a stable word: the new state, or one of the
// kinds below. Every change of a state adds an event, except those to Leased and Sending.
type EventKind string

const (
	EventEnqueued EventKind = "enqueued" // of a message: N is -1, State that of all its recipients
	EventStale    EventKind = "stale"    // an answer arrived too late and was ignored
	EventRetry    EventKind = "retry"    // due now, because a user asked for it
	EventReleased EventKind = "released"
	EventResent   EventKind = "resent" // a user or the account's in_doubt decided to send it again
	EventFound    EventKind = "found"  // in the Sent folder: it was handed over
	EventLapsed   EventKind = "lapsed" // its worker stopped: queued again
)

// Event is a change of a recipient, or the arrival of a message.
type Event struct {
	Cursor  Cursor // the position after this event
	ID      ID
	N       int // the place of the recipient; -1 for the whole message
	Address smtp.Address
	Account string
	Kind    EventKind
	State   State // after the event
	At      time.Time
	Attempt int       // the number of the attempt, from 1; 0 if it does not count
	Due     time.Time // of Deferred
	Answer  Answer    // the result of the attempt; zero if there was none
}

// Cursor is a position between events: a text that a program can store.
type Cursor string

// CursorNow is the position after all events that exist.
const CursorNow Cursor = "now"
