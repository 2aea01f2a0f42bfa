package cli

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/net/http/httpproxy"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/wholefile"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
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
	tlsName   string
	tlsRSA    bool
	cleartext bool
	lockStep  bool
	pipeline  smtpclient.PipelineMessages // of the account
	proxy     string
	localName string
	quitAfter string
	timeout   time.Duration
}

func (s *serverFlags) register(a *app, cmd *cobra.Command) {
	file := a.T("FILE")
	add(cmd, a.T("Server and login:"),
		newOption("server", "", &s.server, a.T("SERVER"), a.T("URL or provider, see below (default: the account's, else the provider of the sender's address)")),
		newOption("auth", "", &s.auth, a.T("MECHANISM"), a.T("use this SASL mechanism only (default: the best)")),
		newOption("tls-ca", "", &s.tlsCA, file, a.T("trust these authorities (PEM) instead of the system's")),
		newOption("tls-pin", "", &s.tlsPin, "sha256:HEX", a.T("trust only the certificate with this fingerprint")),
		newOption("tls-cert", "", &s.tlsCert, file, a.T("show this client certificate (PEM)")),
		newOption("tls-key", "", &s.tlsKey, file, a.T("the key of the client certificate (PEM)")),
		newOption("tls-name", "", &s.tlsName, a.T("NAME"), a.T("the name that the server's certificate has to be for (default: the host)")),
		newOption("tls-rsa-key-exchange", "", &s.tlsRSA, "", a.T("also take TLS without forward secrecy; for old servers that have nothing else")),
		newOption("allow-cleartext-password", "", &s.cleartext, "", a.T("over smtp+notls:// send the password too, for all to read")),
		newOption("proxy", "", &s.proxy, "URL", a.T("go through socks5://host:port or http://host:port")),
		newOption("local-name", "", &s.localName, a.T("NAME"), a.T("the name to say in EHLO (default: this machine's address)")),
		newOption("no-pipelining", "", &s.lockStep, "", a.T("wait for the answer to each command; for servers that lose what comes together")),
		newOption("timeout", "", &s.timeout, a.T("TIME"), a.T("give up after this time, like 30s or 5m (default: RFC 5321's for each phase)")),
		newOption("quit-after", "", &s.quitAfter, a.T("STAGE"), a.T("send nothing; stop after: %s", a.listed(quitStages()))),
	)
	complete(cmd, "server", providerIDs)
	complete(cmd, "auth", mechanisms)
	complete(cmd, "quit-after", quitStages)
}

// mechanisms are the words for --auth.
func mechanisms() []string { return append(sasl.Mechanisms(), transport.NoLogin) }

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

// check finds flags that no server makes sense with. It reads the files that
// they name, and connects to nothing.
func (s *serverFlags) check(a *app, cmd *cobra.Command) error {
	s.auth = strings.ToUpper(s.auth)
	visible := func(r rune) bool { return r > ' ' && r <= '~' }
	hidden := func(r rune) bool { return !visible(r) }
	switch {
	case s.quitAfter != "" && !slices.Contains(quitStages(), s.quitAfter):
		return a.wrongf("%s %q: want one of %s", a.name("quit-after"), s.quitAfter, a.listed(quitStages()))
	case s.auth != "" && !slices.Contains(mechanisms(), s.auth):
		return a.wrongf("%s %q: want one of %s", a.name("auth"), s.auth, a.listed(mechanisms()))
	case strings.ContainsFunc(s.tlsName, func(r rune) bool { return r <= ' ' || r == '/' || r == '@' }):
		return a.wrongf("%s %q: want a host name like mail.example.com", a.name("tls-name"), s.tlsName)
	case cmd.Flags().Changed("timeout") && s.timeout <= 0:
		return a.wrongf("%s %q: want a time above zero, like 30s", a.name("timeout"), s.timeout.String())
	case len(s.localName) > 255 || strings.ContainsFunc(s.localName, hidden):
		return a.wrongf("%s %q: want a host name like pc.example.com, or an address like [192.0.2.1]", a.name("local-name"), s.localName)
	}
	if s.server != "" {
		if err := a.checkServer(s.server); err != nil {
			return err
		}
	}
	if s.proxy != "" {
		if err := a.checkProxy(a.name("proxy"), s.proxy); err != nil {
			return err
		}
	}
	return s.checkTLS(a)
}

