package logincmd

import (
	"cmp"
	"context"
	"errors"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/credentials"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/provider"
)

// wantsOAuth reports whether to sign in with OAuth 2.0, if the provider offers it. On a
// terminal the user chooses; a pipe gets the password, unless there is none.
func (l *loginSetup) wantsOAuth(ctx context.Context) (bool, error) {
	p := l.server.Provider
	if _, ok := oauth.ForProvider(p); !ok || l.s.secretStdin || l.s.Auth != "" {
		return false, nil
	}
	switch p.Auth.Kind {
	case provider.OAuth2Only:
		if !l.person && l.s.clientID == "" {
			return false, command.Fail(command.ExitConfig, errors.New(l.a.T("%s does not accept passwords: sign in with OAuth 2.0", l.a.ChooseText(p.Names.EN, p.Names.ZH))),
				l.a.T("For example: %s", "yan login "+l.login.Address.String()+" --oauth2 device --client-id ID"))
		}
		return true, nil
	case provider.OAuth2OrAppPassword, provider.OAuth2OrPassword:
		if !l.person {
			return false, nil
		}
		title := l.a.T("How do you want to log in?")
		i, err := l.ask.Choose(ctx, prompt.Question{Title: title},
			[]string{l.a.T("with an app password or password"), l.a.T("with OAuth 2.0 in the browser; needs your own client ID")}, 0)
		return i == 1, l.answerError(err, title, "--oauth2")
	}
	return false, nil
}

// consent is the user's consent to OAuth 2.0.
type consent struct{ *loginSetup }

// obtainToken gets a token: in the browser of this machine, or with a code on another device.
func (c consent) obtainToken(ctx context.Context) error {
	if c.same {
		c.acc.OAuth2 = c.old.OAuth2
	}
	if _, ok := oauth.ForProvider(c.server.Provider); !ok && c.acc.OAuth2.TokenURL == "" {
		return command.Fail(command.ExitConfig, errors.New(c.a.T("no OAuth 2.0 server is known for %s", c.server.Host)),
			c.a.T("Set auth_url, token_url and client_id in the account's oauth2 section, and log in again."))
	}
	if c.s.clientID != "" {
		c.acc.OAuth2.ClientID, c.acc.OAuth2.ClientSecret = c.s.clientID, c.s.clientCode
	}
	if c.acc.OAuth2.ClientID == "" {
		if err := c.askClientID(ctx); err != nil {
			return err
		}
	}
	client, _ := credentials.Client(c.acc)
	client.LoginHint = c.login.Address.String()
	token, err := c.requestToken(ctx, client)
	if err != nil {
		return c.tokenError(ctx, err)
	}
	if _, err := c.trial.KeepToken(ctx, c.acc, token); err != nil {
		return command.InternalFailure("keeping the token", err)
	}
	c.browsed, c.consented = true, c.acc
	if token.Refresh == "" {
		c.say(c.a.T("%s returned no refresh token: you can send until the access token expires, usually within an hour, and must then log in again.", c.serverName()))
	}
	c.sayDone(c.a.T("%s allows yan to send in your name", c.serverName()))
	return nil
}

func (c consent) askClientID(ctx context.Context) error {
	q := prompt.Question{Title: c.a.T("Client ID"), Help: c.a.T("OAuth 2.0 needs a registration of yan with the provider; this is free and takes a few minutes.\ndocs/oauth2.md shows how; enter the resulting client ID here.")}
	id, err := c.askText(ctx, "--client-id", q)
	c.acc.OAuth2.ClientID = id
	return err
}

