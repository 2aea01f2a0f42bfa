package sendcmd

import (
	"context"
	"errors"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// unreachable reports whether a message came no further than to the connection that
// could not be made, so that no server knows of it, and that may be otherwise later.
func unreachable(result yan.Result, provider string) bool {
	if len(result.Recipients) == 0 {
		return false
	}
	for _, o := range result.Recipients {
		if !notConnected(o, provider) {
			return false
		}
	}
	return true
}

func notConnected(o smtp.Outcome, provider string) bool {
	if o.Status != smtp.NotTried || o.Stage != smtp.StageConnect || o.Err == nil || !o.Reply.IsZero() ||
		errors.Is(o.Err, context.Canceled) || errors.Is(o.Err, smtpclient.ErrContent) || errors.Is(o.Err, verdict.ErrHopeless) || errors.Is(o.Err, verdict.ErrLog) {
		return false
	}
	f := yan.Explain(o, provider)
	return f.Permanence != diagnosis.Permanent || f.Class == diagnosis.ClassHostNotFound
}

// queuesUnreached keeps a message for the outbox, where that is wanted and the server
// could not be reached.
func (r *delivery) queuesUnreached(j *job, result yan.Result) bool {
	if !unreachable(result, r.server.Provider.ID) || j.logged != nil || j.earlier != nil {
		return false
	}
	r.unreachable = true
	if r.s.when != account.QueueOffline || r.s.id == nil {
		return false
	}
	r.keepForOutbox(j, result.Recipients[0])
	return true
}

func (r *delivery) keepForOutbox(j *job, o smtp.Outcome) {
	if j.file != nil { // thousands may wait, and few files can be open
		j.close()
	}
	j.told = true
	r.bar.settle(j)
	r.unreached = append(r.unreached, j)
	r.noteOnce(r.a.T("%s can't be reached: %s. What was to be sent goes into the outbox.", r.server.String(), r.a.Why(o)))
}

// enqueueUnreached puts what could not be sent into the outbox.
func (r *delivery) enqueueUnreached(ctx context.Context) error {
	if len(r.unreached) == 0 {
		return nil
	}
	return r.a.enqueue(context.WithoutCancel(ctx), r.s, r.unreached)
}

// offerOutbox tells who could not reach the server that a message may wait.
func (r *delivery) offerOutbox() {
	if r.unreachable && r.s.id != nil && len(r.unreached) == 0 && r.log == nil && !r.s.json && !r.s.quiet {
		r.a.Errf("%s\n", r.a.T("Or let it wait: the same command with --queue puts it into the outbox, and 'yan queue run' sends it once the server can be reached."))
	}
}
