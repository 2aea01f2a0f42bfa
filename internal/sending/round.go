package sending

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// sendRound sends the pending messages from one sender.
func (r *Run) sendRound(ctx context.Context) error {
	sending, done := r.drainContext(ctx)
	defer done()
	for result, err := range r.sendResults(sending, r.pendingTransactions(ctx)) {
		if _, failed := errors.AsType[*yan.SendError](err); err != nil && !failed {
			return err
		}
		r.reportFailed(sending)
		m := r.takenAt(result.Index)
		if m == nil || len(result.Recipients) != m.roundEnvelope().Len() {
			return fmt.Errorf("a result that belongs to no message: %d", result.Index)
		}
		r.settleResult(ctx, sending, m, result)
	}
	r.reportFailed(sending)
	return nil
}

// sendResults sends the pending messages. A single message is sent with SendTransaction, which reports
// exactly how far it came.
func (r *Run) sendResults(ctx context.Context, messages iter.Seq[yan.Transaction]) iter.Seq2[yan.Result, error] {
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

// settleResult handles the result of a message. sending is the context of the messages in flight, which
// outlives ctx for a while.
func (r *Run) settleResult(ctx, sending context.Context, m *Outgoing, result yan.Result) {
	if result.Size == 0 {
		result.Size = m.Size
	}
	result.MessageID = m.MessageID
	if failedBeforeMail(m, result) {
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
		m.taken = false // reportRest reports it with the others
		return
	}
	r.endIfHopeless(result)
	if _, failed := result.WorstOutcome(); failed && (r.keepsUnreached(sending, m, result) || r.fallsBack(ctx, sending, m, result)) {
		r.reportLogin(sending, result)
		return
	}
	defer m.Close()
	if r.o.CloseEarly && r.summary.Messages == len(r.messages)-1 {
		_ = r.client.Close()
	}
	all := result
	all.Recipients = m.mergeOutcomes(result.Recipients)
	r.reportMessage(sending, m, all, r.sentAs(m, result), nil)
	r.reportLogin(sending, result)
	if r.sender.OpenSent != nil {
		r.addDueCopy(m, result)
	}
	if len(m.copies) > 0 {
		r.saveCopies(sending, m)
	}
}

// takenAt returns the message that the transport took at an index; nil if there is none.
func (r *Run) takenAt(i int) *Outgoing {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i < 0 || i >= len(r.taken) {
		return nil
	}
	return r.taken[i]
}

// maxLost limits how many messages in a row may fail before MAIL for a temporary reason.
const maxLost = 3

// endIfHopeless ends a run after a refused login, or after maxLost failures before MAIL. Further
// logins would be refused as well, until the provider locks the account.
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

// endWith ends the run: no further message is begun.
func (r *Run) endWith(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end == nil {
		r.end = err
	}
}

// stopReason returns why no further message is begun, or nil if the run goes on.
func (r *Run) stopReason(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end
}

// logOutcome writes the outcomes of a message to the log.
func (r *Run) logOutcome(m *Outgoing, result yan.Result) {
	if r.attempts == nil {
		return
	}
	if err := r.attempts.writeOutcome(m, result); err != nil {
		r.endWith(ErrLog)
	}
}

// failedBeforeMail reports whether the sender that took over never got as far as MAIL. Then the
// earlier outcome is final.
func failedBeforeMail(m *Outgoing, result yan.Result) bool {
	return m.earlier != nil && !slices.ContainsFunc(result.Recipients, func(o smtp.Outcome) bool {
		return o.Status != smtp.NotTried || !o.Stage.BeforeMail() && !errors.As(o.Err, new(notBegun))
	})
}

// pendingTransactions yields the pending messages to the transport, which reads ahead. Each message is
// opened only then.
func (r *Run) pendingTransactions(ctx context.Context) iter.Seq[yan.Transaction] {
	return func(yield func(yan.Transaction) bool) {
		for _, m := range r.pending {
			if r.stopReason(ctx) != nil {
				return
			}
			if err := m.Open(); err != nil {
				r.recordFailure(m, err)
				continue
			}
			t := r.takeMessage(m)
			if len(r.pending) > 1 {
				t.Ready = func() error {
					if reason := r.stopReason(ctx); reason != nil {
						return notBegun{reason}
					}
					return nil
				}
			}
			if !yield(t) {
				return
			}
		}
	}
}

// takeMessage returns the transaction of a message.
func (r *Run) takeMessage(m *Outgoing) yan.Transaction {
	r.mu.Lock()
	defer r.mu.Unlock()
	m.taken = true
	r.taken = append(r.taken, m)
	t := yan.Transaction{Envelope: m.roundEnvelope(), Content: m.Content, Policy: r.o.Policy}
	if r.o.Progress != nil {
		t.Progress = r.o.Progress(m)
	}
	if r.attempts != nil {
		r.attempts.queueAttempt(m)
		t.Content = &loggedContent{OutgoingContent: m.Content, m: m}
	}
	return t
}

// recordFailure records a message that could not be opened, for reportFailed.
func (r *Run) recordFailure(m *Outgoing, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m.failed = true
	r.failed = append(r.failed, failedMessage{m, err})
}

// notBegun is the error of a message that was still waiting when the run was stopped.
type notBegun struct{ error }

func (e notBegun) Unwrap() error { return e.error }

// neverBegan reports whether notBegun is the outcome of all recipients.
func neverBegan(result yan.Result) bool {
	return !slices.ContainsFunc(result.Recipients, func(o yan.Outcome) bool { return !errors.As(o.Err, new(notBegun)) })
}

// drainTimeout is how long a cancelled run of several messages waits for the messages in flight.
const drainTimeout = 10 * time.Second

// drainContext outlives ctx by drainTimeout, so that messages in flight can finish after Ctrl-C; if
// they were cut off, their outcome would be unknown. It ends with ctx if ctx ends by its deadline,
// or if there is only one message.
func (r *Run) drainContext(ctx context.Context) (sending context.Context, done func()) {
	if len(r.pending) == 1 {
		return ctx, func() {}
	}
	sending, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); errors.Is(cause, context.DeadlineExceeded) {
			cancel(cause)
			return
		}
		r.o.Observe(sending, Draining{Timeout: drainTimeout})
		select {
		case <-r.o.After(drainTimeout):
			cancel(context.Canceled)
		case <-over:
		}
	})
	return sending, func() {
		stop()
		close(over)
		cancel(context.Canceled)
	}
}

