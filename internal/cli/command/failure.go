package command

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/localerr"
)

// Finish explains an error and returns its exit status.
func (a *Context) Finish(err error) int {
	if err == nil {
		if a.WriteErr == nil {
			return ExitOK
		}
		err = Fail(ExitIO, localerr.Errorf("%s: %w", a.T("can't write the output"), a.WriteErr), "")
		if errors.Is(a.WriteErr, syscall.EPIPE) { // as in "yan providers | head": the reader has ended
			err = &Failure{Code: ExitIO, Err: a.WriteErr, Told: true}
		}
		if a.Settled {
			a.Explain(Fail(ExitOK, localerr.Errorf("%s: %w", a.T("the message was sent, but yan can't write the output"), a.WriteErr), ""))
			return ExitOK
		}
	}
	var failed *Failure
	if !errors.As(err, &failed) {
		failed = a.usageFailure(err)
	}
	a.Explain(failed)
	return failed.Code
}

// Exit status, after sysexits.h; 79 and 80 are Yan's own, 130 is that of
// shells. An interrupted send returns 75: the same command again continues it.
const (
	ExitOK          = 0
	ExitUsage       = 64
	ExitData        = 65
	ExitNoInput     = 66
	ExitNoUser      = 67
	ExitNoHost      = 68
	ExitUnavailable = 69
	ExitInternal    = 70
	ExitCantCreate  = 73
	ExitIO          = 74
	ExitTemporary   = 75
	ExitProtocol    = 76
	ExitAuth        = 77
	ExitConfig      = 78
	ExitPartial     = 79
	ExitUnknown     = 80
	ExitInterrupted = 130 // as shells have it for SIGINT
)

// ExitMeaning is an exit status with its meaning.
type ExitMeaning struct {
	Code    int
	Meaning string
}

// Statuses lists every exit status, for the help.
func (a *Context) Statuses() []ExitMeaning {
	return []ExitMeaning{
		{ExitOK, a.T("sent to all recipients")},
		{ExitUsage, a.T("a flag, an argument or an address is wrong")},
		{ExitData, a.T("the message is invalid, or this server can't accept it")},
		{ExitNoInput, a.T("a file is missing or unreadable")},
		{ExitNoUser, a.T("a recipient was refused permanently")},
		{ExitNoHost, a.T("the server's host name is unknown")},
		{ExitUnavailable, a.T("the message, the sender or the connection was refused permanently")},
		{ExitInternal, a.T("a bug in yan")},
		{ExitCantCreate, a.T("a file can't be written")},
		{ExitIO, a.T("reading or writing failed")},
		{ExitTemporary, a.T("temporary failure: try again later")},
		{ExitProtocol, a.T("no trusted TLS, or the server does not speak SMTP")},
		{ExitAuth, a.T("the login failed")},
		{ExitConfig, a.T("the password, the certificate or a setting is unusable")},
		{ExitPartial, a.T("sent to some recipients only")},
		{ExitUnknown, a.T("outcome unknown: the message was sent but no reply came, or it was enqueued and the disk failed")},
		{ExitInterrupted, a.T("interrupted at a question (login, account)")},
	}
}

// WorseStatus returns the exit status of a run of several messages: unknown comes
// before partially done, that before failures that need a change, and failures
// that only need time come last.
func WorseStatus(a, b int) int {
	rank := func(code int) int {
		if code == ExitTemporary {
			return 1
		}
		return code
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// Failure is an error with its exit status and a hint for the user.
type Failure struct {
	Code int
	Err  error
	// Hint is one action to take; "" if the error includes it.
	Hint string
	// Told is set if a command has already printed the failure.
	Told bool
}

// Error returns the text of the cause.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Fail returns a failure with its exit status and one action to take; hint is
// "" if the error includes it.
func Fail(code int, err error, hint string) *Failure {
	return &Failure{Code: code, Err: err, Hint: hint}
}

// Explain prints a failure: what happened, then what to do.
func (a *Context) Explain(f *Failure) {
	if f.Told {
		return
	}
	a.Errf("yan: %s\n", console.VisibleLines(a.TranslateError(f.Err)))
	if f.Hint != "" {
		a.Errf("     %s\n", console.VisibleLines(f.Hint))
	}
}

// InternalFailure is for an error that should not happen.
func InternalFailure(what string, err error) *Failure {
	return Fail(ExitInternal, fmt.Errorf("%s: %w", what, err), "")
}

// usageFailure is the failure for an invalid command line; it refers to the help.
func (a *Context) usageFailure(err error) *Failure {
	return Fail(ExitUsage, err, a.T("See '%s --help'.", a.Command))
}

// Usagef is usage for a translated sentence.
func (a *Context) Usagef(english string, args ...any) *Failure {
	return a.usageFailure(errors.New(a.T(english, args...)))
}

// Wrongf is the failure for an invalid value, with a sentence that describes a
// valid one.
func (a *Context) Wrongf(english string, args ...any) *Failure {
	return Fail(ExitUsage, errors.New(a.T(english, args...)), "")
}

// Dataf is the failure for a message that can't be sent as it is.
func (a *Context) Dataf(english string, args ...any) *Failure {
	return Fail(ExitData, errors.New(a.T(english, args...)), "")
}

// Configf is the failure for settings and secrets that can't be used.
func (a *Context) Configf(english string, args ...any) *Failure {
	return Fail(ExitConfig, errors.New(a.T(english, args...)), "")
}

// Interrupted is the failure for Ctrl-C before anything was sent.
func (a *Context) Interrupted() *Failure {
	return Fail(ExitTemporary, errors.New(a.T("interrupted; nothing was sent")), "")
}
