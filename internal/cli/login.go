package cli

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/ask"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/internal/wholefile"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/transport"
)

// loginFlags are the flags of login: an answer each.
type loginFlags struct {
	serverFlags
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

func (a *app) loginCommand() *cobra.Command {
	s := &loginFlags{}
	cmd := &cobra.Command{
		Use:   "login [" + a.T("ADDRESS") + "|" + a.T("PROVIDER") + "|" + a.T("ACCOUNT") + "]",
		Short: a.T("Log in once, and send from then on"),
		Long: a.T("Set up an account: find the server of an address, show where its authorization code comes from, " +
			"log in with it, check that the server takes the sender, and keep the account. No message is sent.\n\n" +
			"What is not given as a flag is asked for. The secret is never a flag: it is typed without being shown, " +
			"read from standard input or from the file that YAN_PASSWORD_FILE names, and kept in the system's keyring or, " +
			"where there is none, in an encrypted file. With --secret-file and its like it stays where it is, and the account only notes the place.\n\n" +
			"With the name of an account it logs in again, and keeps what is new.\n\n" +
			"Server, user, sender and the place of the secret are said by flags alone: YAN_SERVER, YAN_FROM and their like are for 'yan send'."),
		Example: "  yan login\n  yan login me@qq.com\n  yan login gmail --oauth2 browser\n" +
			"  yan login ops@example.com --server smtps://smtp.example.com --secret-command 'pass show mail'",
		Args: a.atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.setUp(cmd, s, args) },
	}
	s.registerAccount(a, cmd)
	s.registerServer(a, cmd)
	add(cmd, a.T("Output:"),
		newOption("plain", "", &s.plain, "", a.T("ask line by line, without a form")),
		newOption("json", "", &s.json, "", a.T("print the account as JSON")),
	)
	return cmd
}

func (s *loginFlags) registerAccount(a *app, cmd *cobra.Command) {
	add(cmd, a.T("Account:"),
		newOption("name", "", &s.name, a.T("NAME"), a.T("what to call the account (default: by the address)")),
		newOption("from", "f", &s.from, a.T("ADDRESS"), a.T("the sender, also with a name (default: the address that logs in)")),
		newOption("user", "", &s.user, a.T("USER"), a.T("the login name (default: what the provider expects)")),
		newOption("default", "", &s.makeDefault, "", a.T("make it the account that is used when no other is named")),
		newOption("replace", "", &s.replace, "", a.T("change the account of that name, if there is one")),
		newOption("no-check", "", &s.noCheck, "", a.T("keep it without logging in")),
		newOption("qr", "", &s.qr, "", a.T("show the address of the provider's help as a QR code")),
	)
	file := a.T("FILE")
	add(cmd, a.T("Secret:"),
		newOption("secret-stdin", "", &s.secretStdin, "", a.T("read it from standard input")),
		newOption("secret-file", "", &s.secretFile, file, a.T("it stays in this file, which only you can read")),
		newOption("secret-command", "", &s.secretCommand, a.T("COMMAND"), a.T("it is what this command prints, like 'pass show mail'")),
		newOption("secret-env", "", &s.secretEnv, a.T("VARIABLE"), a.T("it is in this variable")),
		newOption("secret-netrc", "", &s.secretNetrc, file, a.T("it is in a netrc file; 'default' means ~/.netrc")),
		newOption("secret-credential", "", &s.secretCredential, a.T("NAME"), a.T("it is this systemd credential")),
		newOption(newFileFlag, "", &s.newFile, "", a.T("begin a new encrypted file, and set the old one aside")),
		newOption("oauth2", "", &s.oauth2, "browser|device", a.T("sign in with OAuth 2.0: in the browser, or with a code on another device")),
		newOption("client-id", "", &s.clientID, "ID", a.T("OAuth 2.0: the client id of your registration with the provider")),
		newOption("client-secret", "", &s.clientCode, a.T("TEXT"), a.T("OAuth 2.0: what some providers call the secret of an installed program")),
	)
	complete(cmd, "oauth2", oauthWays)
}

