package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Exit status, after sysexits.h; 79 and 80 are ours, 130 is that of shells. Who
// interrupts a send gets 75: the same command again goes on with it.
const (
	exitOK          = 0
	exitUsage       = 64
	exitData        = 65
	exitNoInput     = 66
	exitNoUser      = 67
	exitNoHost      = 68
	exitUnavailable = 69
	exitInternal    = 70
	exitCantCreate  = 73
	exitIO          = 74
	exitTemporary   = 75
	exitProtocol    = 76
	exitAuth        = 77
	exitConfig      = 78
	exitPartial     = 79
	exitUnknown     = 80
	exitInterrupted = 130 // as shells have it for SIGINT
)

// status is an exit status with its meaning.
type status struct {
	code    int
	meaning string
}

// statuses lists every exit status, for the help.
func (a *app) statuses() []status {
	return []status{
		{exitOK, a.T("sent to all")},
		{exitUsage, a.T("a flag, an argument or an address is wrong")},
		{exitData, a.T("the message is wrong, or this server can't take it")},
		{exitNoInput, a.T("a file is missing or can't be read")},
		{exitNoUser, a.T("a recipient was refused for good")},
		{exitNoHost, a.T("the server's host name is unknown")},
		{exitUnavailable, a.T("the message, the sender or the connection was refused for good")},
		{exitInternal, a.T("a mistake in yan itself")},
		{exitCantCreate, a.T("a file can't be written")},
		{exitIO, a.T("reading or printing failed")},
		{exitTemporary, a.T("not now: try again later")},
		{exitProtocol, a.T("no TLS that can be trusted, or the server does not speak SMTP")},
		{exitAuth, a.T("the login failed")},
		{exitConfig, a.T("password, certificate or setting can't be used")},
		{exitPartial, a.T("sent to some, not to all")},
		{exitUnknown, a.T("outcome unknown: handed over, but the answer was lost; or enqueued, and the disk failed")},
		{exitInterrupted, a.T("interrupted while yan asked (login, account)")},
	}
}

// worse picks the exit status of a run of several messages: what nobody can
// know before what is half done, that before what needs a change, and what
// only needs time last.
func worse(a, b int) int {
	rank := func(code int) int {
		if code == exitTemporary {
			return 1
		}
		return code
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// failure is an error with its exit status and what to tell the user.
type failure struct {
	code int
	err  error
	// hint is one thing to do; "" when the error says it.
	hint string
	// told is set when a command has printed the failure itself.
	told bool
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func fail(code int, err error, hint string) *failure {
	return &failure{code: code, err: err, hint: hint}
}

// explain prints a failure: what happened, then what to do.
func (a *app) explain(f *failure) {
	if f.told {
		return
	}
	a.errf("yan: %s\n", visibleLines(a.Say(f.err)))
	if f.hint != "" {
		a.errf("     %s\n", visibleLines(f.hint))
	}
}

// visibleLines is visible for a text of several lines. Lines that stand at the margin
// stay behind the first, so that none passes for a message of its own.
func visibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if lines[i] = visible(line); i > 0 && !strings.HasPrefix(line, " ") {
			lines[i] = "     " + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// internal is for what should not happen.
func internal(what string, err error) *failure {
	return fail(exitInternal, fmt.Errorf("%s: %w", what, err), "")
}

// interrupted is for Ctrl-C before anything was sent.
func (a *app) interrupted() *failure {
	return fail(exitTemporary, errors.New(a.T("interrupted; nothing was sent")), "")
}

// exitStatus is the status for what became of a message.
func exitStatus(r yan.Result, provider string) int {
	o, failed := r.Decisive()
	switch {
	case !failed:
		return exitOK
	case r.Count(smtp.Unknown) > 0:
		return exitUnknown
	case r.Count(smtp.Accepted) > 0:
		return exitPartial
	}
	return exitForOutcome(o, yan.Explain(o, provider))
}

// exitForOutcome is the status for a message that nobody got.
func exitForOutcome(o smtp.Outcome, finding diagnosis.Finding) int {
	temporary := finding.Permanence == diagnosis.Temporary
	switch {
	case errors.Is(o.Err, errLog):
		return exitCantCreate
	case errors.Is(o.Err, smtpclient.ErrContent):
		return exitIO
	case errors.Is(o.Err, context.Canceled), errors.Is(o.Err, context.DeadlineExceeded):
		return exitTemporary
	case isOurData(o.Err):
		return exitData
	case finding.Class == diagnosis.ClassHostNotFound:
		return exitNoHost
	case temporary:
		return exitTemporary
	case o.Stage == smtp.StageAuth, finding.Class == diagnosis.ClassAuthRequired:
		return exitAuth
	case o.Stage == smtp.StageTLS, o.Stage == smtp.StageStartTLS, isProtocol(finding.Class):
		return exitProtocol
	case o.Reply.IsZero() && finding.Permanence != diagnosis.Permanent:
		return exitTemporary
	case o.Stage == smtp.StageRcpt && (finding.Scope == diagnosis.ScopeRecipient || finding.Scope == ""):
		return exitNoUser // and not the sender or this machine, of which many servers speak only here
	}
	return exitUnavailable
}

// isProtocol: a server that wants a client certificate says so at the greeting
// (RFC 8446 section 4.4.2.4), so that the stage alone does not tell.
func isProtocol(c diagnosis.Class) bool {
	switch c {
	case diagnosis.ClassTLSFailed, diagnosis.ClassTLSClientCert, diagnosis.ClassTLSUntrusted, diagnosis.ClassTLSName, diagnosis.ClassTLSExpired,
		diagnosis.ClassTLSPin, diagnosis.ClassWrongTLSMode, diagnosis.ClassStartTLSMissing, diagnosis.ClassTampered,
		diagnosis.ClassProtocolError:
		return true
	}
	return false
}

// isOurData reports messages that this server can't take as they are.
func isOurData(err error) bool {
	for _, e := range []error{smtpclient.ErrTooLarge, smtpclient.ErrNeedsSMTPUTF8, smtpclient.ErrHeaderNeedsSMTPUTF8,
		smtpclient.ErrNeeds8BITMIME, smtpclient.ErrNeedsBINARYMIME, smtpclient.ErrBrokenBINARYMIME, smtpclient.ErrNeedsDSN, smtpclient.ErrTooManyRecipients} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
