package logincmd

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/transport"
)

// loginFlags are the flags of login; each answers a question.
type loginFlags struct {
	serverflag.ServerFlags
	name, from, user     string
	secretFile           string
	secretCommand        string
	secretEnv            string
	secretNetrc          string
	secretCredential     string
	secretStdin          bool
	oauth2               string
	clientID, clientCode string
	makeDefault, replace bool
	noCheck, qr, plain   bool
	noLogin              bool
	newFile              bool
	dns                  string
	json                 bool
}

func (a *loginCommand) cobraCommand() *cobra.Command {
	s := &loginFlags{}
	cmd := &cobra.Command{
		Use:   "login [" + a.T("ADDRESS") + "|" + a.T("PROVIDER") + "|" + a.T("ACCOUNT") + "]",
		Short: a.T("Log in once, then send at any time"),
		Long:  a.T("Set up an account: find the server for an address, show where to get its authorization code, log in, check that the server accepts the sender, and save the account. No message is sent.\n\nYan asks for values not given as flags. The secret is never a flag: it is typed without being shown, or read from standard input or the file set by YAN_PASSWORD_FILE, and stored in the system keyring or, if there is none, in an encrypted file. With --secret-file and similar flags it stays where it is, and the account only records the place.\n\nWith the name of an account, logs in again and saves the changes.\n\nServer, user, sender and the place of the secret are set by flags only: YAN_SERVER, YAN_FROM and similar variables are for 'yan send'."),
		Example: "  yan login\n  yan login me@qq.com\n  yan login gmail --oauth2 browser\n" +
			"  yan login ops@example.com --server smtps://smtp.example.com --secret-command 'pass show mail'",
		Args: a.AtMost(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.setUp(cmd, s, args) },
	}
	s.registerAccount(a, cmd)
	s.registerServer(a, cmd)
	command.Add(cmd, a.T("Output:"),
		command.NewOption("plain", "", &s.plain, "", a.T("ask line by line, without a form")),
		command.NewOption("json", "", &s.json, "", a.T("print the account as JSON")),
	)
	return cmd
}

func (s *loginFlags) registerAccount(a *loginCommand, cmd *cobra.Command) {
	command.Add(cmd, a.T("Account:"),
		command.NewOption("name", "", &s.name, a.T("NAME"), a.T("name of the account (default: from the address)")),
		command.NewOption("from", "f", &s.from, a.T("ADDRESS"), a.T("sender, optionally with a name (default: the login address)")),
		command.NewOption("user", "", &s.user, a.T("USER"), a.T("login name (default: the form the provider expects)")),
		command.NewOption("default", "", &s.makeDefault, "", a.T("make it the default account")),
		command.NewOption("replace", "", &s.replace, "", a.T("change the existing account with this name")),
		command.NewOption("no-check", "", &s.noCheck, "", a.T("save the account without logging in")),
		command.NewOption("qr", "", &s.qr, "", a.T("show the address of the provider's help page as a QR code")),
	)
	file := a.T("FILE")
	command.Add(cmd, a.T("Secret:"),
		command.NewOption("secret-stdin", "", &s.secretStdin, "", a.T("read the secret from standard input")),
		command.NewOption("secret-file", "", &s.secretFile, file, a.T("the secret stays in this file, which only you can read")),
		command.NewOption("secret-command", "", &s.secretCommand, a.T("COMMAND"), a.T("the secret is the output of this command, such as 'pass show mail'")),
		command.NewOption("secret-env", "", &s.secretEnv, a.T("VARIABLE"), a.T("the secret is in this variable")),
		command.NewOption("secret-netrc", "", &s.secretNetrc, file, a.T("the secret is in a netrc file; 'default' means ~/.netrc")),
		command.NewOption("secret-credential", "", &s.secretCredential, a.T("NAME"), a.T("the secret is this systemd credential")),
		command.NewOption(accounts.NewFileFlag, "", &s.newFile, "", a.T("start a new encrypted file and set the old one aside")),
		command.NewOption("oauth2", "", &s.oauth2, "browser|device", a.T("sign in with OAuth 2.0: in the browser, or with a code on another device")),
		command.NewOption("client-id", "", &s.clientID, "ID", a.T("OAuth 2.0: client ID of your registration with the provider")),
		command.NewOption("client-secret", "", &s.clientCode, a.T("TEXT"), a.T("OAuth 2.0: client secret that some providers give to installed programs")),
	)
	command.Complete(cmd, "oauth2", oauthWays)
}

