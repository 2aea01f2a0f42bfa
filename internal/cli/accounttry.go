package cli

import (
	"context"
	"errors"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// loginTrial is a login with an account, in the way in which it is used.
type loginTrial struct {
	account    account.Account
	secrets    *account.Secrets
	server     transport.Server // that of the account
	timeout    time.Duration
	transcript bool
	// connecting is called when everything is known that is needed; may be nil.
	connecting func()
	// mayTry is asked with what logs in; its error ends the trial before anything is
	// connected. nil allows everything.
	mayTry func(yan.Options) error
}

// try logs in and says MAIL FROM. The outcome is nil when the server took both;
// the error is a *failure from before anything was connected.
func (t loginTrial) try(ctx context.Context, a *app) (*smtp.Outcome, error) {
	from, err := t.account.Address()
	if err != nil {
		return nil, internal("the sender of account "+t.account.Name, err)
	}
	reading, stop := ctx, func() {}
	if t.account.Secret.Command != "" { // a keyring's dialog has its own time
		reading, stop = a.bounded(ctx, t.timeout)
	}
	o, err := t.account.Options(reading, t.secrets)
	stop()
	if err != nil {
		return nil, a.badSecret(t.account, err)
	}
	if t.mayTry != nil {
		if err := t.mayTry(o); err != nil {
			return nil, err
		}
	}
	o.StopAfter = smtp.StageMail
	if o.Proxy == "" && t.server.Socket == "" {
		if o.Proxy, err = a.systemProxy(t.server); err != nil {
			return nil, err
		}
	}
	if t.transcript {
		o.Trace = a.transcript(a.Stderr, a.StderrWidth)
	}
	o.Trace = a.watchful(o.Trace, t.server.Host)
	client, err := yan.Open(t.account.Server, o)
	if err != nil {
		return nil, a.configf("the settings can't be used: %v", err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, t.timeout, errTimeout{})
	defer cancel()
	if t.connecting != nil {
		t.connecting()
	}
	// It goes to nobody: the conversation ends behind MAIL FROM.
	result, err := client.Send(ctx, yan.Message{From: t.account.From, To: []string{from.String()}, Text: "-"})
	if failed := (*yan.SendError)(nil); err != nil && !errors.As(err, &failed) {
		return nil, a.composing(err)
	}
	if reachedStop(string(smtp.StageMail), result) {
		return nil, nil
	}
	failed, _ := result.Decisive()
	return &failed, nil
}

// tellLoginFailed says what the server said. name is that of the account where it
// is one of several; "" otherwise.
func (a *app) tellLoginFailed(name string, t loginTrial, o smtp.Outcome) {
	what := a.T("The login did not work")
	switch {
	case o.Stage == smtp.StageMail:
		from, _ := t.account.Address()
		what = a.T("The login worked, but the server does not take the sender %s", from)
	case o.Stage != smtp.StageAuth:
		what = a.T("The server %s can't be used", a.hostAndPort(t.server))
	}
	if why := a.why(o); why != "" {
		what += a.T(": %s", why)
	}
	if name != "" {
		what = name + a.T(": %s", what)
	}
	lines := []string{what}
	if a.StderrWidth > 0 {
		lines = wrap(what, max(20, min(a.StderrWidth, 100)-2))
	}
	for i, line := range lines {
		mark := " "
		if i == 0 {
			mark = a.paint(a.StderrWidth, red, "✗")
		}
		a.errf("%s %s\n", mark, line)
	}
}
