package serverflag

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/transport"
)

// SetServerSecret reads the password or token, asks for it if possible, and checks that it fits the
// mechanism. A missing secret is an error here: a server that requires a login would refuse the
// message, and another would accept it without the login.
func (a *Servers) SetServerSecret(ctx context.Context, s *ServerFlags, server transport.Server, o *yan.Options) error {
	var err error
	if s.Auth == transport.NoLogin {
		return nil
	}
	if o.Password, err = a.EnvironmentSecret("YAN_PASSWORD"); err != nil {
		return err
	}
	if o.Token, err = a.EnvironmentSecret("YAN_TOKEN"); err != nil {
		return err
	}
	if !s.ReachesLogin() {
		return nil
	}
	name := a.Name("auth")
	given := o.Password != "" || o.Token != ""
	switch s.Auth {
	case sasl.External:
		if s.TLSCert == "" {
			return a.Wrongf("%s EXTERNAL needs a client certificate: use --tls-cert and --tls-key", name)
		}
		if given {
			return a.Configf("%s EXTERNAL logs in by certificate: unset YAN_PASSWORD_FILE, YAN_PASSWORD, YAN_TOKEN_FILE and YAN_TOKEN", name)
		}
		return nil
	case sasl.XOAuth2, sasl.OAuthBearer:
		if o.Token == "" {
			return a.Configf("%s %s needs an access token: set YAN_TOKEN_FILE to its file", name, s.Auth)
		}
		return nil
	case "":
	default:
		if o.Password == "" && given {
			return a.Configf("%s %s needs a password, not a token: set YAN_PASSWORD_FILE to its file", name, s.Auth)
		}
	}
	if given || server.User == "" && s.Auth == "" {
		return nil
	}
	return a.AskSecret(ctx, server, o)
}

// HasSecret reports whether the environment holds a secret.
func (a *Servers) HasSecret() bool {
	for _, name := range []string{"YAN_PASSWORD_FILE", "YAN_PASSWORD", "YAN_TOKEN_FILE", "YAN_TOKEN"} {
		if a.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// maxSecret limits the file of a secret, in octets.
const maxSecret = 256 << 10

// EnvironmentSecret reads a secret from the file that NAME_FILE names, or from NAME.
func (a *Servers) EnvironmentSecret(name string) (string, error) {
	file := a.Getenv(name + "_FILE")
	if file == "" {
		return secret.Trim(a.Getenv(name)), nil
	}
	text, err := a.ReadText(file, maxSecret)
	if err != nil {
		return "", a.FileFailure(name+"_FILE", file, err)
	}
	text = secret.Trim(text)
	switch {
	case text == "":
		return "", a.Configf("%s %s: the file is empty", name+"_FILE", command.QuoteName(file))
	case strings.ContainsAny(text, "\r\n"):
		return "", a.Configf("%s %s: the file has several lines; it must contain only the secret", name+"_FILE", command.QuoteName(file))
	}
	if info, err := os.Stat(file); err == nil && !a.Windows && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		a.Errf("%s\n", a.T("Other users of this machine can read %s; run chmod 600 %s to make it private.", command.QuoteName(file), command.QuoteName(file)))
	}
	return text, nil
}

// AskSecret asks for the secret on the terminal.
func (a *Servers) AskSecret(ctx context.Context, server transport.Server, o *yan.Options) error {
	user := server.User
	if user == "" {
		user = o.From
	}
	where := a.ChooseText(server.Provider.CodeHelp.EN, server.Provider.CodeHelp.ZH)
	if a.ReadSecret == nil {
		hint := a.T("For example: %s", a.WithVariable("YAN_PASSWORD_FILE", "code.txt", "yan send …")) + "\n     " +
			a.T("Or let yan store it: %s", "yan login "+user)
		if where != "" {
			hint += "\n     " + a.WhereTo(server.Provider) + where
		}
		return command.Fail(command.ExitConfig, errors.New(a.T("no password for %s: set YAN_PASSWORD_FILE to its file", user)), hint)
	}
	if where != "" {
		a.Hint(a.WhereTo(server.Provider) + where)
	}
	defer a.WithoutEcho()()
	a.Errf("%s", a.T("Password or authorization code of %s (not shown): ", user))
	typed, err := a.ReadSecret(ctx)
	a.Errf("\n")
	switch {
	case ctx.Err() != nil:
		return a.Interrupted()
	case err != nil:
		return command.Fail(command.ExitIO, localerr.Errorf("%s: %w", a.T("can't read the password from the terminal"), err), "")
	}
	if o.Password = secret.Trim(typed); o.Password == "" {
		return a.Configf("no password was entered")
	}
	return nil
}