// requestToken waits for the user's consent.
func (c consent) requestToken(ctx context.Context, client oauth.Client) (oauth.Token, error) {
	show := c.a.findBrowser()
	way := c.s.oauth2
	if way == "" {
		way = "device"
		if show != nil || client.DeviceURL == "" {
			way = "browser"
		}
	}
	if way == "device" {
		return client.Device(ctx, func(code oauth.DeviceCode) error {
			c.say(c.a.T("On any device, open %s and enter the code %s", code.URL, c.a.Paint(c.a.StderrWidth, console.Bold, code.Code)))
			if page := cmp.Or(code.Complete, code.URL); c.s.qr {
				c.drawQR(page)
			}
			return nil
		})
	}
	return client.Browser(ctx, func(page string) error {
		c.say(c.a.T("The browser asks for your consent. If it does not open, go to:"))
		c.say("  " + page)
		if show != nil {
			_ = show(page) // the page is printed above
		}
		return nil
	})
}

// tokenError explains an error of the authorization server.
func (c consent) tokenError(ctx context.Context, err error) error {
	a := c.a
	var e *oauth.Error
	switch {
	case ctx.Err() != nil:
		return c.answerError(prompt.ErrCancelled, "", "")
	case !errors.As(err, &e):
		return command.Fail(command.ExitAuth, localerr.Errorf("%s: %w", a.T("OAuth 2.0 returned no token"), err), "")
	}
	host := command.QuoteName(e.Host)
	switch e.Problem {
	case oauth.Denied:
		return command.Fail(command.ExitAuth, errors.New(a.T("you refused the permission; nothing was saved")), "")
	case oauth.Expired:
		return command.Fail(command.ExitTemporary, errors.New(a.T("the code expired; nothing was saved")), a.T("Run yan login again for a new one."))
	case oauth.NoDevice:
		return command.Fail(command.ExitConfig, errors.New(a.T("the provider does not support signing in on another device")), a.T("Use %s instead.", "--oauth2 browser"))
	case oauth.NoClientID:
		return command.Fail(command.ExitConfig, errors.New(a.T("this account has no client ID")), a.T("Use %s; docs/oauth2.md shows where to get it.", "--client-id ID"))
	case oauth.BadURL:
		return command.Fail(command.ExitConfig, errors.New(a.T("an address of the OAuth 2.0 server is missing or is not https")+serversWords(a, e)),
			a.T("Check auth_url, token_url and device_url in the account's oauth2 section."))
	case oauth.BadClient:
		return command.Fail(command.ExitConfig, errors.New(a.T("%s refused the client ID or its secret", host)+serversWords(a, e)), a.T("Check them, and the permissions of your registration; docs/oauth2.md shows how."))
	case oauth.BadScope:
		return command.Fail(command.ExitConfig, errors.New(a.T("%s does not allow this client ID to send mail", host)+serversWords(a, e)), a.T("Add the permission to your registration; docs/oauth2.md shows how."))
	case oauth.Unreachable:
		return command.Fail(command.ExitTemporary, errors.New(a.T("can't reach %s; nothing was saved", host)+serversWords(a, e)), a.T("Check the network, then run yan login again."))
	case oauth.Failing:
		return command.Fail(command.ExitTemporary, errors.New(a.T("%s does not respond like an OAuth 2.0 server", host)+serversWords(a, e)), a.T("Try again later."))
	case oauth.Untrusted:
		return command.Fail(command.ExitProtocol, errors.New(a.T("the certificate of %s is not trusted", host)+serversWords(a, e)), a.T("Check this machine's clock, and whether a proxy intercepts the connection."))
	}
	return command.Fail(command.ExitAuth, errors.New(a.T("%s returned no token", host)+serversWords(a, e)), "")
}

// serversWords returns the authorization server's error or, if it sent none, the local
// one.
func serversWords(a *loginCommand, e *oauth.Error) string {
	switch {
	case e.Description != "" && e.Code != "":
		return a.T(": %s", e.Code+", "+e.Description)
	case e.Code != "" || e.Description != "":
		return a.T(": %s", e.Code+e.Description)
	case e.Err != nil:
		return a.T(": %s", e.Err.Error())
	}
	return ""
}
