package yan

import (
	"errors"
	"fmt"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Result is what became of one message.
type Result struct {
	// Index is the message's place among those given to SendAll or DeliverAll,
	// counted from 0.
	Index int
	// MessageID is that of the message's header, with its angle brackets.
	MessageID string
	// ServerID is the name the server gave the message; "" when it gave none.
	ServerID string
	// Size of the message in octets, as it was sent or was to be.
	Size int64
	// Recipients has one outcome per recipient, in the envelope's order.
	Recipients []Outcome
	// Reply is the server's answer to the whole message; zero if there was none.
	Reply Reply
}

// Count is how many recipients have a status.
func (r Result) Count(status smtp.Status) int {
	n := 0
	for _, o := range r.Recipients {
		if o.Status == status {
			n++
		}
	}
	return n
}

// Decisive is the outcome that says most about why not everybody was served:
// one that nobody can know before one that was refused, that before one that
// may be tried again, and one that only shared the others' fate last. ok is
// false when everybody was accepted.
func (r Result) Decisive() (o Outcome, ok bool) {
	best := 0
	for _, candidate := range r.Recipients {
		if w := weight(candidate); w > best {
			o, best = candidate, w
		}
	}
	return o, best > 0
}

func weight(o Outcome) int {
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

// SendError says that not every recipient was accepted.
type SendError struct {
	Result Result
	// Finding is what the decisive outcome means, and what to do about it.
	Finding diagnosis.Finding
}

// Error names the decisive recipient, counts the others, and gives the advice.
func (e *SendError) Error() string {
	o, _ := e.Result.Decisive()
	s := o.String()
	if n := len(e.Result.Recipients); n > 1 {
		s = fmt.Sprintf("%d of %d recipients not accepted; %s", n-e.Result.Count(smtp.Accepted), n, s)
	}
	if e.Finding.Advice.EN != "" {
		s += " — " + e.Finding.Advice.EN
	}
	return s
}

// Unwrap gives what happened on this side, if that decided it.
func (e *SendError) Unwrap() error {
	o, _ := e.Result.Decisive()
	return o.Err
}

// failure is nil when everybody was accepted.
func (r Result) failure(provider string) error {
	o, failed := r.Decisive()
	if !failed {
		return nil
	}
	return &SendError{Result: r, Finding: Explain(o, provider).ForPrograms()}
}

// Explain says what an outcome means; provider is the id of a provider, or "".
func Explain(o Outcome, provider string) diagnosis.Finding {
	return diagnosis.Diagnose(diagnosis.FromOutcome(o, provider))
}
