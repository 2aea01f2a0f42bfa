package sending

import (
	"context"
	"errors"
	"slices"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/smtp"
)

// reportMessage reports the outcome of a message.
func (r *Run) reportMessage(ctx context.Context, m *Outgoing, result yan.Result, as SentAs, reason error) {
	m.reported = true
	logged := m.fromLog()
	r.summary.countMessage(result, logged)
	r.o.Observe(ctx, Reported{Message: m, Result: result, As: as, Via: m.via, InsteadOf: m.insteadOf, Logged: logged, Decided: m.decided != nil, Reason: reason})
}

// fromLog reports, by recipient, whether the outcome is from the log of an earlier run. It returns
// nil without a log.
func (m *Outgoing) fromLog() []bool {
	if m.decided == nil {
		return nil
	}
	logged := make([]bool, len(m.decided))
	for i, o := range m.decided {
		logged[i] = o.Status != "" && (m.via == nil || m.via[i] == nil)
	}
	return logged
}

// notTried returns the result of a message that the transport never got.
func notTried(m *Outgoing, stage smtp.Stage, err error) yan.Result {
	var now []smtp.Outcome
	for _, to := range m.roundEnvelope().To() {
		now = append(now, smtp.Outcome{Recipient: to, Status: smtp.NotTried, Stage: stage, Err: err})
	}
	return yan.Result{MessageID: m.MessageID, Size: m.Size, Recipients: m.mergeOutcomes(now)}
}

// reportRest reports the messages that were not taken, for a reason. Messages that waited for another
// account keep their earlier outcome.
func (r *Run) reportRest(ctx context.Context, reason error) {
	for _, m := range r.pending {
		switch {
		case m.taken || m.failed || m.waits || m.reported:
		case m.earlier != nil:
			r.reportEarlier(ctx, m)
		case len(r.summary.Unreached) > 0 && errors.Is(reason, ErrHopeless):
			r.keepUnreached(ctx, m, r.endedBy)
		default:
			result := notTried(m, smtp.StageConnect, reason)
			r.reportMessage(ctx, m, result, r.sentAs(m, result), reason)
		}
	}
}

// reportEarlier reports the outcome of a message at the account before.
func (r *Run) reportEarlier(ctx context.Context, m *Outgoing) {
	defer m.Close()
	result := m.earlier.result
	result.Recipients = m.mergeOutcomes(result.Recipients)
	r.reportMessage(ctx, m, result, m.earlier.as, nil)
	r.saveCopies(ctx, m)
}

// reportLogin reports that the login works, once, after the first accepted message.
func (r *Run) reportLogin(ctx context.Context, result yan.Result) {
	if !r.loggedIn && r.sender.Account != "" && hasAccepted(result) {
		r.loggedIn = true
		r.o.Observe(ctx, LoggedIn{Account: r.sender.Account})
	}
}

// sentAs returns the account and the sender of a message in this round.
func (r *Run) sentAs(m *Outgoing, result yan.Result) SentAs {
	return SentAs{Account: r.sender.Account, Server: r.server, From: m.Envelope.From(), MessageID: result.MessageID, ServerID: result.ServerID}
}

func hasAccepted(result yan.Result) bool {
	return slices.ContainsFunc(result.Recipients, func(o smtp.Outcome) bool { return o.Status == smtp.Accepted })
}

// reportSettled reports a message that the log settles.
func (r *Run) reportSettled(ctx context.Context, m *Outgoing) {
	result := yan.Result{MessageID: m.MessageID, Size: m.Size, Recipients: m.decided}
	r.reportMessage(ctx, m, result, r.sentAs(m, result), nil)
}

// Summary counts the messages of a run by outcome.
type Summary struct {
	Messages int
	// Before counts messages that an earlier run sent to all recipients, Partial those sent to
	// some.
	Sent, Before, Partial, Refused, Deferred, Unknown, NotTried int
	// UnknownTo and RefusedTo count the recipients with such an outcome in the log that were not
	// sent to again.
	UnknownTo, RefusedTo int
	// Missing counts the messages that the next run with the same log will send, at least to some
	// recipients.
	Missing int

	// OutOfStep is set if the server lost commands that were sent together.
	OutOfStep bool
	// Unreachable is set if no server could be reached for some message. Unreached lists the
	// messages that were not reported for this reason, see Options.KeepUnreached; no server knows
	// them.
	Unreachable bool
	Unreached   []*Outgoing
	// LogErr is why the log could not be written. It may show messages as unknown whose outcome was
	// reported.
	LogErr error
}

// countMessage counts a message by its outcomes. logged reports which are from the log; nil if none is.
func (s *Summary) countMessage(r yan.Result, logged []bool) {
	s.Messages++
	missing := false
	for i, o := range r.Recipients {
		earlier := logged != nil && logged[i]
		switch {
		case o.Status == smtp.Unknown && earlier:
			s.UnknownTo++
		case o.Status == smtp.Refused && earlier:
			s.RefusedTo++
		}
		missing = missing || o.Status == smtp.Deferred || o.Status == smtp.NotTried
	}
	if missing {
		s.Missing++
	}
	o, failed := r.WorstOutcome()
	switch {
	case !failed && logged != nil && !slices.Contains(logged, false):
		s.Before++
	case !failed:
		s.Sent++
	case o.Status == smtp.Unknown:
		s.Unknown++
	case r.Count(smtp.Accepted) > 0:
		s.Partial++
	case o.Status == smtp.Refused:
		s.Refused++
	case o.Status == smtp.Deferred:
		s.Deferred++
	default:
		s.NotTried++
	}
}
