package sending

import (
	"context"
	"errors"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// keepsUnreached leaves a message to the caller if Options.KeepUnreached is set and the server
// could not be reached.
func (r *Run) keepsUnreached(ctx context.Context, m *Outgoing, result yan.Result) bool {
	if !isUnreachable(result, r.server.Provider.ID) || m.decided != nil || m.earlier != nil {
		return false
	}
	r.summary.Unreachable = true
	if !r.o.KeepUnreached {
		return false
	}
	r.keepUnreached(ctx, m, result.Recipients[0])
	return true
}

func (r *Run) keepUnreached(ctx context.Context, m *Outgoing, o smtp.Outcome) {
	if m.Source != nil { // thousands may wait, but few files can be open
		m.Close()
	}
	m.reported = true
	r.summary.Unreached = append(r.summary.Unreached, m)
	r.o.Observe(ctx, Unreached{Message: m, Server: r.server, Outcome: o})
}

// isUnreachable reports whether no connection could be made for a message, and the reason is
// temporary. Then no server knows the message.
func isUnreachable(result yan.Result, provider string) bool {
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
	if o.Status != smtp.NotTried || o.Stage != smtp.StageConnect || o.Err == nil || !o.Reply.IsZero() {
		return false
	}
	for _, err := range []error{context.Canceled, smtpclient.ErrContent, ErrHopeless, ErrLog} {
		if errors.Is(o.Err, err) {
			return false
		}
	}
	f := yan.Explain(o, provider)
	return f.Permanence != diagnosis.Permanent || f.Class == diagnosis.ClassHostNotFound
}