func (s *loginFlags) registerServer(a *app, cmd *cobra.Command) {
	file := a.T("FILE")
	add(cmd, a.T("Server:"),
		newOption("server", "", &s.server, a.T("SERVER"), a.T("URL or provider (default: found by the address)")),
		newOption("auth", "", &s.auth, a.T("MECHANISM"), a.T("use this SASL mechanism only (default: the best)")),
		newOption("no-login", "", &s.noLogin, "", a.T("log in as nobody, at a server that takes mail from this machine as it is")),
		newOption("tls-ca", "", &s.tlsCA, file, a.T("trust these authorities (PEM) instead of the system's")),
		newOption("tls-pin", "", &s.tlsPin, "sha256:HEX", a.T("trust only the certificate with this fingerprint")),
		newOption("tls-cert", "", &s.tlsCert, file, a.T("show this client certificate (PEM)")),
		newOption("tls-key", "", &s.tlsKey, file, a.T("the key of the client certificate (PEM)")),
		newOption("tls-name", "", &s.tlsName, a.T("NAME"), a.T("the name that the server's certificate has to be for (default: the host)")),
		newOption("tls-rsa-key-exchange", "", &s.tlsRSA, "", a.T("also take TLS without forward secrecy; for old servers that have nothing else")),
		newOption("proxy", "", &s.proxy, "URL", a.T("go through socks5://host:port or http://host:port; DNS is asked directly")),
		newOption("dns", "", &s.dns, a.T("ADDRESS"), a.T("ask this DNS server instead of the system's")),
		newOption("timeout", "", &s.timeout, a.T("TIME"), a.T("give up after this time, like 30s or 5m (default: 1m)")),
	)
	complete(cmd, "server", providerIDs)
	complete(cmd, "auth", sasl.Mechanisms)
}

func oauthWays() []string { return []string{"browser", "device"} }

// setUp is the command. Nothing is kept before everything is known to work.
func (a *app) setUp(cmd *cobra.Command, s *loginFlags, args []string) error {
	if err := a.checkLogin(cmd, s); err != nil {
		return err
	}
	f, err := a.faultyConfiguration()
	if err != nil {
		return err
	}
	l := &setup{a: a, s: s, file: f, ask: a.asker(s.plain), trial: a.trial()}
	l.person = l.ask.Person
	steps := []func(context.Context) error{
		func(ctx context.Context) error { return l.who(ctx, args) },
		l.where, l.called, l.credentials, l.proven, l.keep,
	}
	for _, step := range steps {
		if err := step(cmd.Context()); err != nil {
			return err
		}
	}
	l.farewell()
	if !l.s.noCheck {
		l.a.loginWorked(cmd.Context(), l.acc.Name, l.s.json)
	}
	return nil
}

// checkLogin finds flags that contradict each other or make no sense.
func (a *app) checkLogin(cmd *cobra.Command, s *loginFlags) error {
	var secrets []string
	for _, flag := range []string{"secret-stdin", "secret-file", "secret-command", "secret-env", "secret-netrc", "secret-credential", "oauth2"} {
		if cmd.Flags().Changed(flag) {
			secrets = append(secrets, a.name(flag))
		}
	}
	switch {
	case len(secrets) > 1:
		return a.wrongf("%s and %s are both given; the secret can come from one place only", secrets[0], secrets[1])
	case s.noLogin && len(secrets) > 0:
		return a.wrongf("%s and %s are both given; without a login there is no secret", a.name("no-login"), secrets[0])
	case s.oauth2 != "" && !slices.Contains(oauthWays(), s.oauth2):
		return a.wrongf("%s %q: want one of %s", a.name("oauth2"), s.oauth2, a.listed(oauthWays()))
	case s.name != "" && !isAccountName(s.name):
		return a.wrongf("%s %q: want letters, digits, - and _", a.name("name"), s.name)
	}
	if cmd.Flags().Changed("from") {
		if err := a.address("from", s.from); err != nil {
			return err
		}
		if _, err := a.mailbox(s.from); err != nil {
			return a.wrongf("%s: %v", a.name("from"), err)
		}
	}
	if s.secretFile != "" {
		if err := wholefile.Check(s.secretFile); err != nil {
			return a.file(a.name("secret-file"), s.secretFile, err)
		}
	}
	if err := a.userName(s.user); err != nil {
		return a.wrongf("%s %q: %v", a.name("user"), s.user, err)
	}
	if s.dns != "" {
		if _, err := dnsServer(s.dns); err != nil {
			return a.wrongf("%s %q: want an address like 9.9.9.9 or 127.0.0.1:5353", a.name("dns"), s.dns)
		}
	}
	return s.check(a, cmd)
}

