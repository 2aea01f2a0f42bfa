package verdict

import (
	"context"
	"errors"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/sending"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// ExitStatus returns the exit status for a message's result.
func ExitStatus(r yan.Result, provider string) int {
	o, failed := r.WorstOutcome()
	switch {
	case !failed:
		return command.ExitOK
	case r.Count(smtp.Unknown) > 0:
		return command.ExitUnknown
	case r.Count(smtp.Accepted) > 0:
		return command.ExitPartial
	}
	return ExitForOutcome(o, yan.Explain(o, provider))
}

// ExitForOutcome returns the exit status for a message that no recipient got.
func ExitForOutcome(o smtp.Outcome, finding diagnosis.Finding) int {
	temporary := finding.Permanence == diagnosis.Temporary
	switch {
	case errors.Is(o.Err, sending.ErrLog):
		return command.ExitCantCreate
	case errors.Is(o.Err, smtpclient.ErrContent):
		return command.ExitIO
	case errors.Is(o.Err, context.Canceled), errors.Is(o.Err, context.DeadlineExceeded):
		return command.ExitTemporary
	case sending.IsMessageFault(o.Err):
		return command.ExitData
	case finding.Class == diagnosis.ClassHostNotFound:
		return command.ExitNoHost
	case temporary:
		return command.ExitTemporary
	case o.Stage == smtp.StageAuth, finding.Class == diagnosis.ClassAuthRequired:
		return command.ExitAuth
	case o.Stage == smtp.StageTLS, o.Stage == smtp.StageStartTLS, isProtocol(finding.Class):
		return command.ExitProtocol
	case o.Reply.IsZero() && finding.Permanence != diagnosis.Permanent:
		return command.ExitTemporary
	case o.Stage == smtp.StageRcpt && (finding.Scope == diagnosis.ScopeRecipient || finding.Scope == ""):
		return command.ExitNoUser // replies about the sender or this machine, which many servers send only at RCPT, do not count
	}
	return command.ExitUnavailable
}

// isProtocol reports whether a class is a protocol error. It includes a server that requires a
// client certificate: it says so only at the greeting (RFC 8446 section 4.4.2.4), so the stage
// alone is not enough.
func isProtocol(c diagnosis.Class) bool {
	switch c {
	case diagnosis.ClassTLSFailed, diagnosis.ClassTLSClientCert, diagnosis.ClassTLSUntrusted, diagnosis.ClassTLSName, diagnosis.ClassTLSExpired,
		diagnosis.ClassTLSPin, diagnosis.ClassWrongTLSMode, diagnosis.ClassStartTLSMissing, diagnosis.ClassTampered,
		diagnosis.ClassProtocolError:
		return true
	}
	return false
}

// ErrTimeout is the error of a message that was not sent in time. It matches
// context.DeadlineExceeded.
type ErrTimeout struct{}

func (ErrTimeout) Error() string { return "the --timeout has expired" }

func (ErrTimeout) Timeout() bool { return true }

func (ErrTimeout) Is(target error) bool { return target == context.DeadlineExceeded }

// ReachedStop reports whether --quit-after was given and the session reached its stage.
func ReachedStop(quitAfter string, r yan.Result) bool {
	if quitAfter == "" {
		return false
	}
	for _, o := range r.Recipients {
		stopped := errors.Is(o.Err, transport.ErrStopped) || o.Err == nil && o.Reply.Positive()
		if o.Status != smtp.NotTried || !stopped {
			return false
		}
	}
	return true
}