// roundPlaces returns the indexes of the recipients that are sent to in this round.
func (m *Outgoing) roundPlaces() []int {
	var places []int
	for i := range m.Envelope.Len() {
		if m.decided == nil || m.decided[i].Status == "" {
			places = append(places, i)
		}
	}
	return places
}

// roundEnvelope returns the envelope of the recipients that are sent to in this round.
func (m *Outgoing) roundEnvelope() smtp.Envelope {
	if m.decided == nil {
		return m.Envelope
	}
	return m.Envelope.Only(m.roundPlaces()...)
}

// mergeOutcomes merges the outcomes of this round with the earlier ones.
func (m *Outgoing) mergeOutcomes(now []smtp.Outcome) []smtp.Outcome {
	if m.decided == nil {
		return now
	}
	all := append([]smtp.Outcome(nil), m.decided...)
	for i, place := range m.roundPlaces() {
		all[place] = now[i]
	}
	return all
}

// reportFailed reports the messages that could not be opened.
func (r *Run) reportFailed(ctx context.Context) {
	r.mu.Lock()
	failed := r.failed
	r.failed = nil
	r.mu.Unlock()
	for _, f := range failed {
		if f.message.earlier != nil {
			r.reportEarlier(ctx, f.message)
			continue
		}
		result := notTried(f.message, smtp.StageMail, fmt.Errorf("%w: %w", smtpclient.ErrContent, f.err))
		r.reportMessage(ctx, f.message, result, r.sentAs(f.message, result), nil)
	}
}
