package admission

import (
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// Refusal is a rule that refuses a message, a sender or a recipient.
type Refusal struct {
	Rule  string // "sender", "recipient", "local", "rate", "size", "count", "content", "smtputf8", "account"
	Reply smtp.Reply
	Err   error // what happened, a sentence of package localerr
	Hint  error // what to do; nil if there is nothing
}

// Error says what happened.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the sentence.
func (r *Refusal) Unwrap() error { return r.Err }

// NewRefusal returns a refusal whose reply has the code, the enhanced code ("5.7.1"), and as its text
// the rule and the English sentences. hint may be nil.
func NewRefusal(rule string, code int, enhanced string, err, hint error) *Refusal {
	text := "rule " + rule + ": " + err.Error()
	if hint != nil {
		text += "; " + hint.Error()
	}
	e, _, _ := smtp.CutEnhancedCode(enhanced + " ")
	return &Refusal{Rule: rule, Reply: smtp.Reply{Code: code, Enhanced: e, Lines: []string{text}}, Err: err, Hint: hint}
}

// Reply returns the answer to an error of this package: that of a *Refusal, 452 4.3.1 if the outbox is
// full, 554 5.5.0 for a conflict of keys, and 451 4.3.0 for any other.
func Reply(err error) smtp.Reply {
	return NewRefusal("store", 451, "4.3.0", localerr.New("the message can't be stored now; try again later"), nil).Reply
}
