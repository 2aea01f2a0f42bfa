package logincmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/discover"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// findServer sets the server: the named one, the provider's, or one that the domain announces.
func (l *loginSetup) findServer(ctx context.Context) error {
	server := l.s.Server
	if server == "" {
		if p, ok := provider.ByDomain(l.login.Address.ASCIIDomain()); ok {
			server = p.ID
		}
	}
	if server == "" {
		right, err := l.offerCorrection(ctx)
		if err != nil {
			return err
		}
		server = right
	}
	if server == "" {
		return l.searchServer(ctx)
	}
	err := l.useServer(server, "")
	if err != nil && l.person {
		l.say(l.a.TranslateError(err))
		return l.askServer(ctx, "")
	}
	return err
}

// useServer sets the server. user is the login name that came with it; "" if there is none.
func (l *loginSetup) useServer(server, user string) error {
	at, err := (&serverflag.ServerFlags{Server: server}).TargetServer(l.a.Servers, l.login.Address)
	if err != nil {
		return err
	}
	if at.LMTP {
		return l.a.Wrongf("%s %s: an account needs a server that accepts mail for any recipient, not LMTP", l.a.Name("server"), serverflag.PrintableURL(server))
	}
	l.server = at
	l.acc.Server = server
	if word, _, _ := strings.Cut(server, "/"); strings.Contains(server, "://") || !isProvider(word) {
		l.acc.Server = at.String()
	}
	l.user = cmp.Or(l.s.user, user, at.User)
	if l.user == "" && at.Provider.ID == "" {
		l.user = l.login.Address.String()
	}
	l.sayDone(fmt.Sprintf("%s  %s", l.serverName(), l.a.Paint(l.a.StderrWidth, console.Dim, l.a.HostAndPort(at))))
	return l.resetForServer()
}

// isProvider reports whether a word names a provider.
func isProvider(word string) bool {
	_, ok := provider.Lookup(word)
	return ok
}

// provider returns the provider of the secret: the server's or, for an unknown host (a proxy, a
// sandbox), the address's.
func (l *loginSetup) provider() provider.Provider {
	if l.server.Provider.ID != "" {
		return l.server.Provider
	}
	p, _ := provider.ByDomain(l.login.Address.ASCIIDomain())
	return p
}

// serverName returns the server's name for display.
func (l *loginSetup) serverName() string {
	if p := l.provider(); p.ID != "" {
		return l.a.ChooseText(p.Names.EN, p.Names.ZH)
	}
	return l.server.Host
}

// searchServer looks up the domain's server, and asks the user whether to trust it.
func (l *loginSetup) searchServer(ctx context.Context) error {
	domain := l.login.Address.ASCIIDomain()
	if strings.HasPrefix(domain, "[") { // RFC 5321 section 4.1.3
		return l.noDomain(ctx, domain)
	}
	l.say(l.a.T("Looking for the mail server of %s", domain))
	t := &searchAttempts{l: l, worked: map[discover.Method]bool{}}
	finder := discover.Finder{Tried: t.printTried}
	if l.s.dns != "" {
		finder.Resolver = newResolver(l.s.dns)
	}
	if l.s.TLSCA != "" {
		roots, err := smtpclient.LoadRoots(l.s.TLSCA)
		if err != nil {
			return l.a.Configf("%s %s: contains no certificate in PEM format", l.a.Name("tls-ca"), command.QuoteName(l.s.TLSCA))
		}
		finder.Roots = roots
	}
	var err error
	if finder.Dial, err = l.throughProxy(finder.Resolver); err != nil {
		return err
	}
	found, err := finder.Find(ctx, l.login.Address)
	t.printFailed()
	switch {
	case ctx.Err() != nil:
		return l.answerError(prompt.ErrCancelled, "", "")
	case errors.Is(err, discover.ErrOffline) && l.person:
		return l.askServer(ctx, l.a.T("The network seems to be down: neither DNS nor any server answered."))
	case errors.Is(err, discover.ErrOffline):
		return command.Fail(command.ExitTemporary, errors.New(l.a.T("no network: neither DNS nor any server answered, so the server of %s is unknown", domain)),
			l.a.T("Is this machine online? You can also specify the server: %s", "--server smtps://smtp."+domain))
	case err != nil:
		return command.InternalFailure("looking for the server", err)
	case len(found) > 0 && found[0].Trust == discover.Verified:
		return l.useServer(found[0].Server, found[0].User)
	case !l.person && len(found) > 0:
		return command.Fail(command.ExitConfig, errors.New(l.a.T("only DNS says that %s is the server of %s, and DNS can be forged: confirm before yan sends it a password", found[0].Host, domain)),
			l.a.T("If it is correct: %s", "--server "+found[0].Server))
	case !l.person:
		return command.Fail(command.ExitNoHost, errors.New(l.a.T("found no mail server for %s", domain)),
			l.a.T("Specify it, for example: %s", "--server smtps://smtp."+domain))
	}
	return l.chooseServer(ctx, found)
}

// noDomain handles an address literal, which has no domain to look up.
func (l *loginSetup) noDomain(ctx context.Context, literal string) error {
	why := l.a.T("%s is not a domain, so its mail server can't be looked up", literal)
	if l.person {
		return l.askServer(ctx, why)
	}
	return command.Fail(command.ExitUsage, errors.New(why), l.a.T("Specify it, for example: %s", "--server smtps://smtp.example.com"))
}

