package sending

import (
	"context"
	"errors"
	"fmt"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// reportMessage reports the outcome of a message.
func (r *Run) reportMessage(ctx context.Context, m *Outgoing, result yan.Result, as SentAs, reason error) {
	m.reported = true
	r.summary.countMessage(m, result)
	r.o.Observe(ctx, Reported{Message: m, Result: result, As: as, Via: m.via, InsteadOf: m.insteadOf, Decided: m.decided != nil, Reason: reason})
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

// notTried returns the result of a message that the transport never got.
func notTried(m *Outgoing, stage smtp.Stage, err error) yan.Result {
	var now []smtp.Outcome
	for _, to := range m.roundEnvelope().To() {
		now = append(now, smtp.Outcome{Recipient: to, Status: smtp.NotTried, Stage: stage, Err: err})
	}
	return yan.Result{MessageID: m.MessageID, Size: m.Size, Recipients: m.mergeOutcomes(now)}
}

// reportRest reports the messages that were not taken. Messages that waited for another account
// keep their earlier outcome.
func (r *Run) reportRest(ctx context.Context) {
	reason := r.stopReason(ctx)
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
