package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// serverFlags say where to send and how to log in.
type serverFlags struct {
	server    string
	auth      string
	tlsCA     string
	tlsPin    string
	tlsCert   string
	tlsKey    string
	cleartext bool
	proxy     string
	localName string
	quitAfter string
	timeout   time.Duration
}

func (s *serverFlags) register(a *app, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.server, "server", "", a.T("`URL` (smtps://user@host, smtp://user@host with STARTTLS, smtp+notls://, lmtp://, lmtp+unix://) or provider (see 'yan providers'); default: the provider of the sender's address"))
	f.StringVar(&s.auth, "auth", "", a.T("use only this SASL `MECHANISM` (default: the best that both sides know)"))
	f.StringVar(&s.tlsCA, "tls-ca", "", a.T("trust the certificate authorities of this PEM `FILE` instead of the system's"))
	f.StringVar(&s.tlsPin, "tls-pin", "", a.T("trust only the certificate with this fingerprint, `sha256:HEX`"))
	f.StringVar(&s.tlsCert, "tls-cert", "", a.T("show this client certificate (PEM `FILE`)"))
	f.StringVar(&s.tlsKey, "tls-key", "", a.T("the key of the client certificate (PEM `FILE`)"))
	f.BoolVar(&s.cleartext, "allow-cleartext-password", false, a.T("with smtp+notls:// only: send the password unencrypted, for everybody on the way to read"))
	f.StringVar(&s.proxy, "proxy", "", a.T("go through a proxy: `URL` socks5://host:port or http://host:port (default: ALL_PROXY)"))
	f.StringVar(&s.localName, "local-name", "", a.T("the `NAME` to say in EHLO (default: this machine's address)"))
	f.StringVar(&s.quitAfter, "quit-after", "", a.T("stop after a `STAGE` and send nothing: connect, tls, greeting, ehlo, auth, mail, rcpt"))
	f.DurationVar(&s.timeout, "timeout", 0, a.T("give up after this `TIME`, like 30s or 5m (default: the time-outs of RFC 5321 for each phase)"))
	complete(cmd, "server", func() []string { return providerIDs() })
	complete(cmd, "auth", sasl.Mechanisms)
	complete(cmd, "quit-after", quitStages)
}

// complete offers the words of a flag to the shell.
func complete(cmd *cobra.Command, flag string, values func() []string) {
	// The error can only mean that the flag was not registered a line above.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
}

func quitStages() []string {
	return []string{"connect", "tls", "greeting", "ehlo", "auth", "mail", "rcpt"}
}

func providerIDs() []string {
	var ids []string
	for _, p := range provider.All() {
		ids = append(ids, p.ID)
	}
	return ids
}

// options makes what yan.Open takes, and checks it all before anything is
// connected.
func (a *app) options(flags *pflag.FlagSet, s *serverFlags, from string) (yan.Options, error) {
	o := yan.Options{From: from, Mechanism: strings.ToUpper(s.auth), AllowCleartextPassword: s.cleartext,
		CAFile: s.tlsCA, Pin: s.tlsPin, CertFile: s.tlsCert, KeyFile: s.tlsKey,
		Proxy: s.proxy, LocalName: s.localName, StopAfter: smtp.Stage(s.quitAfter)}
	switch {
	case s.quitAfter != "" && !contains(quitStages(), s.quitAfter):
		return o, a.usagef("--quit-after %q: want one of %s", s.quitAfter, strings.Join(quitStages(), ", "))
	case s.auth != "" && !contains(sasl.Mechanisms(), o.Mechanism):
		return o, a.usagef("--auth %q: want one of %s", s.auth, strings.Join(sasl.Mechanisms(), ", "))
	case flags.Changed("timeout") && s.timeout <= 0:
		return o, a.usagef("--timeout %s: want a time above zero, like 30s", s.timeout)
	}
	if o.Proxy == "" {
		o.Proxy = a.Getenv("ALL_PROXY")
	}
	for _, file := range []string{s.tlsCA, s.tlsCert, s.tlsKey} {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			return o, a.input(err)
		}
	}
	return o, a.secrets(&o)
}

// secrets reads the password or token from where the environment says.
func (a *app) secrets(o *yan.Options) error {
	for _, source := range []struct {
		name string
		to   *string
	}{{"YAN_PASSWORD", &o.Password}, {"YAN_TOKEN", &o.Token}} {
		if file := a.Getenv(source.name + "_FILE"); file != "" {
			b, err := os.ReadFile(file)
			if err != nil {
				f := a.input(err)
				f.err = fmt.Errorf("%s_FILE: %w", source.name, err)
				return f
			}
			*source.to = strings.TrimSpace(string(b))
			if *source.to == "" {
				return fail(exitConfig, errors.New(a.T("%s_FILE: %s is empty", source.name, file)), "")
			}
		} else if v := a.Getenv(source.name); v != "" {
			*source.to = strings.TrimSpace(v)
		}
	}
	return nil
}

// askSecret asks on the terminal for what no variable gave, when the server is
// one that wants a login.
func (a *app) askSecret(server transport.Server, o *yan.Options) error {
	if o.Password != "" || o.Token != "" || server.User == "" && o.User == "" || o.Mechanism == sasl.External ||
		a.ReadSecret == nil || a.StdinTTY == 0 {
		return nil
	}
	if where := a.Pick(server.Provider.CodeHelp.EN, server.Provider.CodeHelp.ZH); where != "" {
		a.errf("%s\n", a.paint(a.StderrWidth, dim, where))
	}
	a.errf("%s", a.T("Password or authorization code of %s (not shown): ", server.User))
	secret, err := a.ReadSecret()
	a.errf("\n")
	if err != nil {
		return internal("reading the password", err)
	}
	o.Password = strings.TrimSpace(secret)
	return nil
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
