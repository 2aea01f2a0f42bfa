package serverflag

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/net/http/httpproxy"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// ServerFlags are the flags that select the server and the login.
type ServerFlags struct {
	Server    string
	Auth      string
	TLSCA     string
	TLSPin    string
	TLSCert   string
	TLSKey    string
	TLSName   string
	TLSRSA    bool
	Cleartext bool
	LockStep  bool
	Pipeline  smtpclient.PipelineMessages // from the account
	Proxy     string
	LocalName string
	QuitAfter string
	Timeout   time.Duration
}

// RegisterFlags adds the flags to a command.
func (s *ServerFlags) RegisterFlags(a *Servers, cmd *cobra.Command) {
	file := a.T("FILE")
	command.Add(cmd, a.T("Server and login:"),
		command.NewOption("server", "", &s.Server, a.T("SERVER"), a.T("URL or provider, see below (default: the account's, else the provider of the sender's address)")),
		command.NewOption("auth", "", &s.Auth, a.T("MECHANISM"), a.T("use only this SASL mechanism (default: the best one)")),
		command.NewOption("tls-ca", "", &s.TLSCA, file, a.T("trust these authorities (PEM) instead of the system's")),
		command.NewOption("tls-pin", "", &s.TLSPin, "sha256:HEX", a.T("trust only the certificate with this fingerprint")),
		command.NewOption("tls-cert", "", &s.TLSCert, file, a.T("show this client certificate (PEM)")),
		command.NewOption("tls-key", "", &s.TLSKey, file, a.T("the key of the client certificate (PEM)")),
		command.NewOption("tls-name", "", &s.TLSName, a.T("NAME"), a.T("name expected in the server's certificate (default: the host)")),
		command.NewOption("tls-rsa-key-exchange", "", &s.TLSRSA, "", a.T("also accept TLS without forward secrecy; for old servers that support nothing else")),
		command.NewOption("allow-cleartext-password", "", &s.Cleartext, "", a.T("send the password over smtp+notls:// too, readable by anyone on the way")),
		command.NewOption("proxy", "", &s.Proxy, "URL", a.T("connect through socks5://host:port or http://host:port")),
		command.NewOption("local-name", "", &s.LocalName, a.T("NAME"), a.T("name to send in EHLO (default: this machine's address)")),
		command.NewOption("no-pipelining", "", &s.LockStep, "", a.T("wait for the reply to each command; for servers that lose pipelined commands")),
		command.NewOption("timeout", "", &s.Timeout, a.T("TIME"), a.T("give up after this time, such as 30s or 5m (default: the limits of RFC 5321 for each stage)")),
		command.NewOption("quit-after", "", &s.QuitAfter, a.T("STAGE"), a.T("send nothing; stop after: %s", a.Listed(quitStages()))),
	)
	command.Complete(cmd, "server", ProviderIDs)
	command.Complete(cmd, "auth", authWords)
	command.Complete(cmd, "quit-after", quitStages)
}

// authWords lists the words for --auth.
func authWords() []string { return append(sasl.Mechanisms(), transport.NoLogin) }

func quitStages() []string {
	return []string{"connect", "tls", "greeting", "ehlo", "auth", "mail", "rcpt"}
}

// ProviderIDs lists the IDs of all providers.
func ProviderIDs() []string {
	var ids []string
	for _, p := range provider.All() {
		ids = append(ids, p.ID)
	}
	return ids
}

// CheckFlags returns an error for flags that are invalid for any server. It reads the files that they
// name, but opens no connection.
func (s *ServerFlags) CheckFlags(a *Servers, cmd *cobra.Command) error {
	s.Auth = strings.ToUpper(s.Auth)
	visible := func(r rune) bool { return r > ' ' && r <= '~' }
	hidden := func(r rune) bool { return !visible(r) }
	switch {
	case s.QuitAfter != "" && !slices.Contains(quitStages(), s.QuitAfter):
		return a.Wrongf("%s %q: want one of %s", a.Name("quit-after"), s.QuitAfter, a.Listed(quitStages()))
	case s.Auth != "" && !slices.Contains(authWords(), s.Auth):
		return a.Wrongf("%s %q: want one of %s", a.Name("auth"), s.Auth, a.Listed(authWords()))
	case strings.ContainsFunc(s.TLSName, func(r rune) bool { return r <= ' ' || r == '/' || r == '@' }):
		return a.Wrongf("%s %q: want a host name like mail.example.com", a.Name("tls-name"), s.TLSName)
	case cmd.Flags().Changed("timeout") && s.Timeout <= 0:
		return a.Wrongf("%s %q: want a time above zero, like 30s", a.Name("timeout"), s.Timeout.String())
	case len(s.LocalName) > 255 || strings.ContainsFunc(s.LocalName, hidden):
		return a.Wrongf("%s %q: want a host name like pc.example.com, or an address like [192.0.2.1]", a.Name("local-name"), s.LocalName)
	}
	if s.Server != "" {
		if err := a.CheckServer(s.Server); err != nil {
			return err
		}
	}
	if s.Proxy != "" {
		if err := a.checkProxy(a.Name("proxy"), s.Proxy); err != nil {
			return err
		}
	}
	return s.CheckTLS(a)
}