// isAccountName asks the configuration itself whether an account can be called so.
func isAccountName(name string) bool {
	f, err := account.Parse("", nil)
	return err == nil && f.Put(account.Account{Name: name, From: "me@example.com", Server: "smtps://smtp.example.com"}) == nil
}

// asker asks at this terminal, or reads the answers from a pipe.
func (a *app) asker(plain bool) *ask.Asker {
	person := a.StdinTTY > 0 && a.StderrWidth > 0
	form := person && !plain && a.Getenv("TERM") != "dumb" && (a.Getenv("TERM") != "" || a.Windows)
	q := &ask.Asker{In: a.Stdin, Out: a.Stderr, Form: form, Person: person, Width: a.StderrWidth,
		Color: a.color && a.StderrWidth > 0, ReadSecret: a.ReadSecret, Hush: a.Hush, Getenv: a.Getenv,
		Words: ask.Words{Yes: a.T("Yes"), No: a.T("No"), Needed: a.T("an answer is needed"),
			Number: a.T("type a number from 1 to %d"), YesOrNo: a.T("type y or n"), Colon: a.T(": ")}}
	if form {
		q.In = a.keyboard
		q.Out = a.screen
	}
	return q
}

// setup is one account on its way from nothing to kept.
type setup struct {
	a    *app
	s    *loginFlags
	ask  *ask.Asker
	file *account.File
	// person: somebody is there to correct an answer.
	person bool
	// trial keeps the secret until it is proven.
	trial *account.Secrets

	// acc is what will stand in the configuration; it grows with each step. old is
	// the account that it replaces.
	acc account.Account
	old *account.Account
	// same: it is the same mailbox at the same place as old, which keeps what is not
	// changed.
	same bool
	// relogin: the account was named, and keeps what is not changed.
	relogin bool
	// login is the mailbox that logs in, from the one that sends; mostly the same.
	login, from message.Mailbox
	server      transport.Server
	user        string // the login name
	password    string // what was typed or read to be kept; "" where it stays elsewhere
	browsed     bool   // consented to by OAuth 2.0
	// consented is the account as it was when its token was kept for trial.
	consented account.Account
	shown     bool // where the secret comes from
	refused   int  // logins, so far
	// triedServers could not be used.
	triedServers []string
	place        secret.Place
	// intoOwn: the secret that was typed goes into the file that yan wrote for it.
	intoOwn bool
	// sealed is where the secret goes; aside is the encrypted file that was set aside
	// for it, "" for none.
	sealed *secret.Vault
	aside  string
	took   time.Duration // of the check; 0 when there was none
}

// text asks for what a flag may give as well; the flag is named when nobody answers.
func (l *setup) text(ctx context.Context, flag string, q ask.Question) (string, error) {
	answer, err := l.ask.Text(ctx, q)
	return answer, l.answer(err, q.Title, flag)
}

// answer says in the user's language why there is none.
func (l *setup) answer(err error, title, flag string) error {
	var wrong *ask.WrongError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ask.ErrCancelled):
		return fail(exitInterrupted, errors.New(l.a.T("interrupted; nothing was kept")), "")
	case errors.Is(err, ask.ErrNoAnswer):
		return fail(exitUsage, errors.New(l.a.T("no answer to the question “%s”", title)), l.a.T("Give it as %s, or run yan login on a terminal.", flag))
	case errors.As(err, &wrong):
		return l.a.wrongf("%s: %v", wrong.Title, wrong.Err)
	}
	return fail(exitIO, sentence.Errorf("%s: %w", l.a.T("the answer can't be read"), err), "")
}

// say tells how it goes; a heading is above what was asked.
func (l *setup) say(text string) { l.a.errf("%s\n", text) }

func (l *setup) done(text string) {
	l.say(l.a.paint(l.a.StderrWidth, green, "✓") + " " + text)
}
