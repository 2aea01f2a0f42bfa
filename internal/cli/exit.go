package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Exit status, after sysexits.h; 79 and 80 are ours.
const (
	exitOK          = 0
	exitUsage       = 64
	exitData        = 65 // the message is wrong, or can't go through this server
	exitNoInput     = 66
	exitNoUser      = 67 // a recipient was refused for good
	exitNoHost      = 68
	exitUnavailable = 69 // refused for good
	exitInternal    = 70
	exitCantCreate  = 73
	exitIO          = 74
	exitTemporary   = 75
	exitProtocol    = 76 // also: no TLS that can be trusted
	exitAuth        = 77
	exitConfig      = 78
	exitPartial     = 79 // sent to some, not to all
	exitUnknown     = 80 // handed over, reply lost
)

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

// usage is for flags and arguments that make no sense.
func (a *app) usage(err error) *failure {
	return fail(exitUsage, err, a.T("Try 'yan --help', or 'yan COMMAND --help'."))
}

// usagef is usage for a sentence of our own.
func (a *app) usagef(english string, args ...any) *failure {
	return a.usage(errors.New(a.T(english, args...)))
}

// input is for files and values that can't be read or used.
func (a *app) input(err error) *failure {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(exitNoInput, err, a.T("The file does not exist; check its name and folder."))
	case errors.Is(err, fs.ErrPermission):
		return fail(exitNoInput, err, a.T("The file can't be read; check its permissions."))
	}
	return fail(exitData, err, "")
}

// explain prints a failure: what happened, then what to do.
func (a *app) explain(f *failure) {
	if f.told {
		return
	}
	a.errf("yan: %s\n", f.err)
	if f.hint != "" {
		a.errf("     %s\n", f.hint)
	}
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
	switch {
	case errors.Is(o.Err, smtpclient.ErrContent):
		return exitIO
	case errors.Is(o.Err, context.Canceled), errors.Is(o.Err, context.DeadlineExceeded):
		return exitTemporary
	case isOurData(o.Err):
		return exitData
	case finding.Class == diagnosis.ClassHostNotFound:
		return exitNoHost
	case o.Stage == smtp.StageAuth:
		return authStatus(finding)
	case o.Stage == smtp.StageTLS, o.Stage == smtp.StageStartTLS, errors.Is(o.Err, smtp.ErrMalformedReply):
		return tlsStatus(finding)
	case finding.Permanence == diagnosis.Temporary:
		return exitTemporary
	case o.Reply.IsZero() && finding.Permanence != diagnosis.Permanent:
		return exitTemporary
	case o.Stage == smtp.StageRcpt:
		return exitNoUser
	}
	return exitUnavailable
}

func authStatus(finding diagnosis.Finding) int {
	if finding.Permanence == diagnosis.Temporary {
		return exitTemporary
	}
	return exitAuth
}

func tlsStatus(finding diagnosis.Finding) int {
	if finding.Permanence == diagnosis.Temporary {
		return exitTemporary
	}
	return exitProtocol
}

// isOurData reports messages that this server can't take as they are.
func isOurData(err error) bool {
	for _, e := range []error{smtpclient.ErrTooLarge, smtpclient.ErrNeedsSMTPUTF8,
		smtpclient.ErrNeeds8BITMIME, smtpclient.ErrNeedsDSN} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// internal is for what should not happen.
func internal(what string, err error) *failure {
	return fail(exitInternal, fmt.Errorf("%s: %w", what, err), "")
}