// checkProxy never repeats the URL, which may hold a password.
func (a *app) checkProxy(name, proxy string) error {
	u, err := url.Parse(proxy)
	if err != nil || u.Host == "" || !slices.Contains([]string{"socks5", "socks5h", "socks", "http"}, u.Scheme) {
		return a.wrongf("%s: want a URL like socks5://127.0.0.1:1080 or http://127.0.0.1:8080", name)
	}
	if _, has := u.User.Password(); has && name == "--proxy" {
		return fail(exitUsage, errors.New(a.T("%s: a password in a URL can be read by other users of the machine", name)),
			a.T("Put the URL into the variable YAN_PROXY or ALL_PROXY."))
	}
	return nil
}

func (s *serverFlags) checkTLS(a *app) error {
	for _, f := range []struct{ flag, file string }{{"tls-ca", s.tlsCA}, {"tls-cert", s.tlsCert}, {"tls-key", s.tlsKey}} {
		if f.file == "" {
			continue
		}
		if err := wholefile.Check(f.file); err != nil {
			return a.file(a.name(f.flag), f.file, err)
		}
	}
	if s.tlsCA != "" {
		switch err := a.pemFiles(func() error { _, err := smtpclient.LoadRoots(s.tlsCA); return err }); {
		case isUnreadable(err):
			return a.file(a.name("tls-ca"), s.tlsCA, err)
		case err != nil:
			return a.configf("%s %s: holds no certificate in PEM form", a.name("tls-ca"), printable(s.tlsCA))
		}
	}
	if s.tlsPin != "" {
		if _, err := smtpclient.ParsePin(s.tlsPin); err != nil {
			return a.wrongf("%s %q: want sha256: and 64 hexadecimal digits", a.name("tls-pin"), s.tlsPin)
		}
	}
	switch {
	case s.tlsCert != "" && s.tlsKey == "":
		return a.wrongf("%s needs %s: a client certificate has two files", a.name("tls-cert"), "--tls-key")
	case s.tlsKey != "" && s.tlsCert == "":
		return a.wrongf("%s needs %s: a client certificate has two files", a.name("tls-key"), "--tls-cert")
	case s.tlsCert != "":
		switch err := a.pemFiles(func() error { _, err := smtpclient.LoadCertificate(s.tlsCert, s.tlsKey); return err }); {
		case isUnreadable(err):
			return a.file(a.name("tls-cert"), s.tlsCert, err)
		case err != nil:
			return a.configf("%s and %s do not make a client certificate: %v", a.name("tls-cert"), a.name("tls-key"), err)
		}
	}
	return nil
}

// pemFiles reads certificates until Ctrl-C.
func (a *app) pemFiles(read func() error) error {
	_, err := wholefile.Await(a.ctx, func() (struct{}, error) { return struct{}{}, read() }, nil)
	return err
}

// isUnreadable: what is in the file does not matter.
func isUnreadable(err error) bool {
	var long *wholefile.TooLongError
	return errors.Is(err, context.Canceled) || errors.As(err, &long)
}

// checkServer finds what is wrong with --server whoever the sender is.
func (a *app) checkServer(server string) error {
	name := a.name("server")
	if strings.Contains(server, "://") {
		if _, err := transport.ParseServer(server, smtp.Address{}); err != nil {
			return a.badURL(name, server, err)
		}
		return nil
	}
	word, _, _ := strings.Cut(server, "/")
	if _, known := provider.Lookup(word); known {
		return nil
	}
	switch _, err := transport.ParseServer(server, smtp.Address{}); {
	case err == nil:
		return nil
	case errors.Is(err, transport.ErrNearHost):
		return a.wrongf("%s: %v", name, err)
	}
	hint := a.T("'yan providers' lists those that are known; a server of your own is written %s.", "smtps://me%40example.com@smtp.example.com")
	if near := provider.Nearest(word); len(near) > 0 {
		hint = a.T("Did you mean %s?", a.listed(near))
	}
	return fail(exitUsage, errors.New(a.T("%s %q: neither a URL nor a known provider", name, printableURL(server))), hint)
}