// throughProxy returns the dialer of the search, which uses the same proxy as the account will: of
// the flag, the configuration or the environment, if any. DNS is queried directly: a proxy for
// connections does not do that.
func (l *loginSetup) throughProxy(resolver *net.Resolver) (func(ctx context.Context, network, address string) (net.Conn, error), error) {
	named := cmp.Or(l.s.Proxy, l.file.New("").Proxy)
	which := func(host string, port int) (string, error) {
		if named != "" {
			return named, nil
		}
		return l.a.SystemProxy(transport.Server{Host: host, Port: port, Security: smtpclient.ImplicitTLS})
	}
	if _, err := which(l.login.Address.ASCIIDomain(), 443); err != nil {
		return nil, err // once, not for each attempt
	}
	direct := (&net.Dialer{Resolver: resolver}).DialContext
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, service, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		port, err := strconv.Atoi(service)
		if err != nil {
			return nil, err
		}
		proxy, err := which(host, port)
		if err != nil {
			return nil, err
		}
		if proxy == "" {
			return direct(ctx, network, address)
		}
		dialer, err := transport.ProxyDialer(proxy, nil)
		if err != nil {
			return nil, err
		}
		return dialer.DialContext(ctx, network, address)
	}, nil
}

// searchAttempts collects the results of the search.
type searchAttempts struct {
	l      *loginSetup
	failed []discover.Method
	worked map[discover.Method]bool
}

// printTried prints a successful way at once. printFailed lists the failed ones.
func (t *searchAttempts) printTried(at discover.Attempt) {
	if at.Err == nil {
		t.worked[at.Way] = true
		t.l.say(fmt.Sprintf("  %s %s  %s", t.l.a.Paint(t.l.a.StderrWidth, console.Green, "✓"), t.l.a.wayName(at.Way), t.l.a.Paint(t.l.a.StderrWidth, console.Dim, at.What)))
	} else if !slices.Contains(t.failed, at.Way) {
		t.failed = append(t.failed, at.Way)
	}
}

func (t *searchAttempts) printFailed() {
	var vain []string
	for _, w := range []discover.Method{discover.ByAutoconfig, discover.ByMX, discover.BySRV, discover.ByGuess} {
		if slices.Contains(t.failed, w) && !t.worked[w] {
			vain = append(vain, t.l.a.wayName(w))
		}
	}
	if len(vain) > 0 {
		t.l.say(t.l.a.Paint(t.l.a.StderrWidth, console.Dim, "  · "+t.l.a.T("searched without success: %s", strings.Join(vain, t.l.a.T(", ")))))
	}
}

// wayName returns the name of a way, for display.
func (a *loginCommand) wayName(w discover.Method) string {
	switch w {
	case discover.ByProvider:
		return a.T("provider")
	case discover.ByAutoconfig:
		return a.T("autoconfig")
	case discover.ByMX:
		return a.T("MX record")
	case discover.BySRV:
		return a.T("SRV record")
	default:
		return a.T("usual name")
	}
}

// chooseServer lists the hosts that only DNS confirms. The user's choice gets the password (RFC
// 6186 section 6).
func (l *loginSetup) chooseServer(ctx context.Context, found []discover.Candidate) error {
	if len(found) == 0 {
		return l.askServer(ctx, l.a.T("None was found. Your mail administrator knows its name."))
	}
	var options []string
	for _, c := range found[:min(len(found), 5)] {
		option := c.Host
		if c.Provider.ID != "" {
			option = l.a.ChooseText(c.Provider.Names.EN, c.Provider.Names.ZH)
			if c.Host != "" {
				option += " · " + c.Host
			}
		}
		options = append(options, option+"  ("+l.a.wayName(c.Way)+")")
	}
	q := prompt.Question{Title: l.a.T("Is this your mail server?"),
		Help: l.a.T("Only DNS names this server, and DNS can be forged. It will receive your password.")}
	i, err := l.ask.Choose(ctx, q, append(options, l.a.T("another server")), 0)
	if err := l.answerError(err, q.Title, "--server"); err != nil {
		return err
	}
	if i == len(options) {
		return l.askServer(ctx, "")
	}
	return l.useServer(found[i].Server, found[i].User)
}

// askServer asks for host, host:port, URL or provider.
func (l *loginSetup) askServer(ctx context.Context, help string) error {
	example := "smtp." + l.login.Address.ASCIIDomain()
	if strings.Contains(example, "[") {
		example = "smtp.example.com"
	}
	answer, err := l.askText(ctx, "--server", prompt.Question{Title: l.a.T("Mail server (SMTP)"), Help: help, Example: example,
		Check: func(answer string) error {
			if _, err := transport.ParseServer(serverURL(answer), l.login.Address); err != nil {
				return errors.New(l.a.T("want a server like smtp.example.com, smtp.example.com:587 or a provider like qq"))
			}
			return nil
		}})
	if err != nil {
		return err
	}
	return l.useServer(serverURL(answer), "")
}

// serverURL converts a host, as users write it, to a URL. Port 587 means STARTTLS, any other
// implicit TLS (RFC 8314 section 3).
func serverURL(s string) string {
	if strings.Contains(s, "://") || !strings.ContainsAny(s, ".:") {
		return s
	}
	if _, known := provider.ByName(s); known {
		return s
	}
	if _, port, err := net.SplitHostPort(s); err == nil && (port == "587" || port == "25" || port == "2525") {
		return (&url.URL{Scheme: "smtp", Host: s}).String()
	}
	return (&url.URL{Scheme: "smtps", Host: s}).String()
}

// newResolver returns a resolver that uses the DNS server named by the user.
func newResolver(server string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		at, err := parseDNSServer(server)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, at)
	}}
}

// parseDNSServer returns an address with its port, by default 53.
func parseDNSServer(s string) (string, error) {
	if at, err := netip.ParseAddrPort(s); err == nil {
		return at.String(), nil
	}
	at, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return "", err
	}
	return netip.AddrPortFrom(at, 53).String(), nil
}
