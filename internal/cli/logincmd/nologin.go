package logincmd

import (
	"context"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// setNoLogin makes acc an account without a login.
func (l *loginSetup) setNoLogin() error {
	l.user = ""
	if err := l.applyFlags(); err != nil {
		return err
	}
	l.acc.User, l.acc.Auth, l.acc.Secret, l.acc.OAuth2 = "", "none", account.Secret{}, account.OAuth2{}
	return nil
}

// needsNoLogin reports whether the server accepts mail without a login: the user said so, or the
// server offers no AUTH and no login was given. A server that can't be reached counts as one with a
// login; the following check reports its error.
func (l *loginSetup) needsNoLogin(ctx context.Context) bool {
	s := l.s
	given := s.user != "" || s.Auth != "" || s.secretStdin || s.oauth2 != "" || l.server.User != "" ||
		s.secretCommand != "" || s.secretEnv != "" || s.secretCredential != "" || s.secretFile != "" || s.secretNetrc != "" || l.a.HasSecret()
	switch {
	case s.noLogin || s.Auth == transport.NoLogin || l.same && l.old.NoLogin() && !given:
		return true
	case given || s.noCheck || l.provider().ID != "" || l.relogin:
		return false
	}
	caps, err := l.fetchCapabilities(ctx)
	if err != nil || len(caps.Auth()) > 0 {
		return false
	}
	l.sayDone(l.a.T("%s offers no login: it accepts mail from this machine without one", l.serverName()))
	return true
}

// fetchCapabilities connects to the server without logging in and returns its capabilities.
func (l *loginSetup) fetchCapabilities(ctx context.Context) (smtp.Capabilities, error) {
	acc := l.acc
	if err := l.applyFlags(); err != nil {
		return smtp.Capabilities{}, err
	}
	acc, l.acc = l.acc, acc
	acc.Auth, acc.From = "none", l.from.String()
	o, err := acc.Options(ctx, l.trial)
	if err != nil {
		return smtp.Capabilities{}, err
	}
	if o.Proxy == "" {
		if o.Proxy, err = l.a.SystemProxy(l.server); err != nil {
			return smtp.Capabilities{}, err
		}
	}
	o.Trace, o.StopAfter = l.a.TraceWaiting(l.server.Host), smtp.StageHello
	cfg, err := transport.Options(o).Config(l.server)
	if err != nil {
		return smtp.Capabilities{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, l.loginTrial().Timeout, verdict.ErrTimeout{})
	defer cancel()
	conn, err := smtpclient.Dial(ctx, cfg)
	if err != nil {
		return smtp.Capabilities{}, err
	}
	defer conn.Quit(ctx)
	return conn.Capabilities(), nil
}
