package logincmd

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/transport"
)

// getCredentials gets the login name and the secret.
func (l *loginSetup) getCredentials(ctx context.Context) error {
	if l.needsNoLogin(ctx) {
		return l.setNoLogin()
	}
	if err := l.loginName(ctx); err != nil {
		return err
	}
	if err := l.applyFlags(); err != nil {
		return err
	}
	if l.acc.Secret != (account.Secret{}) || l.acc.Auth == sasl.External {
		return nil
	}
	if l.s.oauth2 != "" || l.same && l.old.UsesOAuth2() && !l.s.secretStdin {
		return consent{l}.obtainToken(ctx)
	}
	var err error
	if l.password, err = l.a.EnvironmentSecret("YAN_PASSWORD"); err != nil {
		return err
	}
	if l.password != "" && !l.s.secretStdin {
		l.password = l.cleanSecret(l.password)
		return nil
	}
	if browse, err := l.wantsOAuth(ctx); err != nil || browse {
		if err != nil {
			return err
		}
		return consent{l}.obtainToken(ctx)
	}
	l.showWhere()
	return l.askPassword(ctx, false)
}

// loginName determines the user, and records it if it does not follow from the
// sender.
func (l *loginSetup) loginName(ctx context.Context) error {
	if l.user == "" {
		answer, err := l.askText(ctx, "--user", prompt.Question{Title: l.a.T("User name"),
			Help: strings.Join(l.server.Provider.Auth.Notes, "\n"), Check: l.a.checkUserName})
		if err != nil {
			return err
		}
		l.user = answer
	}
	l.noteUser()
	return nil
}

// checkUserName rejects text that is no login name on any server.
func (a *loginCommand) checkUserName(user string) error {
	if strings.ContainsFunc(user, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) || !utf8.ValidString(user) {
		return errors.New(a.T("a login name must not contain spaces, line breaks or control characters"))
	}
	return nil
}

// noteUser leaves the login name out of the configuration if it follows from the sender.
func (l *loginSetup) noteUser() {
	l.acc.User = l.user
	if at, err := transport.ParseServer(l.acc.Server, l.from.Address); err == nil && at.User == l.user {
		l.acc.User = ""
	}
}

// applyFlags applies the flags. File names become absolute, so that they work from any directory.
func (l *loginSetup) applyFlags() error {
	s := l.s
	if s.Auth != "" {
		l.acc.Auth = s.Auth
	}
	if s.TLSPin != "" {
		l.acc.TLSPin = s.TLSPin
	}
	if s.TLSName != "" {
		l.acc.TLSName = s.TLSName
	}
	l.acc.TLSRSAKeyExchange = l.acc.TLSRSAKeyExchange || s.TLSRSA
	if s.Proxy != "" {
		l.acc.Proxy = s.Proxy
	}
	places := account.Secret{Command: s.secretCommand, Env: s.secretEnv, Credential: s.secretCredential, File: s.secretFile, Netrc: s.secretNetrc}
	if places != (account.Secret{}) || !l.relogin || !l.same || s.secretStdin || l.a.Getenv("YAN_PASSWORD") != "" || l.a.Getenv("YAN_PASSWORD_FILE") != "" {
		l.intoOwn = l.same && places == (account.Secret{}) && l.hasOwnFile(*l.old)
		l.acc.Secret = places
	}
	for _, f := range []struct {
		file string
		to   *string
	}{{s.TLSCA, &l.acc.TLSCA}, {s.TLSCert, &l.acc.TLSCert}, {s.TLSKey, &l.acc.TLSKey}, {s.secretFile, &l.acc.Secret.File}, {s.secretNetrc, &l.acc.Secret.Netrc}} {
		if f.file == "" {
			continue
		}
		path, err := filepath.Abs(f.file)
		if err != nil {
			return command.InternalFailure("the folder of this process", err)
		}
		*f.to = path
	}
	if s.secretNetrc == account.DefaultNetrc {
		l.acc.Secret.Netrc = s.secretNetrc
	}
	return nil
}

