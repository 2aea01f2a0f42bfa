package admission

import (
	"errors"

	"github.com/yanmail/yan/internal/intake/spool"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// Refusal is a rule that refuses a message, a sender or a recipient.
type Refusal struct {
	// Rule is "account", "sender", "recipient", "local", "count", "rate", "size", "content", "smtputf8"
	// or "notify"; a Policy may have others.
	Rule  string
	Reply smtp.Reply
	Err   error // what happened, a sentence of package localerr
	Hint  error // what to do; nil if there is nothing
}

// Error says what happened.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the sentence.
func (r *Refusal) Unwrap() error { return r.Err }

// NewRefusal returns a refusal whose reply has the code, the enhanced code ("5.7.1"), and as its text
// the English sentences and the rule. hint may be nil.
func NewRefusal(rule string, code int, enhanced string, err, hint error) *Refusal {
	text := err.Error()
	if hint != nil {
		text += "; " + hint.Error()
	}
	return &Refusal{Rule: rule, Reply: reply(code, enhanced, text+" (rule: "+rule+")"), Err: err, Hint: hint}
}

func reply(code int, enhanced, text string) smtp.Reply {
	e, _, _ := smtp.CutEnhancedCode(enhanced + " ")
	return smtp.Reply{Code: code, Enhanced: e, Lines: []string{text}}
}

// Reply returns the answer to an error of this package: that of a *Refusal, 452 4.3.1 if there is no
// room, 554 5.5.0 for another message with the same key, and 451 4.3.0 for any other error, whose text
// is for the log and not for clients.
func Reply(err error) smtp.Reply {
	var refusal *Refusal
	var disk *spool.DiskError
	switch {
	case errors.As(err, &refusal):
		return refusal.Reply
	case errors.Is(err, queue.ErrFull), errors.As(err, &disk):
		return reply(452, "4.3.1", queue.ErrFull.Error())
	case errors.Is(err, queue.ErrConflict):
		return reply(554, "5.5.0", queue.ErrConflict.Error())
	}
	return reply(451, "4.3.0", errStore.Error())
}

var errStore = localerr.New("the message can't be stored now; try again later")
