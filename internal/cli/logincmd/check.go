package logincmd

import (
	"context"
	"errors"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/ask"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
)

const (
	// maxRounds bounds how often something is corrected.
	maxRounds = 6
	// maxRefused bounds the logins that a server refuses: providers lock accounts
	// after a handful.
	maxRefused = 3
	// checkTimeout bounds one login, so that nobody waits RFC 5321's five minutes.
	checkTimeout = time.Minute
)

// proven logs in and asks whether the sender may send, until that works. What
// does not is explained, and the user corrects that one thing.
func (l *setup) proven(ctx context.Context) error {
	if l.s.noCheck {
		return nil
	}
	for round := 1; ; round++ {
		o, err := l.attempt(ctx)
		switch {
		case ctx.Err() != nil:
			return l.answer(ask.ErrCancelled, "", "")
		case err != nil:
			return err
		case o == nil:
			return nil
		}
		finding := yan.Explain(*o, l.provider().ID).At(l.server.Host, l.server.Port)
		code := verdict.ExitForOutcome(*o, finding)
		l.tellFailure(*o, finding)
		if o.Stage == smtp.StageAuth && finding.Permanence != diagnosis.Temporary {
			l.refused++
		}
		stop := &command.Failure{Code: code, Err: errors.New("not logged in"), Told: true}
		fixed := false
		if l.person && round < maxRounds {
			if fixed, err = l.fix(ctx, *o, finding); err != nil {
				return err
			}
		}
		if !fixed {
			l.say(l.a.T("Nothing was kept."))
			return stop
		}
	}
}

// attempt tries the account as it is now. The outcome is nil when the server took
// login and sender.
func (l *setup) attempt(ctx context.Context) (*smtp.Outcome, error) {
	if err := l.carryToken(ctx); err != nil {
		return nil, err
	}
	if l.lacksPassword() { // the old one stays with the server that the account had
		if err := l.askPassword(ctx, false); err != nil {
			return nil, err
		}
	}
	if l.password != "" {
		if _, err := l.trial.KeepPassword(ctx, l.acc, l.password); err != nil {
			return nil, command.Internal("keeping the password in memory", err)
		}
	}
	t := l.loginTrial()
	var began time.Time
	t.Connecting = func() {
		text := l.a.T("  Logging in to %s as %s …", l.server.Host, l.user)
		if l.acc.NoLogin() {
			text = l.a.T("  Asking %s whether it takes the sender …", l.server.Host)
		}
		l.say(l.a.Paint(l.a.StderrWidth, console.Dim, text))
		began = l.a.Now()
	}
	failed, err := t.Try(ctx, l.a.Accounts)
	if failed == nil && err == nil {
		l.took = l.a.Now().Sub(began)
		if l.acc.NoLogin() {
			l.done(l.a.T("%s may send without a login (%s)", l.from.Address, console.Duration(l.took)))
			return failed, err
		}
		l.done(l.a.T("Logged in, and %s may send (%s)", l.from.Address, console.Duration(l.took)))
	}
	return failed, err
}

func (l *setup) loginTrial() accounts.LoginTrial {
	t := accounts.LoginTrial{Account: l.acc, Secrets: l.trial, Server: l.server, Timeout: checkTimeout}
	if l.s.Timeout > 0 {
		t.Timeout = l.s.Timeout
	}
	return t
}

// lacksPassword reports whether the account logs in with a password that nobody gave.
func (l *setup) lacksPassword() bool {
	return l.password == "" && !l.browsed && l.acc.Secret == (account.Secret{}) && l.acc.Auth != sasl.External && !l.acc.NoLogin()
}

// carryToken makes the token of the consent that of an account whose server or user was
// corrected since, by whoever consented. It stays with who gives the tokens.
func (l *setup) carryToken(ctx context.Context) error {
	if !l.browsed {
		return nil
	}
	was, _ := l.consented.OAuthClient()
	if is, _ := l.acc.OAuthClient(); is.TokenURL != was.TokenURL {
		return nil // what is kept is not for this account, and the login says so
	}
	source, err := l.trial.Tokens(ctx, l.consented)
	if err != nil {
		return command.Internal("the token", err)
	}
	if _, err := l.trial.KeepToken(ctx, l.acc, source.Token); err != nil {
		return command.Internal("keeping the token", err)
	}
	l.consented = l.acc
	return nil
}

// tellFailure says what the server said, and what it means.
func (l *setup) tellFailure(o smtp.Outcome, finding diagnosis.Finding) {
	l.a.TellLoginFailed("", l.loginTrial(), o)
	if l.shown && l.person { // it stands a few lines above
		finding.Where, finding.HelpURLs = diagnosis.Text{}, nil
	}
	l.a.Finding(l.a.Stderr, l.a.StderrWidth, finding)
	l.say("")
}
