package discover

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/idna"

	"github.com/yanmail/yan/smtpclient"
)

// Limits on a configuration. Real ones have about 2 kB, and are at the expected
// URL or one redirect away.
const (
	maxConfig    = 256 << 10
	maxRedirects = 5
)

// autoconfigHost queries the domain's autoconfig host.
func (s *search) autoconfigHost(ctx context.Context) (Candidate, bool) {
	return s.autoconfig(ctx, url.URL{Scheme: "https", Host: "autoconfig." + s.domain, Path: "/mail/config-v1.1.xml",
		RawQuery: url.Values{"emailaddress": {s.address.Wire()}}.Encode()})
}

// autoconfigWellKnown queries the domain's web server.
func (s *search) autoconfigWellKnown(ctx context.Context) (Candidate, bool) {
	return s.autoconfig(ctx, url.URL{Scheme: "https", Host: s.domain, Path: "/.well-known/autoconfig/mail/config-v1.1.xml"})
}

func (s *search) autoconfig(ctx context.Context, where url.URL) (Candidate, bool) {
	start := time.Now()
	config, err := s.fetch(ctx, where.String())
	s.reportAttempt(ctx, ByAutoconfig, where.String(), start, err)
	if err != nil {
		return Candidate{}, false
	}
	for _, r := range config.refused {
		s.reportAttempt(ctx, ByAutoconfig, r.what, start, r.err)
	}
	reached, ok := s.firstReachable(ctx, ByAutoconfig, config.servers)
	if !ok {
		return Candidate{}, false
	}
	// The certificate of this host has proved that the domain's owner vouches
	// for it.
	c := s.newCandidate(ByAutoconfig, reached, s.certificateTrust(where.Host))
	if config.imap != (endpoint{}) {
		c.IMAP = config.imap.url("imap", 0)
	}
	return c, true
}

func (s *search) fetch(ctx context.Context, where string) (config, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return config{}, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // the URL is reported anyway
		}
		return config{}, err
	}
	defer resp.Body.Close()
	s.heard.Store(true)
	if resp.StatusCode != http.StatusOK {
		return config{}, fmt.Errorf("HTTP %s", resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxConfig+1))
	if err != nil {
		return config{}, err
	}
	if len(body) > maxConfig {
		return config{}, fmt.Errorf("the configuration is larger than %d octets", maxConfig)
	}
	return parseConfig(body, s.address)
}

// newClient creates the HTTP client of one search.
func (s *search) newClient() *http.Client {
	client := http.Client{Transport: dialTransport{s}}
	if s.HTTP != nil {
		client = *s.HTTP
	}
	client.CheckRedirect = checkRedirect
	return &client
}

// dialTransport opens a connection for each request, within the request's context:
// http.Transport would go on dialling after a cancelled request, for a next one
// that never comes.
type dialTransport struct{ *search }

func (d dialTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	host := req.URL.Hostname()
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii // a redirect may have another form
	}
	conn, err := d.dial(req.Context(), "tcp", net.JoinHostPort(host, cmp.Or(req.URL.Port(), "443")))
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, smtpclient.Trust{Roots: d.Roots}.TLSConfig(host))
	if err := secure.HandshakeContext(req.Context()); err != nil {
		_ = conn.Close() // its result is not needed
		return nil, err
	}
	transport := http.Transport{
		DialTLSContext:         func(context.Context, string, string) (net.Conn, error) { return secure, nil },
		MaxResponseHeaderBytes: 64 << 10,
		DisableKeepAlives:      true,
	}
	return transport.RoundTrip(req)
}

// checkRedirect allows redirects as long as no step can be forged. The address,
// which is in the URL, is sent to the domain's host only.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if req.URL.Scheme != "https" {
		return fmt.Errorf("redirect to %s://%s: only https is followed", req.URL.Scheme, req.URL.Host)
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	req.Header.Del("Referer")
	return nil
}