// checkProxy returns an error for an invalid proxy. The error never holds the URL, which may
// contain a password.
func (a *Servers) checkProxy(name, proxy string) error {
	u, err := url.Parse(proxy)
	if err != nil || u.Host == "" || !slices.Contains([]string{"socks5", "socks5h", "socks", "http"}, u.Scheme) {
		return a.Wrongf("%s: want a URL like socks5://127.0.0.1:1080 or http://127.0.0.1:8080", name)
	}
	if _, has := u.User.Password(); has && name == "--proxy" {
		return command.Fail(command.ExitUsage, errors.New(a.T("%s: other users of this machine can see a password in a URL", name)),
			a.T("Set YAN_PROXY or ALL_PROXY to the URL instead."))
	}
	return nil
}

// CheckTLS reads the files of the TLS flags and returns an error if one is invalid.
func (s *ServerFlags) CheckTLS(a *Servers) error {
	for _, f := range []struct{ flag, file string }{{"tls-ca", s.TLSCA}, {"tls-cert", s.TLSCert}, {"tls-key", s.TLSKey}} {
		if f.file == "" {
			continue
		}
		if err := atomicfile.CheckReadable(f.file); err != nil {
			return a.FileFailure(a.Name(f.flag), f.file, err)
		}
	}
	if s.TLSCA != "" {
		switch err := a.PemFiles(func() error { _, err := smtpclient.LoadRoots(s.TLSCA); return err }); {
		case isUnreadable(err):
			return a.FileFailure(a.Name("tls-ca"), s.TLSCA, err)
		case err != nil:
			return a.Configf("%s %s: contains no certificate in PEM format", a.Name("tls-ca"), command.QuoteName(s.TLSCA))
		}
	}
	if s.TLSPin != "" {
		if _, err := smtpclient.ParsePin(s.TLSPin); err != nil {
			return a.Wrongf("%s %q: want sha256: and 64 hexadecimal digits", a.Name("tls-pin"), s.TLSPin)
		}
	}
	switch {
	case s.TLSCert != "" && s.TLSKey == "":
		return a.Wrongf("%s needs %s: a client certificate has two files", a.Name("tls-cert"), "--tls-key")
	case s.TLSKey != "" && s.TLSCert == "":
		return a.Wrongf("%s needs %s: a client certificate has two files", a.Name("tls-key"), "--tls-cert")
	case s.TLSCert != "":
		switch err := a.PemFiles(func() error { _, err := smtpclient.LoadCertificate(s.TLSCert, s.TLSKey); return err }); {
		case isUnreadable(err):
			return a.FileFailure(a.Name("tls-cert"), s.TLSCert, err)
		case err != nil:
			return a.Configf("%s and %s are not a valid client certificate: %v", a.Name("tls-cert"), a.Name("tls-key"), err)
		}
	}
	return nil
}

// PemFiles reads certificates, and can be interrupted.
func (a *Servers) PemFiles(read func() error) error {
	_, err := atomicfile.Await(a.Ctx, func() (struct{}, error) { return struct{}{}, read() }, nil)
	return err
}

// isUnreadable reports whether a file can't be read, whatever its content.
func isUnreadable(err error) bool {
	var long *atomicfile.TooLongError
	return errors.Is(err, context.Canceled) || errors.As(err, &long)
}

