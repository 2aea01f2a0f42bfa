package cli

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// login finds the password or token, asks for it where somebody can answer,
// and checks that it fits the mechanism. What is missing is an error here:
// a server that wants a login would refuse the message, one that does not
// would take it from nobody.
func (a *app) login(ctx context.Context, s *serverFlags, server transport.Server, o *yan.Options) error {
	var err error
	if s.auth == transport.NoLogin {
		return nil
	}
	if o.Password, err = a.secret("YAN_PASSWORD"); err != nil {
		return err
	}
	if o.Token, err = a.secret("YAN_TOKEN"); err != nil {
		return err
	}
	if !reachesLogin(s.quitAfter) {
		return nil
	}
	name := a.name("auth")
	given := o.Password != "" || o.Token != ""
	switch s.auth {
	case sasl.External:
		if s.tlsCert == "" {
			return a.wrongf("%s EXTERNAL needs a client certificate: give --tls-cert and --tls-key", name)
		}
		if given {
			return a.configf("%s EXTERNAL logs in by certificate: unset YAN_PASSWORD_FILE, YAN_PASSWORD, YAN_TOKEN_FILE and YAN_TOKEN", name)
		}
		return nil
	case sasl.XOAuth2, sasl.OAuthBearer:
		if o.Token == "" {
			return a.configf("%s %s needs an access token: name its file in YAN_TOKEN_FILE", name, s.auth)
		}
		return nil
	case "":
	default:
		if o.Password == "" && given {
			return a.configf("%s %s needs a password, not a token: name its file in YAN_PASSWORD_FILE", name, s.auth)
		}
	}
	if given || server.User == "" && s.auth == "" {
		return nil
	}
	return a.askSecret(ctx, server, o)
}

// reachesLogin reports whether a conversation that stops after a stage gets as
// far as logging in.
func reachesLogin(quitAfter string) bool {
	switch smtp.Stage(quitAfter) {
	case smtp.StageConnect, smtp.StageTLS, smtp.StageGreeting, smtp.StageHello:
		return false
	}
	return true
}

// hasSecret reports whether the environment offers anything to log in with.
func (a *app) hasSecret() bool {
	for _, name := range []string{"YAN_PASSWORD_FILE", "YAN_PASSWORD", "YAN_TOKEN_FILE", "YAN_TOKEN"} {
		if a.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// maxSecret bounds the file of a secret, in octets.
const maxSecret = 256 << 10

// secret reads a secret from the file that NAME_FILE names, or from NAME.
func (a *app) secret(name string) (string, error) {
	file := a.Getenv(name + "_FILE")
	if file == "" {
		return secret.Trim(a.Getenv(name)), nil
	}
	text, err := a.readText(file, maxSecret)
	if err != nil {
		return "", a.file(name+"_FILE", file, err)
	}
	text = secret.Trim(text)
	switch {
	case text == "":
		return "", a.configf("%s %s: the file is empty", name+"_FILE", printable(file))
	case strings.ContainsAny(text, "\r\n"):
		return "", a.configf("%s %s: the file holds several lines, want the secret alone", name+"_FILE", printable(file))
	}
	if info, err := os.Stat(file); err == nil && !a.Windows && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		a.errf("%s\n", a.T("Others on this machine can read %s; 'chmod 600 %s' keeps it to yourself.", printable(file), printable(file)))
	}
	return text, nil
}

// askSecret asks on the terminal.
func (a *app) askSecret(ctx context.Context, server transport.Server, o *yan.Options) error {
	user := server.User
	if user == "" {
		user = o.From
	}
	where := a.Pick(server.Provider.CodeHelp.EN, server.Provider.CodeHelp.ZH)
	if a.ReadSecret == nil {
		hint := a.T("For example: %s", a.withVariable("YAN_PASSWORD_FILE", "code.txt", "yan send …")) + "\n     " +
			a.T("Or have it kept: %s", "yan login "+user)
		if where != "" {
			hint += "\n     " + a.whereTo(server.Provider) + where
		}
		return fail(exitConfig, errors.New(a.T("no password for %s: name its file in YAN_PASSWORD_FILE", user)), hint)
	}
	if where != "" {
		a.hint(a.whereTo(server.Provider) + where)
	}
	defer a.hushed()()
	a.errf("%s", a.T("Password or authorization code of %s (not shown): ", user))
	typed, err := a.ReadSecret(ctx)
	a.errf("\n")
	switch {
	case ctx.Err() != nil:
		return a.interrupted()
	case err != nil:
		return fail(exitIO, sentence.Errorf("%s: %w", a.T("the password can't be read from the terminal"), err), "")
	}
	if o.Password = secret.Trim(typed); o.Password == "" {
		return a.configf("no password was typed")
	}
	return nil
}
