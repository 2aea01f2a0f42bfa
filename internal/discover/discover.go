package discover

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// Method is the method by which a server was found.
type Method string

// The ways, the most trustworthy first.
const (
	ByProvider   Method = "provider"   // the domain belongs to a known provider
	ByAutoconfig Method = "autoconfig" // the domain's own configuration, over HTTPS
	ByMX         Method = "mx"         // the domain's mail exchanger is a known provider's
	BySRV        Method = "srv"        // RFC 6186, RFC 8314
	ByGuess      Method = "guess"      // smtp.DOMAIN, mail.DOMAIN
)

// TrustLevel is the confidence that the host serves the domain.
type TrustLevel int

// The levels of trust.
const (
	// Confirm: only DNS names the host; show it to the user and wait for
	// confirmation.
	Confirm TrustLevel = iota
	// Verified: the provider facts, the domain's own HTTPS host, or a
	// certificate for a host inside the domain confirm it.
	Verified
)

// Candidate is a server that may serve the address.
type Candidate struct {
	// Server is a URL without a user, or a provider's id, in the form of
	// transport.ParseServer.
	Server string
	// Host, Port and TLS are the parts of Server. They are zero if a known
	// provider's host depends on its region.
	Host string
	Port int
	TLS  provider.TLSMode
	// User is the login name that the configuration or the provider requires;
	// "" if unknown.
	User     string
	Provider provider.Provider // zero if unknown
	Way      Method
	Trust    TrustLevel
	// OAuth2 reports that OAuth 2.0 is the only login.
	OAuth2 bool
	// IMAP is "imaps://host:port" or "imap://host:port" (STARTTLS); "" if
	// unknown. It was not connected to. It needs no confirmation of its own: it
	// is never further from the domain than Trust says of Host.
	IMAP string
}

// Attempt is one step of the search and its result, for a user who asks why.
type Attempt struct {
	Way Method
	// What is the subject of the query: a mail domain, a URL, "SRV name", "MX
	// name" or host:port.
	What string
	Err  error // nil if the answer was usable
	Took time.Duration
}

// ErrOffline reports that neither DNS nor any server answered: there is no
// network, or a local one only. It is wrapped together with the DNS error. If
// the network works and no server was found, there is no error.
var ErrOffline = errors.New("neither DNS nor any server answered")

// Finder searches for servers. The zero value uses the system's resolver and
// roots.
type Finder struct {
	Resolver *net.Resolver
	// HTTP queries the autoconfig; nil means a client that uses Dial and no
	// proxy. Regardless of its CheckRedirect, only HTTPS redirects are
	// followed.
	HTTP *http.Client
	// Dial opens connections; nil means net.Dialer with Resolver.
	Dial  func(ctx context.Context, network, address string) (net.Conn, error)
	Roots *x509.CertPool
	// Timeout limits the whole search; 0 means 10 s.
	Timeout time.Duration
	// Patience is how long a better way is waited for after a worse one has
	// found a server; 0 means 2 s.
	Patience time.Duration
	// Not lists hosts that the user has rejected, as in Candidate.Host.
	Not []string
	// Tried is called with each attempt as it ends. Calls don't overlap, and
	// end before Find returns. It may be nil.
	Tried func(Attempt)
}

// Find returns the server for an address: a list of one, or an empty one if
// none was found. More servers would take the time of the slowest way: if the
// user rejects the first, call Find again with it in Not.
//
// For a known domain Find returns the provider without any network traffic. The
// error is that of ctx, wraps ErrOffline, or reports that the address has no
// domain.
func (f *Finder) Find(ctx context.Context, address smtp.Address) ([]Candidate, error) {
	domain := address.ASCIIDomain()
	if domain == "" || strings.HasPrefix(domain, "[") {
		return nil, fmt.Errorf("the address %q has no domain to find a server for", address)
	}
	if found, ok := f.knownProvider(address, domain); ok {
		return []Candidate{found}, nil
	}
	limit := f.Timeout
	if limit <= 0 {
		limit = 10 * time.Second
	}
	bounded, cancel := context.WithTimeoutCause(ctx, limit, errTimeout)
	s := newSearch(bounded, f, address)
	defer func() {
		cancel()
		s.work.Wait() // Dial and Roots are no longer used
	}()
	found, ok := firstInOrder(bounded, s.patience, []task[Candidate]{
		s.autoconfigHost, s.autoconfigWellKnown, s.byMX, s.bySRV, s.byGuess})
	if ok && found.Way == ByGuess && s.denied.Load() {
		s.reportAttempt(ctx, ByGuess, net.JoinHostPort(found.Host, strconv.Itoa(found.Port)), time.Now(), errDenied)
		ok = false
	}
	switch {
	case ok:
		return []Candidate{found}, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !s.heard.Load():
		return nil, fmt.Errorf("find a server for %s: %w: %w", domain, ErrOffline, s.dnsSilence())
	}
	return nil, nil
}

// knownProvider returns the domain's provider from its facts alone: they don't depend
// on the network, and a server that is unreachable now is still the right one.
func (f *Finder) knownProvider(address smtp.Address, domain string) (Candidate, bool) {
	start := time.Now()
	attempt := Attempt{Way: ByProvider, What: domain}
	p, ok := provider.ByDomain(domain)
	where, has := p.Submission(domain)
	switch {
	case !ok:
		attempt.Err = errUnknownDomain
	case has && f.isUnwanted(where.Host):
		attempt.Err, ok = errUnwanted, false
	}
	if f.Tried != nil {
		attempt.Took = time.Since(start)
		f.Tried(attempt)
	}
	return ofProvider(p, where, address, Candidate{Server: p.ID, Way: ByProvider, Trust: Verified}), ok
}

// ofProvider fills in a candidate from its provider's facts.
func ofProvider(p provider.Provider, where provider.Endpoint, address smtp.Address, c Candidate) Candidate {
	c.Provider, c.Host, c.Port, c.TLS = p, where.Host, where.Port, where.TLS
	c.User, c.OAuth2 = p.LoginFor(address), p.Auth.Kind == provider.OAuth2Only
	if imap, ok := p.IMAPFor(address.ASCIIDomain()); ok && imap.TLS.Encrypted() {
		c.IMAP = endpoint{imap.Host, imap.Port, imap.TLS}.url("imap", 0)
	}
	return c
}
