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

// Way is how a server was found.
type Way string

// The ways, the most trustworthy first.
const (
	ByProvider   Way = "provider"   // the domain is one of a known provider
	ByAutoconfig Way = "autoconfig" // the domain's own configuration, over HTTPS
	ByMX         Way = "mx"         // the domain's mail exchanger is a known provider's
	BySRV        Way = "srv"        // RFC 6186, RFC 8314
	ByGuess      Way = "guess"      // smtp.DOMAIN, mail.DOMAIN
)

// Trust is how sure it is that the host serves the domain.
type Trust int

// The degrees of trust.
const (
	// Confirm: only DNS says so; show the host to the user and wait for a yes.
	Confirm Trust = iota
	// Verified: the provider's facts, the domain's own HTTPS host, or a
	// certificate for a host inside the domain itself say so.
	Verified
)

// Candidate is a server that may serve the address.
type Candidate struct {
	// Server is a URL without a user, or a provider's id, as transport.ParseServer reads.
	Server string
	// Host, Port and TLS are what Server stands for. They are zero when a known
	// provider's host can't be known without its region.
	Host string
	Port int
	TLS  provider.TLSMode
	// User is the login name that the configuration asks for, or the provider
	// expects; "" when nothing says.
	User     string
	Provider provider.Provider // zero when nobody known
	Way      Way
	Trust    Trust
	// OAuth2 says that there is no login but by OAuth 2.0.
	OAuth2 bool
	// IMAP is "imaps://host:port" or "imap://host:port" (STARTTLS); "" when
	// unknown. Nobody has connected to it. It needs no question of its own: it is
	// never further from the domain than what Trust says of Host.
	IMAP string
}

// Attempt is what was tried and what came of it, for the user who asks why.
type Attempt struct {
	Way Way
	// What is what was asked: a mail domain, a URL, "SRV name", "MX name" or
	// host:port.
	What string
	Err  error // nil when the answer served
	Took time.Duration
}

// ErrOffline says that neither DNS nor any server answered: there is no network,
// or none that reaches further. It is wrapped together with the error of DNS.
// Where there is a network and nothing was found, there is no error.
var ErrOffline = errors.New("neither DNS nor any server answered")

// Finder asks. The zero value uses the system's resolver and roots.
type Finder struct {
	Resolver *net.Resolver
	// HTTP asks for the autoconfig; nil means a client of its own over Dial, which
	// knows of no proxy. Whatever its CheckRedirect says, only HTTPS is followed.
	HTTP *http.Client
	// Dial opens connections; nil means net.Dialer with Resolver.
	Dial  func(ctx context.Context, network, address string) (net.Conn, error)
	Roots *x509.CertPool
	// Timeout bounds the whole search; 0 means 10 s.
	Timeout time.Duration
	// Patience is how long a better way is still waited for when a worse one
	// has found a server; 0 means 2 s.
	Patience time.Duration
	// Not lists hosts that are not wanted, because the user has said so, as
	// Candidate.Host has them.
	Not []string
	// Tried is called with each attempt as it ends, one at a time and not after
	// Find has returned; may be nil.
	Tried func(Attempt)
}

// Find gives the server for an address: a list of one, or an empty one when
// nothing was found. Further servers would cost the time of the slowest way:
// whose user refuses the first asks again, with it in Not.
//
// The provider of a known domain is given at once and nobody is asked. The
// error is that of ctx, wraps ErrOffline, or says that the address has no domain.
func (f *Finder) Find(ctx context.Context, address smtp.Address) ([]Candidate, error) {
	domain := address.ASCIIDomain()
	if domain == "" || strings.HasPrefix(domain, "[") {
		return nil, fmt.Errorf("the address %q has no domain to find a server for", address)
	}
	if found, ok := f.known(address, domain); ok {
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
		s.work.Wait() // Dial and Roots are the caller's again
	}()
	found, ok := first(bounded, s.patience, []task[Candidate]{
		s.autoconfigHost, s.autoconfigWellKnown, s.byMX, s.bySRV, s.byGuess})
	if ok && found.Way == ByGuess && s.denied.Load() {
		s.report(ctx, ByGuess, net.JoinHostPort(found.Host, strconv.Itoa(found.Port)), time.Now(), errDenied)
		ok = false
	}
	switch {
	case ok:
		return []Candidate{found}, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !s.heard.Load():
		return nil, fmt.Errorf("find a server for %s: %w: %w", domain, ErrOffline, s.silence())
	}
	return nil, nil
}

// known is the provider of the domain, by its facts alone: they don't depend on
// the network, and a server that can't be reached now is still the right one.
func (f *Finder) known(address smtp.Address, domain string) (Candidate, bool) {
	start := time.Now()
	attempt := Attempt{Way: ByProvider, What: domain}
	p, ok := provider.ByDomain(domain)
	where, has := p.Submission(domain)
	switch {
	case !ok:
		attempt.Err = errUnknownDomain
	case has && f.unwanted(where.Host):
		attempt.Err, ok = errUnwanted, false
	}
	if f.Tried != nil {
		attempt.Took = time.Since(start)
		f.Tried(attempt)
	}
	return ofProvider(p, where, address, Candidate{Server: p.ID, Way: ByProvider, Trust: Verified}), ok
}

// ofProvider completes a candidate with what is known of its provider.
func ofProvider(p provider.Provider, where provider.Endpoint, address smtp.Address, c Candidate) Candidate {
	c.Provider, c.Host, c.Port, c.TLS = p, where.Host, where.Port, where.TLS
	c.User, c.OAuth2 = p.LoginFor(address), p.Auth.Kind == provider.OAuth2Only
	if imap, ok := p.IMAPFor(address.ASCIIDomain()); ok && imap.TLS.Encrypted() {
		c.IMAP = endpoint{imap.Host, imap.Port, imap.TLS}.url("imap", 0)
	}
	return c
}
