package sending

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/sendlog"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// Options describe a run. Sender is required.
type Options struct {
	// Sender sends the messages. Fallbacks take over in their order, each from the one
	// before, when its failure is temporary and no server can have the message.
	Sender    Sender
	Fallbacks []Sender
	// Policy is what happens to a message if a recipient is refused.
	Policy smtpclient.Policy
	// Log has the outcomes of earlier runs, and receives those of this one; nil for none.
	// What it has as accepted, refused or unknown is not sent again. The run closes it.
	Log *sendlog.Log
	// Resend are the statuses in the log that are sent again besides deferred and not
	// tried: unknown, refused.
	Resend []smtp.Status
	// Date is given to messages that have none, unless the log has the date of an earlier
	// attempt; zero leaves them alone.
	Date time.Time
	// Probe says that the client stops before the message, see transport.Options.StopAfter:
	// no failure ends the run or makes another sender take over.
	Probe bool
	// KeepUnreached leaves messages whose server could not be reached to the caller, see
	// [Summary.Unreached].
	KeepUnreached bool
	// CloseEarly closes the client before the last message is reported, so that QUIT comes
	// before the report in a trace.
	CloseEarly bool
	// Progress returns the function that is called while a message is sent; nil for none.
	Progress func(*Message) func(sent, size int64)
	// Observe receives the events of the run; nil for none. It is called by one goroutine
	// at a time, except for [Draining]. ctx lasts as long as messages are on the wire.
	Observe func(ctx context.Context, e Event)
	// Now and After are the clock; time.Now and time.After by default.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

// Run sends messages once. The transport takes them from transactions, in a goroutine of
// its own; Send handles the results as they come.
type Run struct {
	o        Options
	messages []*Message
	// pending are sent in this round, at least to some recipients; settled are not sent,
	// because of the log.
	pending, settled []*Message

	sender    Sender
	fallbacks []Sender // those that have not taken over yet
	client    *yan.Client
	server    transport.Server
	round     round
	mailboxes sentMailboxes
	attempts  *attempts // nil without a log
	logClosed bool

	summary  Summary
	loggedIn bool // an accepted message was reported
	lost     int  // failures before MAIL in a row
	endedBy  smtp.Outcome

	mu     sync.Mutex
	taken  []*Message      // by the index of their results
	failed []failedMessage // not handled yet
	end    error           // why no further message is begun; nil while they are
}

// failedMessage is a message that could not be opened.
type failedMessage struct {
	message *Message
	err     error
}

// New prepares a run: it finds out from the log what is left to be sent.
func New(o Options, messages []*Message) *Run {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Observe == nil {
		o.Observe = func(context.Context, Event) {}
	}
	r := &Run{o: o, messages: messages, sender: o.Sender, server: o.Sender.Server, fallbacks: o.Fallbacks, mailboxes: sentMailboxes{}}
	if o.Log == nil {
		r.pending = messages
		return r
	}
	r.attempts = newAttempts(o.Log, r.endWith)
	r.resume()
	return r
}

// Pending returns the messages that will be sent, at least to some recipients.
func (r *Run) Pending() []*Message { return r.pending }

// Open opens the sender. It does nothing if no message is pending.
func (r *Run) Open(ctx context.Context) error {
	if len(r.pending) == 0 {
		return nil
	}
	var err error
	r.client, r.server, err = r.sender.Open(ctx)
	return err
}

// Send sends the pending messages and reports each. If ctx is cancelled, no further
// message is begun, and those on the wire get some seconds to finish. An error means a
// fault of this program, not of a message.
func (r *Run) Send(ctx context.Context) (Summary, error) {
	r.reportSettled(ctx)
	var err error
	if len(r.pending) > 0 {
		if err = r.sendRound(ctx); err == nil {
			err = r.fallBack(ctx)
		}
	}
	if err == nil {
		r.reportRest(ctx)
	}
	r.summary.LogErr = r.closeLog()
	return r.summary, err
}

// Close closes the client, the mailboxes and the log. It returns why the log could not be
// written, if Send has not done so.
func (r *Run) Close() error {
	if r.client != nil {
		_ = r.client.Close() // everything that it was given is settled
	}
	r.mailboxes.close()
	return r.closeLog()
}

// closeLog closes the log once.
func (r *Run) closeLog() error {
	if r.attempts == nil || r.logClosed {
		return nil
	}
	r.logClosed = true
	_ = r.attempts.wait() // the log keeps its first error
	return r.o.Log.Close()
}

// sendRound sends the pending messages from one sender.
func (r *Run) sendRound(ctx context.Context) error {
	sending, done := r.drainContext(ctx)
	defer done()
	for result, err := range r.results(sending, r.transactions(ctx)) {
		if _, failed := errors.AsType[*yan.SendError](err); err != nil && !failed {
			return err
		}
		r.reportFailed(sending)
		m := r.takenAt(result.Index)
		if m == nil || len(result.Recipients) != m.now().Len() {
			return fmt.Errorf("a result that belongs to no message: %d", result.Index)
		}
		r.settle(ctx, sending, m, result)
	}
	r.reportFailed(sending)
	return nil
}

// results sends. One message needs no run: Deliver says exactly how far it came.
func (r *Run) results(ctx context.Context, messages iter.Seq[yan.Transaction]) iter.Seq2[yan.Result, error] {
	if len(r.pending) > 1 {
		return r.client.SendTransactions(ctx, messages)
	}
	return func(yield func(yan.Result, error) bool) {
		for t := range messages {
			if !yield(r.client.SendTransaction(ctx, t)) {
				return
			}
		}
	}
}

// settle handles the result of a message. sending is the context of what is on the wire,
// which outlives ctx for a while.
func (r *Run) settle(ctx, sending context.Context, m *Message, result yan.Result) {
	if result.Size == 0 {
		result.Size = m.Size
	}
	result.MessageID = m.MessageID
	if cameToNothing(m, result) {
		r.endIfHopeless(result)
		if o := result.Recipients[0]; !errors.As(o.Err, new(notBegun)) {
			r.o.Observe(sending, NotTakenOver{Account: r.sender.Account, Outcome: o})
		}
		r.logOutcome(m, m.earlier.result)
		r.reportEarlier(sending, m)
		return
	}
	r.logOutcome(m, result)
	if neverBegan(result) {
		m.Close()
		m.taken = false // reportRest reports it with all like it
		return
	}
	r.endIfHopeless(result)
	if r.keepsUnreached(sending, m, result) || r.fallsBack(ctx, sending, m, result) {
		r.reportLogin(sending, result)
		return
	}
	defer m.Close()
	if r.o.CloseEarly && r.summary.Messages == len(r.messages)-1 {
		_ = r.client.Close()
	}
	all := result
	all.Recipients = m.outcomes(result.Recipients)
	r.report(sending, m, all, r.as(m, result), nil)
	r.reportLogin(sending, result)
	r.addDueCopy(m, result)
	r.saveCopies(sending, m)
}

// takenAt returns the message that the transport took at an index; nil for none.
func (r *Run) takenAt(i int) *Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i < 0 || i >= len(r.taken) {
		return nil
	}
	return r.taken[i]
}

