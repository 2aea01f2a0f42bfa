package discover

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
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
	Host   string
	Port   int
	TLS    provider.TLSMode
	// User is the login name that the configuration asks for; "" when it says
	// nothing.
	User     string
	Provider provider.Provider // zero when nobody known
	Way      Way
	Trust    Trust
	// OAuth2 says that the configuration wants OAuth 2.0.
	OAuth2 bool
	// IMAP is "imaps://host:port" or "imap://host:port" (STARTTLS); "" when unknown.
	IMAP string
}

// Attempt is what was tried and what came of it, for the user who asks why.
type Attempt struct {
	Way Way
	// What is the URL, record or host:port that was asked.
	What string
	Err  error // nil when it gave a candidate
	Took time.Duration
}

// Finder asks. The zero value uses the system's resolver and roots.
type Finder struct {
	Resolver *net.Resolver
	// HTTP asks for the autoconfig; nil means a client of its own that follows
	// redirects to HTTPS only. Plain HTTP is never asked.
	HTTP *http.Client
	// Dial opens connections; nil means net.Dialer with Resolver.
	Dial  func(ctx context.Context, network, address string) (net.Conn, error)
	Roots *x509.CertPool
	// Timeout bounds the whole search; 0 means 10 s.
	Timeout time.Duration
	// Tried is called with each attempt as it ends, one at a time; may be nil.
	Tried func(Attempt)
}

// Find gives the servers for an address that can be used, the best first. The
// error is that of ctx; that nothing was found is an empty list.
func (f *Finder) Find(ctx context.Context, address smtp.Address) ([]Candidate, error) {
	p, ok := provider.ByDomain(address.ASCIIDomain())
	if !ok {
		return nil, ctx.Err()
	}
	return []Candidate{{Server: p.ID, Provider: p, Way: ByProvider, Trust: Verified}}, nil
}
