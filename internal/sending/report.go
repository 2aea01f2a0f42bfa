package sending

import (
	"context"
	"errors"
	"fmt"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// report reports the outcome of a message.
func (r *Run) report(ctx context.Context, m *Message, result yan.Result, as SentAs, reason error) {
	m.reported = true
	r.summary.count(m, result)
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
		r.report(ctx, f.message, result, r.as(f.message, result), nil)
	}
}

// notTried returns the result of a message that the transport never got.
func notTried(m *Message, stage smtp.Stage, err error) yan.Result {
	var now []smtp.Outcome
	for _, to := range m.now().To() {
		now = append(now, smtp.Outcome{Recipient: to, Status: smtp.NotTried, Stage: stage, Err: err})
	}
	return yan.Result{MessageID: m.MessageID, Size: m.Size, Recipients: m.outcomes(now)}
}

// reportRest reports the messages that were not taken. Messages that waited for another account
// keep their earlier outcome.
func (r *Run) reportRest(ctx context.Context) {
	reason := r.stopped(ctx)
	for _, m := range r.pending {
		switch {
		case m.taken || m.failed || m.waits || m.reported:
		case m.earlier != nil:
			r.reportEarlier(ctx, m)
		case len(r.summary.Unreached) > 0 && errors.Is(reason, ErrHopeless):
			r.keepUnreached(ctx, m, r.endedBy)
		default:
			result := notTried(m, smtp.StageConnect, reason)
			r.report(ctx, m, result, r.as(m, result), reason)
		}
	}
}

// reportEarlier reports the outcome of a message at the account before.
func (r *Run) reportEarlier(ctx context.Context, m *Message) {
	defer m.Close()
	result := m.earlier.result
	result.Recipients = m.outcomes(result.Recipients)
	r.report(ctx, m, result, m.earlier.as, nil)
	r.saveCopies(ctx, m)
}

// reportLogin reports that the login works, once, after the first accepted message.
func (r *Run) reportLogin(ctx context.Context, result yan.Result) {
	if !r.loggedIn && r.sender.Account != "" && hasAccepted(result) {
		r.loggedIn = true
		r.o.Observe(ctx, LoggedIn{Account: r.sender.Account})
	}
}

// as returns the account and the sender of a message in this round.
func (r *Run) as(m *Message, result yan.Result) SentAs {
	return SentAs{Account: r.sender.Account, Server: r.server, From: m.Envelope.From(), MessageID: result.MessageID, ServerID: result.ServerID}
}
