package transport

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Server is the address of a server, and the knowledge about it.
type Server struct {
	Host     string
	Port     int    // 0 means the default of Security
	Socket   string // path of a Unix socket instead of Host and Port
	Security smtpclient.Security
	LMTP     bool
	// User is the login name in a URL, or the one that the provider expects for this sender; ""
	// if neither is known.
	User string
	// Provider is zero if the server belongs to no known provider.
	Provider provider.Provider
}

// String returns the server as a URL, without the user.
func (s Server) String() string {
	if s.Socket != "" {
		return "lmtp+unix://" + s.Socket
	}
	scheme := map[smtpclient.Security]string{smtpclient.ImplicitTLS: "smtps",
		smtpclient.STARTTLS: "smtp", smtpclient.Plaintext: "smtp+notls"}[s.Security]
	if s.LMTP {
		scheme = "lmtp"
	}
	host := s.Host
	if s.Port != 0 {
		host = net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	}
	return scheme + "://" + host
}

// Schemes lists the forms of a server URL that ParseServer accepts.
func Schemes() []string {
	return []string{"smtps://user@host[:465]", "smtp://user@host[:587]", "smtp+notls://host[:25]",
		"lmtp://host[:24]", "lmtp+unix:///path", "host[:port]"}
}

// ParseServer parses a server URL (see [Schemes]) or the name of a provider: its ID, its name in
// English or Chinese, or a mail domain, with a region after a slash if it has several ("zoho/eu",
// "ses/us-east-1"), or a host with or without a port, which determines the encryption: STARTTLS on
// 25, 587 and 2525, implicit TLS on any other and without a port. An empty string means the
// provider of the sender's domain. The sender also determines the host of providers with one host
// per domain, and the login name; it may be zero.
//
// In a URL, write an @ inside the user name as %40. A password is refused: URLs appear in logs,
// process lists and shell histories.
func ParseServer(s string, sender smtp.Address) (Server, error) {
	switch {
	case strings.Contains(s, "://"):
		return parseURL(s, sender)
	case s == "" && sender.IsZero():
		return Server{}, localerr.New("no server: use a URL like smtps://me%40example.com@smtp.example.com or a provider like qq")
	case s == "":
		p, ok := provider.ByDomain(sender.ASCIIDomain())
		if !ok {
			return Server{}, localerr.Errorf("no server, and the provider of %s is unknown: use a URL like smtps://%s@smtp.%s",
				sender.ASCIIDomain(), url.User(sender.String()), sender.ASCIIDomain())
		}
		return presetOf(p, "", sender)
	}
	name, region, _ := strings.Cut(s, "/")
	p, ok := provider.Lookup(name)
	if !ok {
		if server, isHost, err := parseHost(s, sender); isHost {
			return server, err
		}
		if strings.Contains(s, "@") {
			// A URL without its scheme. It is not repeated: it may contain a password.
			return Server{}, localerr.New("the server is neither a URL nor a known provider; a URL starts with its scheme, like smtps://me%40example.com@smtp.example.com")
		}
		if near := provider.Nearest(name); len(near) > 0 {
			return Server{}, localerr.Errorf("server %q is neither a URL nor a known provider; did you mean %s?", s, strings.Join(near, ", "))
		}
		return Server{}, localerr.Errorf("server %q is neither a URL nor a known provider", s)
	}
	return presetOf(p, region, sender)
}

func presetOf(p provider.Provider, region string, sender smtp.Address) (Server, error) {
	where, ok := p.Submission(sender.ASCIIDomain())
	if region != "" {
		where, ok = p.SubmissionInRegion(region)
	}
	if !ok {
		return Server{}, localerr.Errorf("the host of %s depends on the region or the sender's domain: use %s/REGION, a URL, or a sender in one of its domains", p.Names.EN, p.ID)
	}
	server := Server{Host: where.Host, Port: where.Port, Provider: p, User: p.LoginFor(sender)}
	if where.TLS == provider.StartTLS {
		server.Security = smtpclient.STARTTLS
	}
	return server, nil
}

// hostToASCII converts an internationalised host to A-labels, the form used by DNS and
// certificates. Invalid names are left to the later checks.
func hostToASCII(host string) string {
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		return ascii
	}
	return host
}

func parseURL(s string, sender smtp.Address) (Server, error) {
	u, err := url.Parse(s)
	if err != nil {
		// The error of net/url repeats the whole URL, which may contain a password.
		return Server{}, localerr.New("invalid server URL; write an @ in the user name as %40")
	}
	if _, has := u.User.Password(); has {
		return Server{}, localerr.New("a server URL must not contain a password, because others can see URLs: use YAN_PASSWORD_FILE, or Options.Password in a program")
	}
	server := Server{Host: hostToASCII(u.Hostname()), User: u.User.Username()}
	switch u.Scheme {
	case "smtps":
	case "smtp":
		server.Security = smtpclient.STARTTLS
	case "smtp+notls":
		server.Security = smtpclient.Plaintext
	case "lmtp":
		server.Security, server.LMTP, server.Port = smtpclient.Plaintext, true, 24
	case "lmtp+unix":
		if u.Path == "" {
			return Server{}, localerr.Errorf("server %s: no socket path; write lmtp+unix:///run/lmtp", u.Redacted())
		}
		return Server{Socket: u.Path, Security: smtpclient.Plaintext, LMTP: true}, nil
	default:
		return Server{}, localerr.Errorf("server %s: scheme %q is not one of smtps, smtp, smtp+notls, lmtp, lmtp+unix",
			u.Redacted(), u.Scheme)
	}
	if server.Host == "" {
		return Server{}, localerr.Errorf("server %s: no host", u.Redacted())
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return Server{}, localerr.Errorf("server %s: nothing may follow the host and port; write an @ in the user name as %%40", u.Redacted())
	}
	if port := u.Port(); port != "" {
		server.Port, err = strconv.Atoi(port)
		if err != nil || server.Port < 1 || server.Port > 65535 {
			return Server{}, localerr.Errorf("server %s: port %s is not between 1 and 65535", u.Redacted(), port)
		}
	}
	return server.withKnowledge(sender)
}

// withKnowledge adds the knowledge about the host, and refuses combinations that can only hang: STARTTLS
// on a port where the server waits for a TLS handshake.
func (s Server) withKnowledge(sender smtp.Address) (Server, error) {
	s.Provider, _ = provider.ByHost(s.Host)
	if s.User == "" && s.Provider.ID != "" {
		s.User = s.Provider.LoginFor(sender)
	}
	if s.Security == smtpclient.STARTTLS {
		port, ok := s.Provider.TLSFor(s.Port)
		if s.Port == 465 || ok && port.TLS == provider.Implicit {
			return Server{}, localerr.Errorf("server %s: port %d uses TLS from the first byte; write smtps:// instead of smtp://",
				s, s.Port)
		}
	}
	return s, nil
}
