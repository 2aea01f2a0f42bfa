package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// LoginTrial is a login with an account, made as for sending.
type LoginTrial struct {
	Account    account.Account
	Secrets    *Secrets
	Server     transport.Server // the account's server
	Timeout    time.Duration
	Transcript bool
	// Connecting is called just before the connection; may be nil.
	Connecting func()
	// MayTry is called with the login options. Its error ends the trial before the connection. nil
	// allows everything.
	MayTry func(yan.Options) error
}

// Try logs in and sends MAIL FROM. The outcome is nil if the server accepted both. The error is a
// *command.Failure from before the connection.
func (t LoginTrial) Try(ctx context.Context, a *Accounts) (*smtp.Outcome, error) {
	from, err := t.Account.Address()
	if err != nil {
		return nil, command.InternalFailure("the sender of account "+t.Account.Name, err)
	}
	reading, stop := ctx, func() {}
	if t.Account.Secret.Command != "" { // a keyring's dialog has its own time limit
		reading, stop = withReadTimeout(ctx, t.Timeout)
	}
	o, err := t.Account.Options(reading, t.Secrets)
	stop()
	if err != nil {
		return nil, a.BadSecret(t.Account, err)
	}
	if t.MayTry != nil {
		if err := t.MayTry(o); err != nil {
			return nil, err
		}
	}
	o.StopAfter = smtp.StageMail
	if o.Proxy == "" && t.Server.Socket == "" {
		if o.Proxy, err = a.SystemProxy(t.Server); err != nil {
			return nil, err
		}
	}
	o.Trace = a.TraceWaiting(t.Server.Host)
	if t.Transcript {
		o.Trace = a.TraceSession(a.Stderr, a.StderrWidth)
	}
	client, err := yan.Open(t.Account.Server, o)
	if err != nil {
		return nil, a.Configf("invalid settings: %v", err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, t.Timeout, verdict.ErrTimeout{})
	defer cancel()
	if t.Connecting != nil {
		t.Connecting()
	}
	// The message reaches no recipient: the session ends after MAIL FROM.
	result, err := client.Send(ctx, yan.Message{From: t.Account.From, To: []string{from.String()}, Text: "-"})
	if failed := (*yan.SendError)(nil); err != nil && !errors.As(err, &failed) {
		return nil, a.ComposeFailure(err)
	}
	if verdict.ReachedStop(string(smtp.StageMail), result) {
		return nil, nil
	}
	failed, _ := result.WorstOutcome()
	return &failed, nil
}

// PrintLoginFailure prints the server's reply. name is the account if there are several; otherwise
// "".
func (a *Accounts) PrintLoginFailure(name string, t LoginTrial, o smtp.Outcome) {
	what := a.T("Login failed")
	switch {
	case o.Stage == smtp.StageMail:
		from, _ := t.Account.Address()
		what = a.T("Login succeeded, but the server refuses the sender %s", from)
	case o.Stage != smtp.StageAuth:
		what = a.T("The server %s can't be used", a.HostAndPort(t.Server))
	}
	if why := a.ReasonText(o); why != "" {
		what += a.T(": %s", why)
	}
	if name != "" {
		what = name + a.T(": %s", what)
	}
	lines := []string{what}
	if a.StderrWidth > 0 {
		lines = console.Wrap(what, max(20, min(a.StderrWidth, 100)-2))
	}
	for i, line := range lines {
		mark := " "
		if i == 0 {
			mark = a.Paint(a.StderrWidth, console.Red, "✗")
		}
		a.Errf("%s %s\n", mark, line)
	}
}
