package transport

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/text/spelling"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// ErrNearHost is wrapped in the error for a host that differs by one letter from a known
// provider's: its owner might be after the password.
var ErrNearHost = localerr.New("a host name almost identical to a known provider's")

// parseHost parses "host", "host:port" or an address in place of the host; ok is false for
// anything else. The port determines the encryption, which is always used: STARTTLS on 25, 587
// and 2525, by convention, and implicit TLS on any other. Without a port, it is 465.
func parseHost(s string, sender smtp.Address) (server Server, ok bool, err error) {
	host, port, splitErr := net.SplitHostPort(s)
	if splitErr != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), ""
	}
	if _, err := netip.ParseAddr(host); err != nil && !isHostName(host, port != "") {
		return Server{}, false, nil
	}
	server.Host = hostToASCII(host)
	if port != "" {
		server.Port, err = strconv.Atoi(port)
		if err != nil {
			return Server{}, false, nil
		}
		if server.Port < 1 || server.Port > 65535 {
			return Server{}, true, localerr.Errorf("server %s: port %s is not between 1 and 65535", host, port)
		}
	}
	server, err = server.withKnowledge(sender)
	switch server.Port {
	case 25, 587, 2525:
		server.Security = smtpclient.STARTTLS
	}
	if known, ok := server.Provider.TLSFor(server.Port); ok {
		server.Security = smtpclient.ImplicitTLS
		if known.TLS == provider.StartTLS {
			server.Security = smtpclient.STARTTLS
		}
	}
	if near := nearHost(server.Host); near != "" {
		return Server{}, true, localerr.Errorf("server %q: %w, %s; if it is correct, write it as %s", s, ErrNearHost, near, server.String())
	}
	return server, true, err
}

// isHostName reports whether a word is a host: a name with a dot, or localhost. With a port any
// name is.
func isHostName(host string, hasPort bool) bool {
	if host == "" || len(host) > 253 || !hasPort && !strings.Contains(host, ".") && !strings.EqualFold(host, "localhost") {
		return false
	}
	return !strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`/\@:%?#"'<>[]()`, r) })
}

// nearHost returns a known host that differs by one letter; "" if there is none, or if the host
// itself is known.
func nearHost(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, ok := provider.ByHost(host); ok {
		return ""
	}
	for _, p := range provider.All() {
		for _, known := range append([]string{p.SMTP.Host}, p.SMTP.AltHosts...) {
			if strings.Contains(known, ".") && !strings.Contains(known, "{") && spelling.Distance([]rune(host), []rune(known)) == 1 {
				return known
			}
		}
	}
	return ""
}
