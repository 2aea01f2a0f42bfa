package queue

import (
	"strconv"
	"time"

	"github.com/yanmail/yan/smtp"
)

// ID is the number of a message in its outbox. It counts up from 1, with gaps.
type ID int64

// String returns the number.
func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }

// Priority decides which of the messages that are due is sent first.
type Priority int

const (
	Normal Priority = 0
	High   Priority = 1
	Low    Priority = -1
)

// Priorities returns all priorities, the highest first.
func Priorities() []Priority { return []Priority{High, Normal, Low} }

// Word returns "high", "normal" or "low".
func (p Priority) Word() string {
	switch {
	case p > 0:
		return "high"
	case p < 0:
		return "low"
	}
	return "normal"
}

// PriorityOf returns the priority of a word.
func PriorityOf(word string) (p Priority, ok bool) {
	for _, p := range Priorities() {
		if p.Word() == word {
			return p, true
		}
	}
	return Normal, false
}

// PriorityWords returns the words of all priorities, the highest first.
func PriorityWords() []string {
	var words []string
	for _, p := range Priorities() {
		words = append(words, p.Word())
	}
	return words
}

// Entry is a message in the outbox. In a list it has no Events and at most 20
// Recipients.
type Entry struct {
	ID         ID
	Account    string // the account that sends it
	Key        string // the idempotency key; "" if it has none
	From       smtp.Address
	MessageID  string // with its angle brackets
	Subject    string // is removed together with the body
	Size       int64  // in octets
	HasBody    bool   // false when the body has been removed
	Created    time.Time
	NotBefore  time.Time // zero: it may be sent at once
	Expires    time.Time
	Priority   Priority
	Tags       []string
	ReportOn   ID          // the message that this one is a bounce of; 0 if it is none
	Recipients []Recipient // in the order of the envelope
	Total      int         // the number of all recipients
	Events     []Event     // the oldest first
}

// Recipient is the state of one recipient of a message.
type Recipient struct {
	N        int // its place in the envelope, from 0
	Address  smtp.Address
	State    State
	Attempts int       // that were made and counted
	Due      time.Time // of Queued and Deferred; zero in other states
	// Marked is when a recipient that is InDoubt was marked as being sent, or an earlier
	// time; zero in other states.
	Marked  time.Time
	Doubted bool      // it was in doubt at least once
	Worker  string    // the worker that has it, as "host pid"; "" if none
	Updated time.Time // of the last change of its state, or the last answer
	Answer  Answer    // the last
}

// Answer is the result of an attempt.
type Answer struct {
	Stage smtp.Stage // "" if there is none
	Reply smtp.Reply // zero if the server sent none
	// Err is the local error, "" if the reply says everything.
	Err string
	// Class is the class of package diagnosis.
	Class string
	// ServerID is the id that the server gave the message.
	ServerID string
}