// secretName returns the provider's word for its secret.
func (l *loginSetup) secretName() string {
	switch l.provider().Auth.Kind {
	case provider.AuthorizationCode:
		return l.a.T("Authorization code")
	case provider.AppPassword, provider.OAuth2OrAppPassword:
		return l.a.T("App password")
	case provider.PasswordOrAppPassword:
		return l.a.T("Password or app password")
	case provider.APIKey:
		return l.a.T("API key")
	case provider.SMTPKey, provider.SMTPPassword, provider.SMTPCredentials:
		return l.a.T("SMTP password")
	}
	return l.a.T("Password")
}

// showWhere prints where to get the secret.
func (l *loginSetup) showWhere() {
	help := l.provider().CodeHelp
	if help.IsZero() {
		return
	}
	l.shown = true
	if auth := l.provider().Auth; auth.EndsPasswords() {
		l.say(wrapIndented(l.a.ChooseText(auth.PasswordEnd.When.EN+" "+auth.PasswordEnd.Do.EN, auth.PasswordEnd.When.ZH+auth.PasswordEnd.Do.ZH), l.a.StderrWidth))
	}
	l.say(wrapIndented(l.a.WhereTo(l.provider())+l.a.ChooseText(help.EN, help.ZH), l.a.StderrWidth))
	if len(help.URLs) > 0 {
		l.say("  " + help.URLs[0])
		if l.s.qr {
			l.showQR()
		}
	}
}

// wrapIndented breaks a paragraph into lines for a terminal of a width, indented, and
// further below the first line.
func wrapIndented(text string, terminal int) string {
	width := min(max(terminal, 40), 100) - 4
	if terminal == 0 { // a file or pipe has no width
		width = 1 << 16
	}
	return "  " + strings.Join(console.Wrap(text, width), "\n    ")
}

// askPassword asks for the secret. again means that a secret was refused: an empty answer then
// keeps it.
func (l *loginSetup) askPassword(ctx context.Context, again bool) error {
	title := l.secretName()
	q := prompt.Question{Title: title, Unanswered: "?", Optional: again, Expected: l.s.secretStdin, Help: l.a.T("Paste it; it is not shown.")}
	hasPage := len(l.provider().CodeHelp.URLs) > 0
	switch {
	case again:
		q.Help = l.a.T("Press Enter to change something else.")
	case hasPage && l.person:
		q.Help = l.a.T("Paste it; it is not shown. ? shows the page above as a QR code.")
	}
	if l.a.StdinTTY > 0 && l.a.ReadSecret == nil {
		return l.noPassword() // it would be shown
	}
	for range 3 {
		typed, err := l.ask.Secret(ctx, q)
		switch {
		case errors.Is(err, prompt.ErrNoAnswer), l.s.secretStdin && errors.As(err, new(*prompt.WrongError)): // no input, or an empty line
			return l.noPassword()
		case err != nil:
			return l.answerError(err, title, "--secret-stdin")
		}
		if typed == "?" && hasPage && l.person {
			l.showQR()
			continue
		}
		l.password = l.cleanSecret(typed)
		if l.password != "" && l.provider().LooksWrong(l.password) {
			l.say(l.a.T("That does not look like one: %s of %s is 16 letters, not the password of the website.", l.secretName(), l.serverName()))
		}
		return nil
	}
	return l.noPassword()
}

// noPassword returns the error for a missing secret, with advice.
func (l *loginSetup) noPassword() error {
	if l.s.secretStdin {
		return command.Fail(command.ExitConfig, errors.New(l.a.T("no password for %s on standard input", l.user)),
			l.a.T("For example: %s", "yan login "+l.login.Address.String()+" --secret-stdin < code.txt"))
	}
	hint := l.a.T("For example: %s", l.a.WithVariable("YAN_PASSWORD_FILE", "code.txt", "yan login "+l.login.Address.String()))
	return command.Fail(command.ExitConfig, errors.New(l.a.T("no password for %s: set YAN_PASSWORD_FILE to its file", l.user)), hint)
}

// cleanSecret removes characters that a web page added around the secret and between its groups.
func (l *loginSetup) cleanSecret(typed string) string {
	return l.provider().Secret(prompt.CleanSecret(typed))
}
