package sending

import (
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// RunEvent is an event of a run: one of the types below.
type RunEvent interface{ isEvent() }

// Reported reports the outcome of a message for all its recipients.
type Reported struct {
	Message *Outgoing
	Result  yan.Result
	As      SentAs
	// Via holds, by recipient, the account that decided before another took over; nil if none did.
	Via []*SentAs
	// InsteadOf holds the outcome at each account that another one took over from.
	InsteadOf []Handover
	// Logged reports, by recipient, whether the outcome is from the log of an earlier run; nil if
	// none is.
	Logged []bool
	// Decided is set if some outcomes are from the log or from an earlier account.
	Decided bool
	// Reason is why the run ended before the message's turn; nil if it had its turn.
	Reason error
}

// TookOver reports that an account takes over from another one, because of an outcome.
type TookOver struct {
	From, To string
	Outcome  smtp.Outcome
}

// NotTakenOver reports that an account does not take over: it does not serve the sender of a
// message (Sender), it can't be opened (Err), or it fails as well (Outcome).
type NotTakenOver struct {
	Account string
	Sender  smtp.Address
	Err     error
	Outcome smtp.Outcome
}

// LoggedIn reports that a server accepted a message of the account: the login works. It
// is reported once in a run.
type LoggedIn struct{ Account string }

// Unreached reports that a server can't be reached and that the message is left to the caller, see
// [Summary.Unreached].
type Unreached struct {
	Message *Outgoing
	Server  transport.Server
	Outcome smtp.Outcome
}

// Copied reports the copy of a sent message: its folder, or the error.
type Copied struct {
	Message   *Outgoing
	Account   string
	MessageID string
	Folder    string
	Err       error
	// First is set if this error was not reported before. An error of the mailbox holds for later
	// messages of the account, too.
	First bool
}

// Draining reports that the run was cancelled, and how long it waits for messages in flight. It is
// reported by a separate goroutine.
type Draining struct{ Timeout time.Duration }

func (Reported) isEvent()     {}
func (TookOver) isEvent()     {}
func (NotTakenOver) isEvent() {}
func (LoggedIn) isEvent()     {}
func (Unreached) isEvent()    {}
func (Copied) isEvent()       {}
func (Draining) isEvent()     {}
