package serverflag

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// HostAndPort formats a server for display: "smtp.qq.com:465, TLS".
func (a *Servers) HostAndPort(at transport.Server) string {
	how := map[smtpclient.Security]string{smtpclient.ImplicitTLS: "TLS", smtpclient.STARTTLS: "STARTTLS",
		smtpclient.Plaintext: a.T("not encrypted")}[at.Security]
	port := at.Port
	if port == 0 {
		port = map[smtpclient.Security]int{smtpclient.ImplicitTLS: 465, smtpclient.STARTTLS: 587, smtpclient.Plaintext: 25}[at.Security]
	}
	return a.T("%s, %s", net.JoinHostPort(at.Host, fmt.Sprint(port)), how)
}

// CheckServer returns an error for a --server that is invalid for any sender.
func (a *Servers) CheckServer(server string) error {
	name := a.Name("server")
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
		return a.Wrongf("%s: %v", name, err)
	}
	hint := a.T("'yan providers' lists the known providers; write your own server as %s.", "smtps://me%40example.com@smtp.example.com")
	if near := provider.Nearest(word); len(near) > 0 {
		hint = a.T("Did you mean %s?", a.Listed(near))
	}
	return command.Fail(command.ExitUsage, errors.New(a.T("%s %q: neither a URL nor a known provider", name, PrintableURL(server))), hint)
}

// badURL explains why a server URL is invalid, without repeating a password.
func (a *Servers) badURL(name, server string, err error) error {
	u, parseErr := url.Parse(server)
	if parseErr != nil {
		return a.Wrongf("%s: invalid URL; write an @ in the user name as %s", name, "%40")
	}
	if _, has := u.User.Password(); has {
		return command.Fail(command.ExitUsage, errors.New(a.T("%s: other users of this machine can see a password in a URL", name)),
			a.T("Put it into a file that only you can read, and give that file: %s", a.WithVariable("YAN_PASSWORD_FILE", "code.txt", "yan send …")))
	}
	var problem string
	schemes := []string{"smtps", "smtp", "smtp+notls", "lmtp", "lmtp+unix"}
	port, portErr := strconv.Atoi(u.Port())
	switch {
	case !slices.Contains(schemes, u.Scheme):
		problem = a.T("%s %s: the scheme must be one of %s", name, server, a.Listed(schemes))
	case u.Scheme != "lmtp+unix" && u.Hostname() == "":
		problem = a.T("%s %s: no host", name, server)
	case u.Port() != "" && (portErr != nil || port < 1 || port > 65535):
		problem = a.T("%s %s: want a port from 1 to 65535", name, server)
	case u.Scheme == "smtp" && u.Path == "" && u.RawQuery == "" && u.Fragment == "":
		problem = a.T("%s %s: this port uses TLS from the first byte; write smtps:// instead of smtp://", name, server)
	default:
		problem = a.T("%s: %v", name, err)
	}
	return command.Fail(command.ExitUsage, errors.New(problem), a.T("For example: %s", "--server smtps://me%40example.com@smtp.example.com"))
}

// PrintableURL hides everything after a colon in a mistyped URL:
// "smtps:/me:secret@host" is no URL, and still contains a password.
func PrintableURL(s string) string {
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
