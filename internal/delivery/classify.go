package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/yanmail/yan/internal/text/excerpt"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/markahead"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// decision is the meaning of an outcome for its recipient and its account.
type decision struct {
	state  queue.State
	after  time.Duration
	answer queue.Answer
	// rest is how long the account must pause; 0 means not at all.
	rest time.Duration
	// connecting is true if there was no connection.
	connecting bool
	// suspects is true if the reply came inside a transaction: the account is paused only if
	// another message gets the same, see suspicion.
	suspects bool
	fix      bool // a user must correct something
	// asked is true if the transport did not try the message, because the reply to another
	// one, in answer, asks for a pause.
	asked bool
}

// classifyOutcome classifies an outcome. attempts is the number of earlier attempts; failures is the
// number of failed connections of the account in a row.
func classifyOutcome(o smtp.Outcome, provider string, attempts, failures int) decision {
	v := decision{answer: queue.Answer{Stage: o.Stage, Reply: truncateReply(o.Reply)}}
	if o.Err != nil {
		v.answer.Err = excerpt.Octets(o.Err.Error(), mostAnswer)
	}
	if o.Status == smtp.Accepted {
		v.state, v.answer.ServerID = queue.HandedOver, transport.ServerID(o.Reply)
		return v
	}
	f := diagnosis.Diagnose(diagnosis.FromOutcome(o, provider))
	v.answer.Class = string(f.Class)
	switch o.Status {
	case smtp.Unknown:
		v.state = queue.InDoubt
	case smtp.NotTried:
		v.classifyNotTried(o, f, attempts, failures)
	case smtp.Deferred:
		v.classifyDeferred(o, f, attempts)
	default:
		v.classifyRefused(o, f, attempts)
	}
	return v
}

// classifyNotTried classifies a recipient that the server has not decided about.
func (v *decision) classifyNotTried(o smtp.Outcome, f diagnosis.Finding, attempts, failures int) {
	switch {
	case isLocalEnd(o.Err):
		v.state = queue.Queued
	case errors.Is(o.Err, queue.ErrNoBody):
		v.state = queue.Held
	case errors.Is(o.Err, errMark):
		v.state, v.after = queue.Queued, time.Second
	case errors.Is(o.Err, errBody):
		v.state, v.after = queue.Queued, time.Minute // other bodies can perhaps be opened
	case errors.Is(o.Err, smtpclient.ErrContent):
		// The body in the store is too short or has disappeared: if that lasts, a user must
		// look.
		v.state, v.after = queue.Deferred, retryPause(attempts)
	case errors.Is(o.Err, transport.ErrPaused):
		v.state, v.rest, v.asked = queue.Queued, max(f.Retry.After, time.Minute), true
	case o.Stage.BeforeMail():
		v.state, v.connecting = queue.Queued, true
		v.rest = connectPause(f, failures)
	case f.Permanence == diagnosis.Permanent:
		v.state = queue.Failed
	default:
		v.state, v.after = queue.Deferred, retryPause(attempts)
	}
}

// isLocalEnd reports whether an error says nothing about message, account or server.
func isLocalEnd(err error) bool {
	for _, end := range []error{errPaused, errStopped, errTaken, errReload, errLapsed, errPartPanicked, markahead.ErrAborted, context.Canceled, transport.ErrClosed, transport.ErrStopped} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// classifyDeferred classifies a 4yz reply.
func (v *decision) classifyDeferred(o smtp.Outcome, f diagnosis.Finding, attempts int) {
	if rest, whole := accountPause(o, f); whole {
		v.classifySuspect(rest, f, attempts)
		return
	}
	v.state, v.after = queue.Deferred, max(retryPause(attempts), f.Retry.After)
}

// classifySuspect classifies a reply inside a transaction that may be about the whole account. It
// counts as an attempt of this message, which is tried after the others.
func (v *decision) classifySuspect(rest time.Duration, f diagnosis.Finding, attempts int) {
	v.state, v.after = queue.Deferred, max(retryPause(attempts), f.Retry.After)
	v.rest, v.suspects, v.fix = rest, true, f.Retry.Kind == diagnosis.RetryAfterFix
}

// classifyRefused classifies a 5yz reply. Some of them are temporary, and some are about the account.
func (v *decision) classifyRefused(o smtp.Outcome, f diagnosis.Finding, attempts int) {
	rest, whole := accountPause(o, f)
	switch {
	case whole:
		v.classifySuspect(rest, f, attempts)
	case f.Retry.Kind == diagnosis.RetryDelay:
		v.state, v.after = queue.Deferred, max(retryPause(attempts), f.Retry.After)
	default:
		v.state = queue.Failed
	}
}

// accountPause returns how long the account must pause for a reply. whole reports whether the reply
// is about the whole account: every other message would get the same.
func accountPause(o smtp.Outcome, f diagnosis.Finding) (rest time.Duration, whole bool) {
	if o.Reply.Code == 421 {
		return max(f.Retry.After, time.Minute), true
	}
	if f.Scope != diagnosis.ScopeAccount && f.Scope != diagnosis.ScopeConnection {
		return 0, false
	}
	switch f.Retry.Kind {
	case diagnosis.RetryDelay:
		return max(f.Retry.After, time.Minute), true
	case diagnosis.RetryAfterFix:
		return afterFix, true
	case diagnosis.RetryTransient, diagnosis.RetryReconnect:
		return time.Minute, true
	}
	return 0, false
}

// settleResult queues the settlements of a message, and pauses the account if the result asks for
// it.
func (c *accountWorker) settleResult(p *queuedMessage, result smtpclient.Result) {
	settlements := make([]outbox.Settlement, 0, len(p.item.Recipients))
	var rest decision
	served := false
	for i, r := range p.item.Recipients {
		var o smtp.Outcome
		if i < len(result.Outcomes) {
			o = result.Outcomes[i]
		} else {
			o = smtp.Outcome{Recipient: r.Address, Status: smtp.NotTried, Stage: smtp.StageMail, Err: errStopped}
		}
		v := classifyOutcome(o, c.route.Provider, r.Attempts, c.connectFailures())
		if o.Status == smtp.Accepted && v.answer.ServerID == "" {
			v.answer.ServerID = transport.ServerID(result.Reply)
		}
		served = served || o.Status == smtp.Accepted
		if v.suspects {
			v.rest = c.d.suspectAccount(c.account, p.item.ID, v, c.replySubject(p, r, o.Stage))
		}
		if v.rest > rest.rest {
			rest = v
		}
		settlements = append(settlements, outbox.Settlement{Lease: p.leaseOf(r), State: v.state, After: v.after, Answer: v.answer})
	}
	c.settler.addSettlements(p, settlements)
	if served {
		c.copies.addCopy(p.item)
		c.clearFailures()
		c.d.clearSuspicion(c.account)
	}
	if rest.asked && !rest.answer.Stage.BeforeMail() {
		// The transport heeds a reply that one message got. Another message over a new
		// connection shows whether it is about all of them.
		c.stop(errReload)
		return
	}
	if rest.rest > 0 && c.over.Err() == nil {
		if rest.connecting {
			c.countFailure()
		}
		c.pauseAccount(rest.rest, rest.answer)
	}
}

func (c *accountWorker) connectFailures() int {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	return c.d.failures[c.account]
}

func (c *accountWorker) countFailure() {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	c.d.failures[c.account]++
}

func (c *accountWorker) clearFailures() {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	delete(c.d.failures, c.account)
}
