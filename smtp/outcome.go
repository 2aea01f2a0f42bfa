package smtp

import "fmt"

// Status is the status of one recipient. The values are stable words.
type Status string

const (
	// Accepted: the server took responsibility for the message to this recipient. No later event
	// changes it.
	Accepted Status = "accepted"
	// Refused: the server refused it permanently (5xx).
	Refused Status = "refused"
	// Deferred: the server refused it temporarily (4xx).
	Deferred Status = "deferred"
	// Unknown: the last octet of the message was passed to the kernel and no reply was read. The
	// message may have been delivered; sending it again may duplicate it.
	Unknown Status = "unknown"
	// NotTried: the server never got a whole message for this recipient and did not answer for
	// it. Sending again can't duplicate it.
	NotTried Status = "not tried"
)

// Statuses lists all statuses.
func Statuses() []Status { return []Status{Accepted, Refused, Deferred, Unknown, NotTried} }

// StatusOf returns the status that follows from a reply.
func StatusOf(r Reply) Status {
	switch {
	case r.Positive():
		return Accepted
	case r.Transient():
		return Deferred
	default:
		return Refused
	}
}

// Outcome is the result for one recipient of one message.
type Outcome struct {
	Recipient Address
	Status    Status
	// Stage is the stage at which the status was decided.
	Stage Stage
	// Reply is the deciding reply; zero without one.
	Reply Reply
	// Err is the error on this side if no reply decided: a lost connection, a deadline, an
	// unreadable attachment; nil otherwise.
	Err error
}

// String returns one line for a log.
func (o Outcome) String() string {
	s := fmt.Sprintf("%s: %s at %s", o.Recipient, o.Status, o.Stage)
	if !o.Reply.IsZero() {
		s += ": " + o.Reply.String()
	}
	if o.Err != nil {
		s += ": " + o.Err.Error()
	}
	return s
}

// Error is a failure at a stage: the server's reply, or an error on this side, or both. It states
// the fact; package diagnosis explains it.
type Error struct {
	Stage Stage
	Reply Reply // zero without a reply
	Err   error // nil if the reply is the error
}

// Error begins with the stage: "auth: 535 5.7.8 Authentication failed".
func (e *Error) Error() string {
	s := string(e.Stage)
	if !e.Reply.IsZero() {
		s += ": " + e.Reply.String()
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the error on this side, if there is one.
func (e *Error) Unwrap() error { return e.Err }
