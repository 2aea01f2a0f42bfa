package transport

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Recorder is a transport for tests: it records the messages and sends nothing. The zero value
// accepts everything. It is safe for concurrent use.
type Recorder struct {
	// Answer, if set, returns the reply for each recipient; nil accepts all.
	Answer func(smtp.Address) smtp.Reply
	// Policy is as in Options: All applies if either it or the transaction requires it.
	Policy smtpclient.Policy

	mu       sync.Mutex
	messages []Recorded
}

// Recorded is a message that a Recorder accepted for at least one recipient.
type Recorded struct {
	From     smtp.Address
	To       []smtp.Address // the accepted recipients
	Envelope smtp.Envelope  // as given
	Data     []byte         // the message as it would have been sent
}

// Messages returns the recorded messages, in order.
func (r *Recorder) Messages() []Recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Recorded(nil), r.messages...)
}

// Send records the message by the rules of a server: it applies the policy, and does not record a
// message that can't be read.
func (r *Recorder) Send(ctx context.Context, t smtpclient.Transaction) smtpclient.Result {
	if err := ctx.Err(); err != nil {
		return notTried(t, &smtp.Error{Stage: smtp.StageConnect, Err: context.Cause(ctx)})
	}
	if t.Content == nil {
		return notTried(t, &smtp.Error{Stage: smtp.StageMail, Err: smtpclient.ErrContent})
	}
	rec := Recorded{From: t.Envelope.From(), Envelope: t.Envelope}
	result := smtpclient.Result{Outcomes: make([]smtp.Outcome, t.Envelope.Len())}
	for i, to := range t.Envelope.To() {
		reply := smtp.Reply{Code: 250, Lines: []string{"OK"}}
		if r.Answer != nil {
			reply = r.Answer(to)
		}
		result.Outcomes[i] = smtp.Outcome{Recipient: to, Status: smtp.StatusOf(reply), Stage: smtp.StageRcpt, Reply: reply}
		if reply.Positive() {
			rec.To = append(rec.To, to)
		}
	}
	var data bytes.Buffer
	if _, err := t.Content.WriteTo(&data); err != nil {
		return notTried(t, &smtp.Error{Stage: smtp.StageBody, Err: fmt.Errorf("%w: %w", smtpclient.ErrContent, err)})
	}
	rec.Data = data.Bytes()
	result.Size = int64(data.Len())
	goes := len(rec.To) > 0 && (t.Policy == smtpclient.Any && r.Policy == smtpclient.Any || len(rec.To) == t.Envelope.Len())
	if goes {
		r.mu.Lock()
		r.messages = append(r.messages, rec)
		r.mu.Unlock()
		result.Reply = smtp.Reply{Code: 250, Lines: []string{"OK"}}
	}
	for i := range result.Outcomes {
		if o := &result.Outcomes[i]; o.Status == smtp.Accepted && goes {
			o.Stage = smtp.StageBody
		} else if o.Status == smtp.Accepted {
			*o = smtp.Outcome{Recipient: o.Recipient, Status: smtp.NotTried, Stage: smtp.StageRcpt, Err: smtpclient.ErrAnotherRefused}
		}
	}
	return result
}

// Close does nothing.
func (r *Recorder) Close() error { return nil }