func (s *loginFlags) registerServer(a *loginCommand, cmd *cobra.Command) {
	file := a.T("FILE")
	command.Add(cmd, a.T("Server:"),
		command.NewOption("server", "", &s.Server, a.T("SERVER"), a.T("URL or provider (default: found from the address)")),
		command.NewOption("auth", "", &s.Auth, a.T("MECHANISM"), a.T("use only this SASL mechanism (default: the best one)")),
		command.NewOption("no-login", "", &s.noLogin, "", a.T("do not log in; for a server that accepts mail from this machine without a login")),
		command.NewOption("tls-ca", "", &s.TLSCA, file, a.T("trust these authorities (PEM) instead of the system's")),
		command.NewOption("tls-pin", "", &s.TLSPin, "sha256:HEX", a.T("trust only the certificate with this fingerprint")),
		command.NewOption("tls-cert", "", &s.TLSCert, file, a.T("show this client certificate (PEM)")),
		command.NewOption("tls-key", "", &s.TLSKey, file, a.T("the key of the client certificate (PEM)")),
		command.NewOption("tls-name", "", &s.TLSName, a.T("NAME"), a.T("name expected in the server's certificate (default: the host)")),
		command.NewOption("tls-rsa-key-exchange", "", &s.TLSRSA, "", a.T("also accept TLS without forward secrecy; for old servers that support nothing else")),
		command.NewOption("proxy", "", &s.Proxy, "URL", a.T("connect through socks5://host:port or http://host:port; DNS queries are direct")),
		command.NewOption("dns", "", &s.dns, a.T("ADDRESS"), a.T("use this DNS server instead of the system's")),
		command.NewOption("timeout", "", &s.Timeout, a.T("TIME"), a.T("give up after this time, such as 30s or 5m (default: 1m)")),
	)
	command.Complete(cmd, "server", serverflag.ProviderIDs)
	command.Complete(cmd, "auth", sasl.Mechanisms)
}

func oauthWays() []string { return []string{"browser", "device"} }

// setUp runs the command. It stores nothing before the account is known to work.
func (a *loginCommand) setUp(cmd *cobra.Command, s *loginFlags, args []string) error {
	if err := a.checkLogin(cmd, s); err != nil {
		return err
	}
	f, err := a.FaultyConfiguration()
	if err != nil {
		return err
	}
	l := &loginSetup{a: a, s: s, file: f, ask: a.Asker(s.plain), trial: a.newTrialSecrets()}
	l.person = l.ask.Person
	steps := []func(context.Context) error{
		func(ctx context.Context) error { return senderQuestions{l}.findSender(ctx, args) },
		l.findServer, accountNaming{l}.chooseName, l.getCredentials, loginCheck{l}.loginUntilAccepted, (&keeper{loginSetup: l}).storeAccount,
	}
	for _, step := range steps {
		if err := step(cmd.Context()); err != nil {
			return err
		}
	}
	l.printSummary()
	if !l.s.noCheck {
		l.a.LoginWorked(cmd.Context(), l.acc.Name, l.s.json)
	}
	return nil
}

