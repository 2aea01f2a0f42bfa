package yan

import (
	"errors"
	"fmt"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Result is the outcome of one message.
type Result struct {
	// Index is the position of the message among those given to SendAll or
	// SendTransactions, from 0.
	Index int
	// MessageID is the Message-ID of the header, in angle brackets.
	MessageID string
	// ServerID is the server's name for the message, from its reply; "" if it gave none.
	ServerID string
	// Size is the size of the message in octets, as sent or as it would be sent.
	Size int64
	// Recipients has one outcome for each recipient, in the order of the envelope.
	Recipients []Outcome
	// Reply is the server's reply to the whole message; zero if there was none.
	Reply Reply
}

// Count returns the number of recipients with a status.
func (r Result) Count(status smtp.Status) int {
	n := 0
	for _, o := range r.Recipients {
		if o.Status == status {
			n++
		}
	}
	return n
}

// WorstOutcome returns the failed outcome that ranks first: unknown, refused, deferred, not
// tried, and not tried because another recipient was refused. ok is false if every
// recipient was accepted.
func (r Result) WorstOutcome() (o Outcome, ok bool) {
	best := 0
	for _, candidate := range r.Recipients {
		if w := outcomeRank(candidate); w > best {
			o, best = candidate, w
		}
	}
	return o, best > 0
}

// outcomeRank orders outcomes for WorstOutcome; 0 is no failure.
func outcomeRank(o Outcome) int {
	switch {
	case o.Status == smtp.Accepted:
		return 0
	case o.Status == smtp.Unknown:
		return 5
	case errors.Is(o.Err, smtpclient.ErrAnotherRefused):
		return 1
	case o.Status == smtp.Refused:
		return 4
	case o.Status == smtp.Deferred:
		return 3
	default:
		return 2
	}
}

// SendError is the error for a message that not every recipient was accepted for.
type SendError struct {
	Result Result
	// Finding explains the worst outcome, with advice.
	Finding diagnosis.Finding
}

// Error returns the worst outcome, the number of recipients not accepted, and the advice.
func (e *SendError) Error() string {
	o, _ := e.Result.WorstOutcome()
	s := o.String()
	if n := len(e.Result.Recipients); n > 1 {
		s = fmt.Sprintf("%d of %d recipients not accepted; %s", n-e.Result.Count(smtp.Accepted), n, s)
	}
	if e.Finding.Advice.EN != "" {
		s += " — " + e.Finding.Advice.EN
	}
	return s
}

// Unwrap returns the Err of the worst outcome: nil if the server decided it.
func (e *SendError) Unwrap() error {
	o, _ := e.Result.WorstOutcome()
	return o.Err
}

// sendError returns nil if every recipient was accepted, else a *SendError.
func (r Result) sendError(provider string) error {
	o, failed := r.WorstOutcome()
	if !failed {
		return nil
	}
	return &SendError{Result: r, Finding: Explain(o, provider).ForPrograms()}
}

// Explain returns the meaning of an outcome; provider is the ID of a provider, or "".
func Explain(o Outcome, provider string) diagnosis.Finding {
	return diagnosis.Diagnose(diagnosis.FromOutcome(o, provider))
}
