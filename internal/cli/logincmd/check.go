package logincmd

import (
	"context"
	"errors"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/credentials"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
)

const (
	// maxRounds limits the rounds of corrections.
	maxRounds = 6
	// maxRefused limits the refused logins: providers lock accounts after a few.
	maxRefused = 3
	// checkTimeout limits one login, instead of the five minutes of RFC 5321.
	checkTimeout = time.Minute
)

// loginCheck logs in with an account before it is stored.
type loginCheck struct{ *loginSetup }

// loginUntilAccepted logs in, and checks that the server accepts the sender, until both work. It explains each
// failure and lets the user correct its cause.
func (c loginCheck) loginUntilAccepted(ctx context.Context) error {
	if c.s.noCheck {
		return nil
	}
	for round := 1; ; round++ {
		o, err := c.tryLogin(ctx)
		switch {
		case ctx.Err() != nil:
			return c.answerError(prompt.ErrCancelled, "", "")
		case err != nil:
			return err
		case o == nil:
			return nil
		}
		finding := yan.Explain(*o, c.provider().ID).At(c.server.Host, c.server.Port)
		code := verdict.ExitForOutcome(*o, finding)
		c.printFailure(*o, finding)
		if o.Stage == smtp.StageAuth && finding.Permanence != diagnosis.Temporary {
			c.refused++
		}
		stop := &command.Failure{Code: code, Err: errors.New("not logged in"), Told: true}
		fixed := false
		if c.person && round < maxRounds {
			if fixed, err = loginRepair(c).fix(ctx, *o, finding); err != nil {
				return err
			}
		}
		if !fixed {
			c.say(c.a.T("Nothing was saved."))
			return stop
		}
	}
}

// tryLogin tests the account as it is now. The outcome is nil if the server accepted login and
// sender.
func (c loginCheck) tryLogin(ctx context.Context) (*smtp.Outcome, error) {
	if err := c.moveToken(ctx); err != nil {
		return nil, err
	}
	if c.lacksPassword() { // the old password is only for the account's old server
		if err := c.askPassword(ctx, false); err != nil {
			return nil, err
		}
	}
	if c.password != "" {
		if _, err := c.trial.KeepPassword(ctx, c.acc, c.password); err != nil {
			return nil, command.InternalFailure("keeping the password in memory", err)
		}
	}
	t := c.loginTrial()
	var began time.Time
	t.Connecting = func() {
		text := c.a.T("  Logging in to %s as %s …", c.server.Host, c.user)
		if c.acc.NoLogin() {
			text = c.a.T("  Asking %s whether it accepts the sender …", c.server.Host)
		}
		c.say(c.a.Paint(c.a.StderrWidth, console.Dim, text))
		began = c.a.Now()
	}
	failed, err := t.Try(ctx, c.a.Accounts)
	if failed == nil && err == nil {
		c.took = c.a.Now().Sub(began)
		if c.acc.NoLogin() {
			c.sayDone(c.a.T("%s may send without a login (%s)", c.from.Address, console.Duration(c.took)))
			return failed, err
		}
		c.sayDone(c.a.T("Logged in; %s may send (%s)", c.from.Address, console.Duration(c.took)))
	}
	return failed, err
}

func (l *loginSetup) loginTrial() accounts.LoginTrial {
	t := accounts.LoginTrial{Account: l.acc, Secrets: l.trial, Server: l.server, Timeout: checkTimeout}
	if l.s.Timeout > 0 {
		t.Timeout = l.s.Timeout
	}
	return t
}

// lacksPassword reports whether the account needs a password that was not given yet.
func (c loginCheck) lacksPassword() bool {
	return c.password == "" && !c.browsed && c.acc.Secret == (account.Secret{}) && c.acc.Auth != sasl.External && !c.acc.NoLogin()
}

// moveToken moves the token to the account after its server or user was corrected. It stays at the
// same authorization server.
func (c loginCheck) moveToken(ctx context.Context) error {
	if !c.browsed {
		return nil
	}
	was, _ := credentials.Client(c.consented)
	if is, _ := credentials.Client(c.acc); is.TokenURL != was.TokenURL {
		return nil // the token is not for this account; the login reports that
	}
	source, err := c.trial.Tokens(ctx, c.consented)
	if err != nil {
		return command.InternalFailure("the token", err)
	}
	if _, err := c.trial.KeepToken(ctx, c.acc, source.Token); err != nil {
		return command.InternalFailure("keeping the token", err)
	}
	c.consented = c.acc
	return nil
}

// printFailure prints the server's reply and its meaning.
func (c loginCheck) printFailure(o smtp.Outcome, finding diagnosis.Finding) {
	c.a.PrintLoginFailure("", c.loginTrial(), o)
	if c.shown && c.person { // already shown a few lines above
		finding.Where, finding.HelpURLs = diagnosis.Text{}, nil
	}
	c.a.PrintFinding(c.a.Stderr, c.a.StderrWidth, finding)
	c.say("")
}
