package discover

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// endpoint is a port of a host, always encrypted.
type endpoint struct {
	host string // in A-labels, lower case
	port int
	tls  provider.TLSMode // Implicit or StartTLS
}

func (e endpoint) String() string { return net.JoinHostPort(e.host, strconv.Itoa(e.port)) }

// url returns the endpoint as a URL; TLS from the first byte adds an s to the
// scheme. The scheme's default port is omitted.
func (e endpoint) url(scheme string, usual int) string {
	if e.tls == provider.Implicit {
		scheme += "s"
	}
	if e.port == usual {
		return scheme + "://" + e.host
	}
	return scheme + "://" + e.String()
}

// submissionServer is a submission endpoint and its login.
type submissionServer struct {
	endpoint
	user   string // "" if unknown
	oauth2 bool   // the only login
}

// newCandidate creates the Candidate for a server.
func (s *search) newCandidate(way Method, of submissionServer, trust TrustLevel) Candidate {
	c := Candidate{Way: way, Trust: trust}
	if p, ok := provider.ByHost(of.host); ok {
		c = ofProvider(p, provider.Endpoint{}, s.address, c)
	}
	usual := 587
	if of.tls == provider.Implicit {
		usual = 465
	}
	c.Server, c.Host, c.Port, c.TLS = of.url("smtp", usual), of.host, of.port, of.tls
	if of.user != "" {
		c.User = of.user
	}
	c.OAuth2 = c.OAuth2 || of.oauth2
	return c
}

// certificateTrust returns the trust in a certificate for a host, if only DNS links the
// host to the domain.
func (s *search) certificateTrust(host string) TrustLevel {
	if insideDomain(host, s.domain) {
		return Verified
	}
	return Confirm
}

// insideDomain reports whether a host belongs to the owner of the domain: it is the
// domain, or shares its registered domain (like DMARC's relaxed alignment, RFC
// 7489 section 3.1). Names below a public suffix, like co.uk or github.io,
// belong to different owners.
func insideDomain(host, domain string) bool {
	if host == domain {
		return true
	}
	registered, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return false
	}
	other, err := publicsuffix.EffectiveTLDPlusOne(host)
	return err == nil && other == registered
}

// hostName converts a foreign name to A-labels. It rejects strings that are no
// name, and addresses, because no public CA links them to a mail domain.
func hostName(name string) (string, error) {
	name = strings.TrimSuffix(strings.TrimSpace(name), ".")
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil || ascii == "" || len(ascii) > 253 || !strings.Contains(ascii, ".") {
		return "", errNoHost
	}
	top := ascii[strings.LastIndexByte(ascii, '.')+1:]
	if _, err := strconv.ParseUint(top, 10, 64); err == nil {
		return "", errNoHost
	}
	return strings.ToLower(ascii), nil
}

var errNoHost = errors.New("not a host name")

// maxServers limits how many servers of one way are tried.
const maxServers = 8

// firstReachable returns the first usable server, in their order.
func (s *search) firstReachable(ctx context.Context, way Method, servers []submissionServer) (submissionServer, bool) {
	var tasks []task[submissionServer]
	for _, one := range servers {
		tasks = append(tasks, func(ctx context.Context) (submissionServer, bool) {
			start := time.Now()
			err := s.checkEndpoint(ctx, one.endpoint)
			s.reportAttempt(ctx, way, one.String(), start, err)
			return one, err == nil
		})
	}
	// Patience is for better ways; a better port of the same way is worth less,
	// and must not use up the time of its way.
	return firstInOrder(ctx, s.patience/4, tasks)
}

// endpointCheck is the one connection to an endpoint, for all ways that name it.
type endpointCheck struct {
	done chan struct{}
	err  error // valid when done
}

// checkEndpoint tests whether an endpoint is a submission server with a valid
// certificate. ctx limits only the wait: another way may need the result too.
func (s *search) checkEndpoint(ctx context.Context, e endpoint) error {
	if s.isUnwanted(e.host) {
		return errUnwanted
	}
	s.mu.Lock()
	c := s.checks[e]
	if c == nil {
		c = &endpointCheck{done: make(chan struct{})}
		s.checks[e] = c
		s.work.Go(func() {
			defer close(c.done)
			c.err = s.probeEndpoint(e)
		})
	}
	s.mu.Unlock()
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// probeEndpoint connects and sends EHLO under TLS. It reveals nothing about the user. A
// server without AUTH is rejected, although it may accept mail for its own
// domain.
func (s *search) probeEndpoint(e endpoint) error {
	security := smtpclient.STARTTLS
	if e.tls == provider.Implicit {
		security = smtpclient.ImplicitTLS
	}
	conn, err := smtpclient.Dial(s.ctx, smtpclient.Config{
		Host: e.host, Port: e.port, Security: security, Trust: smtpclient.Trust{Roots: s.Roots},
		Dialer: s.dial, StopAfter: smtp.StageHello,
		Timeouts: smtpclient.Timeouts{Connect: 5 * time.Second, Quit: 2 * time.Second},
	})
	if err != nil {
		return err
	}
	// The reply to QUIT changes nothing; Find does not wait for it.
	go conn.Quit(context.WithoutCancel(s.ctx))
	if len(conn.Capabilities().Auth()) == 0 {
		return &smtp.Error{Stage: smtp.StageHello, Err: smtpclient.ErrAuthNotOffered}
	}
	return nil
}
