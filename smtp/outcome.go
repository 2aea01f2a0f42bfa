package smtp

import "fmt"

// Status is what became of one recipient. The values are stable words.
type Status string

const (
	// Accepted: the server took responsibility for the message to this
	// recipient. Nothing that happens afterwards changes it.
	Accepted Status = "accepted"
	// Refused: the server said no for good (5xx).
	Refused Status = "refused"
	// Deferred: the server said not now (4xx).
	Deferred Status = "deferred"
	// Unknown: the last byte of the message was handed to the kernel and no
	// reply was read. It may have been delivered; sending again may duplicate.
	Unknown Status = "unknown"
	// NotTried: the server never got a whole message for this recipient and
	// said nothing about it. Sending again can't duplicate.
	NotTried Status = "not tried"
)

// Statuses lists all of them.
func Statuses() []Status { return []Status{Accepted, Refused, Deferred, Unknown, NotTried} }

// StatusOf is the status that a reply gives to what it answers.
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

// Outcome is what became of one recipient of one message.
type Outcome struct {
	Recipient Address
	Status    Status
	// Stage is where the status was decided.
	Stage Stage
	// Reply decided it; zero when the server said nothing.
	Reply Reply
	// Err is what happened on this side when no reply decided it: a lost
	// connection, a deadline, an attachment that could not be read; nil
	// otherwise.
	Err error
}

// String is one line for a log.
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

// Error is a failure of one stage: the server's reply, or what went wrong on
// this side, or both. It states the fact; what it means is for package
// diagnosis to say.
type Error struct {
	Stage Stage
	Reply Reply // zero when the server said nothing
	Err   error // nil when the reply says it all
}

// Error names the stage first: "auth: 535 5.7.8 Authentication failed".
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

// Unwrap gives the local cause, if there is one.
func (e *Error) Unwrap() error { return e.Err }