// checkLogin rejects invalid and contradictory flags.
func (a *loginCommand) checkLogin(cmd *cobra.Command, s *loginFlags) error {
	var secrets []string
	for _, flag := range []string{"secret-stdin", "secret-file", "secret-command", "secret-env", "secret-netrc", "secret-credential", "oauth2"} {
		if cmd.Flags().Changed(flag) {
			secrets = append(secrets, a.Name(flag))
		}
	}
	switch {
	case len(secrets) > 1:
		return a.Wrongf("use either %s or %s: the secret can have only one place", secrets[0], secrets[1])
	case s.noLogin && len(secrets) > 0:
		return a.Wrongf("%s can't be used with %s: without a login there is no secret", a.Name("no-login"), secrets[0])
	case s.oauth2 != "" && !slices.Contains(oauthWays(), s.oauth2):
		return a.Wrongf("%s %q: want one of %s", a.Name("oauth2"), s.oauth2, a.Listed(oauthWays()))
	case s.name != "" && !accounts.IsAccountName(s.name):
		return a.Wrongf("%s %q: want letters, digits, - and _", a.Name("name"), s.name)
	}
	if cmd.Flags().Changed("from") {
		if err := a.Address("from", s.from); err != nil {
			return err
		}
		if _, err := a.parseMailbox(s.from); err != nil {
			return a.Wrongf("%s: %v", a.Name("from"), err)
		}
	}
	if s.secretFile != "" {
		if err := atomicfile.CheckReadable(s.secretFile); err != nil {
			return a.FileFailure(a.Name("secret-file"), s.secretFile, err)
		}
	}
	if err := a.checkUserName(s.user); err != nil {
		return a.Wrongf("%s %q: %v", a.Name("user"), s.user, err)
	}
	if s.dns != "" {
		if _, err := parseDNSServer(s.dns); err != nil {
			return a.Wrongf("%s %q: want an address like 9.9.9.9 or 127.0.0.1:5353", a.Name("dns"), s.dns)
		}
	}
	return s.CheckFlags(a.Servers, cmd)
}

// loginSetup is the state of setting up one account.
type loginSetup struct {
	a    *loginCommand
	s    *loginFlags
	ask  *prompt.Asker
	file *account.File
	// person is true if a user can correct an answer.
	person bool
	// trial holds the secret until the login has worked.
	trial *accounts.Secrets

	// acc is the future account; it grows with each step. old is the account that it replaces.
	acc account.Account
	old *account.Account
	// same is true if mailbox and server equal those of old. Its unchanged settings are kept.
	same bool
	// relogin is true if an account was named; its unchanged settings are kept.
	relogin bool
	// login is the mailbox that logs in, from the sender. They are usually the same.
	login, from message.Mailbox
	server      transport.Server
	user        string // the login name
	password    string // typed or read, to be stored; "" if it stays elsewhere
	browsed     bool   // the user consented to OAuth 2.0
	// consented is the account as it was when its token was stored in trial.
	consented account.Account
	shown     bool // the place of the secret was shown
	refused   int  // refused logins so far
	// triedServers lists the servers that could not be used.
	triedServers []string
	place        secret.Location
	// intoOwn is true if the typed secret goes into the file that yan wrote for it.
	intoOwn bool
	took    time.Duration // of the check; 0 if there was none
}

// askText asks for a value that a flag could also give; the error for a missing answer names the flag.
func (l *loginSetup) askText(ctx context.Context, flag string, q prompt.Question) (string, error) {
	answer, err := l.ask.Text(ctx, q)
	return answer, l.answerError(err, q.Title, flag)
}

// answerError explains in the user's language why there is no answer.
func (l *loginSetup) answerError(err error, title, flag string) error {
	var wrong *prompt.WrongError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, prompt.ErrCancelled):
		return command.Fail(command.ExitInterrupted, errors.New(l.a.T("interrupted; nothing was saved")), "")
	case errors.Is(err, prompt.ErrNoAnswer):
		return command.Fail(command.ExitUsage, errors.New(l.a.T("no answer to the question “%s”", title)), l.a.T("Use %s, or run yan login on a terminal.", flag))
	case errors.As(err, &wrong):
		return l.a.Wrongf("%s: %v", wrong.Title, wrong.Err)
	}
	return command.Fail(command.ExitIO, localerr.Errorf("%s: %w", l.a.T("can't read the answer"), err), "")
}

// say prints a line about the progress to standard error.
func (l *loginSetup) say(text string) { l.a.Errf("%s\n", text) }

func (l *loginSetup) sayDone(text string) {
	l.say(l.a.Paint(l.a.StderrWidth, console.Green, "✓") + " " + text)
}

// commandLine returns the command line that repeats this login.
func (l *loginSetup) commandLine() string {
	words := []string{"yan", "login", l.login.Address.String()}
	if l.old != nil {
		words[2] = l.old.Name
	}
	return strings.Join(words, " ")
}