// maxLost is how many messages in a row may fail before MAIL for a reason that may pass.
const maxLost = 3

// endIfHopeless ends a run that leads nowhere: a login that was refused would be refused
// again, until the provider locks the account.
func (r *Run) endIfHopeless(result yan.Result) {
	o, failed := result.WorstOutcome()
	r.summary.OutOfStep = r.summary.OutOfStep || failed && errors.Is(o.Err, smtpclient.ErrOutOfStep)
	if !failed || o.Status == smtp.Unknown || r.o.Probe || !o.Stage.BeforeMail() {
		r.lost = 0
		return
	}
	if o.Stage != smtp.StageAuth {
		if r.lost++; r.lost < maxLost {
			return
		}
	}
	r.endedBy = o
	r.endWith(ErrHopeless)
}

// endWith begins no further message.
func (r *Run) endWith(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end == nil {
		r.end = err
	}
}

// stopped returns why no further message is begun; nil while they are.
func (r *Run) stopped(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end
}

// logOutcome writes the outcomes of a message to the log.
func (r *Run) logOutcome(m *Message, result yan.Result) {
	if r.attempts == nil {
		return
	}
	if err := r.attempts.settle(m, result); err != nil {
		r.endWith(ErrLog)
	}
}

func hasAccepted(result yan.Result) bool {
	return slices.ContainsFunc(result.Recipients, func(o smtp.Outcome) bool { return o.Status == smtp.Accepted })
}