// target finds the server, and says in the user's words why there is none.
func (s *serverFlags) target(a *app, sender smtp.Address) (transport.Server, error) {
	server, err := transport.ParseServer(s.server, sender)
	switch {
	case err != nil && s.server == "":
		return server, fail(exitUsage, errors.New(a.T("no server is known for %s: name it with --server", sender)),
			a.T("For example: %s", "--server smtps://"+url.User(sender.String()).String()+"@smtp."+sender.ASCIIDomain())+"\n     "+
				a.T("Or let yan look for it: %s", "yan login "+sender.String()))
	case err != nil:
		return server, a.wrongf("%s %q: %v", a.name("server"), s.server, err)
	case s.cleartext && server.Security != smtpclient.Plaintext:
		return server, a.wrongf("%s is for smtp+notls:// servers; this one is encrypted: leave it out", a.name("allow-cleartext-password"))
	}
	return server, nil
}

// badURL says what is wrong with a server URL without repeating a password.
func (a *app) badURL(name, server string, err error) error {
	u, parseErr := url.Parse(server)
	if parseErr != nil {
		return a.wrongf("%s: this URL can't be read; an @ in the user name is written %s", name, "%40")
	}
	if _, has := u.User.Password(); has {
		return fail(exitUsage, errors.New(a.T("%s: a password in a URL can be read by other users of the machine", name)),
			a.T("Put it into a file that only you can read, and name that: %s", a.withVariable("YAN_PASSWORD_FILE", "code.txt", "yan send …")))
	}
	var problem string
	schemes := []string{"smtps", "smtp", "smtp+notls", "lmtp", "lmtp+unix"}
	port, portErr := strconv.Atoi(u.Port())
	switch {
	case !slices.Contains(schemes, u.Scheme):
		problem = a.T("%s %s: the scheme has to be one of %s", name, server, a.listed(schemes))
	case u.Scheme != "lmtp+unix" && u.Hostname() == "":
		problem = a.T("%s %s: names no host", name, server)
	case u.Port() != "" && (portErr != nil || port < 1 || port > 65535):
		problem = a.T("%s %s: want a port from 1 to 65535", name, server)
	case u.Scheme == "smtp" && u.Path == "" && u.RawQuery == "" && u.Fragment == "":
		problem = a.T("%s %s: this port speaks TLS from the first byte; write smtps:// instead of smtp://", name, server)
	default:
		problem = a.T("%s: %v", name, err)
	}
	return fail(exitUsage, errors.New(problem), a.T("For example: %s", "--server smtps://me%40example.com@smtp.example.com"))
}

// printableURL keeps what follows a colon in a mistyped URL out of sight:
// "smtps:/me:secret@host" is no URL, and still holds a password.
func printableURL(s string) string {
	if head, _, found := strings.Cut(s, "@"); found {
		if first, _, colon := strings.Cut(head, ":"); colon {
			return first + ":…"
		}
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// options makes what yan.Open takes of flags that were checked.
func (s *serverFlags) options(a *app, from smtp.Address, server transport.Server) (yan.Options, error) {
	o := yan.Options{From: from.String(), Mechanism: s.auth, AllowCleartextPassword: s.cleartext,
		CAFile: s.tlsCA, Pin: s.tlsPin, CertFile: s.tlsCert, KeyFile: s.tlsKey,
		TLSName: s.tlsName, RSAKeyExchange: s.tlsRSA,
		Proxy: s.proxy, LocalName: s.localName, NoPipelining: s.lockStep, NoChunking: s.lockStep, PipelineMessages: s.pipeline, StopAfter: smtp.Stage(s.quitAfter)}
	if o.Proxy == "" && server.Socket == "" {
		var err error
		if o.Proxy, err = a.systemProxy(server); err != nil {
			return o, err
		}
	}
	return o, nil
}

// systemProxy is what ALL_PROXY and NO_PROXY say about a server, in capitals
// or not, as other programs read them. This machine is always reached directly.
func (a *app) systemProxy(server transport.Server) (string, error) {
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
		// The variable is for all programs, and none has to know each kind of proxy.
		a.toldProxy.Do(func() { // a search asks for many servers at once
			a.errf("%s\n", a.T("yan: %s is not used: it names no proxy of a kind that yan knows, like %s", from, "socks5://127.0.0.1:1080"))
		})
		return "", nil
	}
	return all, nil
}

// hostPort is the host as a URL has it.
func hostPort(server transport.Server) string {
	_, after, _ := strings.Cut(server.String(), "://")
	return after
}
