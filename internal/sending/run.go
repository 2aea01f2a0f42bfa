package sending

import (
	"context"
	"sync"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/sending/sendlog"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// Options are the options of a run. Sender is required.
type Options struct {
	// Sender sends the messages. The Fallbacks take over in their order, each from the one before,
	// if its failure is temporary and no server can have the message.
	Sender    AccountSender
	Fallbacks []AccountSender
	// Policy decides whether a message is sent if a recipient is refused.
	Policy smtpclient.Policy
	// Log holds the outcomes of earlier runs and receives those of this one; nil for none.
	// Recipients that it shows as accepted, refused or unknown are not sent to again. The run
	// closes it.
	Log *sendlog.Log
	// Resend lists the statuses in the log to send again besides deferred and not tried: unknown,
	// refused.
	Resend []smtp.Status
	// Date is set in messages that have none, unless the log has the date of an earlier attempt.
	// Zero leaves them unchanged.
	Date time.Time
	// Probe says that the client stops before the message, see transport.Options.StopAfter. Then no
	// failure ends the run or makes another sender take over.
	Probe bool
	// KeepUnreached leaves messages whose server could not be reached to the caller, see
	// [Summary.Unreached].
	KeepUnreached bool
	// CloseEarly closes the client before the last message is reported, so that QUIT comes before
	// the report in a trace.
	CloseEarly bool
	// Progress returns the callback for the progress of a message; nil for none.
	Progress func(*Outgoing) func(sent, size int64)
	// Observe receives the events of the run; nil for none. It is called by one goroutine
	// at a time, except for [Draining]. ctx lasts as long as messages are on the wire.
	Observe func(ctx context.Context, e RunEvent)
	// Now and After are the clock; time.Now and time.After by default.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

// Run sends messages once. The transport pulls them from transactions, in its own goroutine; Send
// handles the results as they come.
type Run struct {
	o        Options
	messages []*Outgoing
	// pending are sent in this round, to some recipients at least; settled are not sent, because of
	// the log.
	pending, settled []*Outgoing

	sender    AccountSender
	fallbacks []AccountSender // senders that have not taken over yet
	client    *yan.Client
	server    transport.Server
	round     senderRound
	mailboxes sentMailboxes
	attempts  *attemptLog // nil without a log
	logClosed bool

	summary  Summary
	loggedIn bool // an accepted message was reported
	lost     int  // failures before MAIL in a row
	endedBy  smtp.Outcome

	mu     sync.Mutex
	taken  []*Outgoing     // by the index of their results
	failed []failedMessage // not handled yet
	end    error           // why no further message is begun; nil while the run goes on
}

// failedMessage is a message that could not be opened.
type failedMessage struct {
	message *Outgoing
	err     error
}

// New prepares a run. It reads from the log which messages are left to send.
func New(o Options, messages []*Outgoing) *Run {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Observe == nil {
		o.Observe = func(context.Context, RunEvent) {}
	}
	r := &Run{o: o, messages: messages, sender: o.Sender, server: o.Sender.Server, fallbacks: o.Fallbacks, mailboxes: sentMailboxes{}}
	if o.Log == nil {
		r.pending = messages
		return r
	}
	r.attempts = newAttemptLog(o.Log, r.endWith)
	r.resumeFromLog()
	return r
}

// Pending returns the messages that will be sent, to some recipients at least.
func (r *Run) Pending() []*Outgoing { return r.pending }

// Open opens the sender. It does nothing if no message is pending.
func (r *Run) Open(ctx context.Context) error {
	if len(r.pending) == 0 {
		return nil
	}
	var err error
	r.client, r.server, err = r.sender.Open(ctx)
	return err
}

// Send sends the pending messages and reports each. If ctx is cancelled, no further message is
// begun, and those in flight get ten seconds to finish. An error is a fault of this program, not of
// a message.
func (r *Run) Send(ctx context.Context) (Summary, error) {
	for _, m := range r.settled {
		r.reportSettled(ctx, m)
	}
	var err error
	if len(r.pending) > 0 {
		err = r.sendRound(ctx)
	}
	if err == nil && len(r.fallbacks) > 0 {
		err = r.fallBack(ctx)
	}
	if err == nil {
		r.reportRest(ctx, r.stopReason(ctx))
	}
	r.summary.LogErr = r.closeLog()
	return r.summary, err
}

// Close closes the client, the mailboxes and the log. It returns the error of the log, unless Send
// has returned it.
func (r *Run) Close() error {
	if r.client != nil {
		_ = r.client.Close() // all its messages are settled
	}
	for _, b := range r.mailboxes {
		b.close()
	}
	return r.closeLog()
}

// closeLog closes the log once.
func (r *Run) closeLog() error {
	if r.attempts == nil || r.logClosed {
		return nil
	}
	r.logClosed = true
	_ = r.attempts.waitWritten() // the log keeps its first error
	return r.o.Log.Close()
}