// TargetServer returns the server, or an error that explains why there is none.
func (s *ServerFlags) TargetServer(a *Servers, sender smtp.Address) (transport.Server, error) {
	server, err := transport.ParseServer(s.Server, sender)
	switch {
	case err != nil && s.Server == "":
		return server, command.Fail(command.ExitUsage, errors.New(a.T("no server is known for %s: specify one with --server", sender)),
			a.T("For example: %s", "--server smtps://"+url.User(sender.String()).String()+"@smtp."+sender.ASCIIDomain())+"\n     "+
				a.T("Or let yan find it: %s", "yan login "+sender.String()))
	case err != nil:
		return server, a.Wrongf("%s %q: %v", a.Name("server"), s.Server, err)
	case s.Cleartext && server.Security != smtpclient.Plaintext:
		return server, a.Wrongf("%s is only for smtp+notls:// servers; this connection is encrypted, so remove it", a.Name("allow-cleartext-password"))
	}
	return server, nil
}

// textFlags returns the flags that take text, with the options that they set.
func (s *ServerFlags) textFlags(o *yan.Options) []textFlag {
	return []textFlag{
		{"auth", &s.Auth, &o.Mechanism}, {"tls-ca", &s.TLSCA, &o.CAFile}, {"tls-pin", &s.TLSPin, &o.Pin},
		{"tls-cert", &s.TLSCert, &o.CertFile}, {"tls-key", &s.TLSKey, &o.KeyFile}, {"tls-name", &s.TLSName, &o.TLSName},
		{"proxy", &s.Proxy, &o.Proxy}, {"local-name", &s.LocalName, &o.LocalName},
	}
}

type textFlag struct {
	name         string
	flag, option *string
}

// FillFrom sets each flag that was not given from the options of an account. It returns the names of
// the flags it set.
func (s *ServerFlags) FillFrom(o yan.Options, given func(flag string) bool) (filled []string) {
	for _, t := range s.textFlags(&o) {
		if !given(t.name) && *t.option != "" {
			*t.flag = *t.option
			filled = append(filled, t.name)
		}
	}
	s.Auth = strings.ToUpper(s.Auth)
	s.TLSRSA = s.TLSRSA || o.RSAKeyExchange
	s.Cleartext = s.Cleartext || o.AllowCleartextPassword
	s.LockStep = s.LockStep || o.NoPipelining
	s.Pipeline = o.PipelineMessages
	return filled
}

// ClientOptions returns the options of flags that have been checked.
func (s *ServerFlags) ClientOptions(a *Servers, from smtp.Address, server transport.Server) (yan.Options, error) {
	o := yan.Options{From: from.String(), AllowCleartextPassword: s.Cleartext, RSAKeyExchange: s.TLSRSA,
		NoPipelining: s.LockStep, NoChunking: s.LockStep, PipelineMessages: s.Pipeline, StopAfter: smtp.Stage(s.QuitAfter)}
	for _, t := range s.textFlags(&o) {
		*t.option = *t.flag
	}
	if o.Proxy == "" && server.Socket == "" {
		var err error
		if o.Proxy, err = a.SystemProxy(server); err != nil {
			return o, err
		}
	}
	return o, nil
}

// SystemProxy returns the proxy of ALL_PROXY and NO_PROXY for a server, in upper or lower case, as
// other programs read them. This machine is always reached directly.
func (a *Servers) SystemProxy(server transport.Server) (string, error) {
	either := func(name string) (value, from string) {
		if v := a.Getenv(name); v != "" {
			return v, name
		}
		return a.Getenv(strings.ToLower(name)), strings.ToLower(name)
	}
	all, from := either("ALL_PROXY")
	if all == "" {
		return "", nil
	}
	none, _ := either("NO_PROXY")
	cfg := httpproxy.Config{HTTPSProxy: "http://proxy.invalid", NoProxy: none}
	if u, err := cfg.ProxyFunc()(&url.URL{Scheme: "https", Host: hostPort(server)}); err != nil || u == nil {
		return "", nil
	}
	if a.checkProxy(from, all) != nil {
		// The variable is for all programs, and may name a kind of proxy that Yan does not support.
		a.WarnedProxy.Do(func() { // a search tries many servers at the same time
			a.Errf("%s\n", a.T("yan: %s is not used: its proxy type is not supported; use one like %s", from, "socks5://127.0.0.1:1080"))
		})
		return "", nil
	}
	return all, nil
}

// hostPort returns the host in the form of a URL.
func hostPort(server transport.Server) string {
	_, after, _ := strings.Cut(server.String(), "://")
	return after
}

// ReachesLogin reports whether a session that --quit-after stops includes the login.
func (s *ServerFlags) ReachesLogin() bool {
	switch smtp.Stage(s.QuitAfter) {
	case smtp.StageConnect, smtp.StageTLS, smtp.StageGreeting, smtp.StageHello:
		return false
	}
	return true
}
