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

// url is the endpoint with a scheme, to which TLS from the first byte adds an s.
// The port that the scheme means anyway is left out.
func (e endpoint) url(scheme string, usual int) string {
	if e.tls == provider.Implicit {
		scheme += "s"
	}
	if e.port == usual {
		return scheme + "://" + e.host
	}
	return scheme + "://" + e.String()
}

// server is an endpoint for submission, and how its configuration says to log in.
type server struct {
	endpoint
	user   string // "" when nothing says
	oauth2 bool   // and nothing else
}

// candidate makes what Find gives.
func (s *search) candidate(way Way, of server, trust Trust) Candidate {
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

// trust is what a certificate for a host is worth, if nothing but DNS says that
// the host serves the domain.
func (s *search) trust(host string) Trust {
	if inside(host, s.domain) {
		return Verified
	}
	return Confirm
}

// inside reports whether a host belongs to whom the domain belongs to: it is the
// domain, or shares its registered domain (as DMARC's relaxed alignment, RFC 7489
// section 3.1). Names below a public suffix, like co.uk or github.io, belong
// to somebody each.
func inside(host, domain string) bool {
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

// hostName is a name from outside in A-labels. What is not a name, or is an
// address, for which no public authority vouches to a mail domain, is refused.
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

// maxServers bounds how many servers of one way are tried.
const maxServers = 8

// reach gives the first of the servers, in their order, that can be used.
func (s *search) reach(ctx context.Context, way Way, servers []server) (server, bool) {
	var tasks []task[server]
	for _, one := range servers {
		tasks = append(tasks, func(ctx context.Context) (server, bool) {
			start := time.Now()
			err := s.check(ctx, one.endpoint)
			s.report(ctx, way, one.String(), start, err)
			return one, err == nil
		})
	}
	// The ways are worth waiting for; that one port is better than another is
	// worth less, and must not take the time that its way has.
	return first(ctx, s.patience/4, tasks)
}

// check is the one connection to an endpoint, for all the ways that name it.
type check struct {
	done chan struct{}
	err  error // when done
}

// check finds out whether an endpoint is a submission server with a valid
// certificate. ctx bounds the wait: another way may want to know it, too.
func (s *search) check(ctx context.Context, e endpoint) error {
	if s.unwanted(e.host) {
		return errUnwanted
	}
	s.mu.Lock()
	c := s.checks[e]
	if c == nil {
		c = &check{done: make(chan struct{})}
		s.checks[e] = c
		s.work.Go(func() {
			defer close(c.done)
			c.err = s.greet(e)
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

// greet connects as far as EHLO under TLS. Nothing of the user is said. What
// offers no AUTH is no place to log in, although it may take mail for its
// own domain.
func (s *search) greet(e endpoint) error {
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
	// The answer to QUIT changes nothing; Find need not wait for it.
	go conn.Quit(context.WithoutCancel(s.ctx))
	if len(conn.Capabilities().Auth()) == 0 {
		return &smtp.Error{Stage: smtp.StageHello, Err: smtpclient.ErrAuthNotOffered}
	}
	return nil
}
