// Package oauthtest is an OAuth 2.0 authorization server for tests, on
// loopback: the code flow with PKCE (RFC 6749, RFC 7636), the device flow (RFC
// 8628), refresh tokens, introspection (RFC 7662).
//
// [Start] starts one for a test, which requests tokens at AuthURL, TokenURL and
// DeviceURL. The user consents at once, or as set with [Server.SetConsent] and
// [Server.SetPolls]. A mail server of the test asks [Server.Valid], or the
// IntrospectionURL, whether a token is valid. [Server.Revoke],
// [Server.EndConsent] and [Server.FailTokens] cause failures; [Server.Calls]
// and [Server.Problems] report the requests.
package oauthtest

import (
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// Config configures a server. The zero value has a public client and tokens for
// an hour.
type Config struct {
	// ClientID is the only registered client; "" means "yan-test".
	ClientID string
	// ClientSecret makes it a confidential client.
	ClientSecret string
	// BasicOnly accepts the secret only in the Authorization header.
	BasicOnly bool
	// User consents if there is no login_hint; "" means "test@example.test".
	User string
	// Lifetime is that of access tokens; 0 means an hour. If it is negative,
	// the server does not state it and the tokens never end.
	Lifetime time.Duration
	// NoRefresh issues no refresh tokens.
	NoRefresh bool
	// Rotate issues a new refresh token each time, and accepts each only once.
	Rotate bool
	// ReuseEnds ends the whole consent if a refresh token is used a second time
	// (RFC 9700 section 4.14.2); it is for Rotate.
	ReuseEnds bool
	// TLS serves https; Roots then contains the certificate.
	TLS bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Before is called before each token request is handled, with its
	// grant_type; a test may block there. It may be nil.
	Before func(grant string)
}

// Calls counts the requests.
type Calls struct{ Authorize, Code, Device, Poll, Refresh, Introspect int }

// Tokens is the result of a consent.
type Tokens struct {
	Access, Refresh string
	Expiry          time.Time // zero if it does not end
}

// Server is a running server. It is safe for concurrent use.
type Server struct {
	AuthURL, TokenURL, DeviceURL, IntrospectionURL string

	config Config
	http   *httptest.Server

	mu       sync.Mutex
	consent  string               // the error in the user's answer; "" consents
	polls    []string             // errors for the next polls
	failures []failure            // of the next token requests
	codes    map[string]codeGrant // by code
	devices  map[string]string    // users by device code
	access   map[string]grant     // by access token
	refresh  map[string]string    // users by refresh token
	spent    map[string]string    // users by used refresh token
	calls    Calls
	problems []string
}

type (
	codeGrant struct{ user, redirect, challenge string }
	grant     struct {
		user string
		ends time.Time // zero: never
	}
	failure struct {
		status int
		body   string
	}
)

// Start starts a server that is closed at the end of the test.
func Start(tb testing.TB, config Config) *Server {
	tb.Helper()
	s := New(config)
	tb.Cleanup(s.Close)
	return s
}

// New starts a server on a free port of 127.0.0.1. The caller closes it.
func New(config Config) *Server {
	if config.ClientID == "" {
		config.ClientID = "yan-test"
	}
	if config.User == "" {
		config.User = "test@example.test"
	}
	if config.Lifetime == 0 {
		config.Lifetime = time.Hour
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	s := &Server{
		config: config, codes: map[string]codeGrant{}, devices: map[string]string{},
		access: map[string]grant{}, refresh: map[string]string{}, spent: map[string]string{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", s.serveAuthorize)
	mux.HandleFunc("POST /token", s.serveToken)
	mux.HandleFunc("POST /device", s.serveDevice)
	mux.HandleFunc("/introspect", s.serveIntrospect)
	s.http = httptest.NewUnstartedServer(mux)
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that do not trust the certificate
	if config.TLS {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	s.AuthURL, s.TokenURL = s.http.URL+"/authorize", s.http.URL+"/token"
	s.DeviceURL, s.IntrospectionURL = s.http.URL+"/device", s.http.URL+"/introspect"
	return s
}

// Close ends the server. It may be called twice. Its port may be reused a
// moment later: a test of an unreachable server uses port 1.
func (s *Server) Close() { s.http.Close() }

// ClientID returns the id of the registered client.
func (s *Server) ClientID() string { return s.config.ClientID }

// Roots returns a pool with the certificate of a server with TLS.
func (s *Server) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.http.Certificate())
	return pool
}

// SetConsent sets the error of the user's answer, "access_denied" for a
// refusal; "" consents. It applies to both flows.
func (s *Server) SetConsent(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.consent = code
}

// SetPolls sets the errors of the next polls of a device, like
// "authorization_pending" and "slow_down".
func (s *Server) SetPolls(codes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polls = slices.Clone(codes)
}

// FailTokens answers the next n token requests with a status and a body.
func (s *Server) FailTokens(n, status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.failures = append(s.failures, failure{status, body})
	}
}

// Grant issues tokens to a user without a flow.
func (s *Server) Grant(user string) Tokens {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issueTokens(user)
}

// Valid returns the user of an access token; ok is false if it is unknown, has
// ended or was revoked.
func (s *Server) Valid(access string) (user string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, known := s.access[access]
	if !known || !g.ends.IsZero() && !s.config.Now().Before(g.ends) {
		return "", false
	}
	return g.user, true
}

// Revoke ends an access token before its time; the consent stays.
func (s *Server) Revoke(access string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.access, access)
}

// EndConsent revokes everything that a user consented to.
func (s *Server) EndConsent(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endConsent(user)
}

// endConsent is EndConsent; the lock is held.
func (s *Server) endConsent(user string) {
	for token, g := range s.access {
		if g.user == user {
			delete(s.access, token)
		}
	}
	for token, owner := range s.refresh {
		if owner == user {
			delete(s.refresh, token)
		}
	}
}

// Calls returns the requests so far.
func (s *Server) Calls() Calls {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Problems returns the clients' violations of the RFCs.
func (s *Server) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

// issueTokens creates tokens; the lock is held.
func (s *Server) issueTokens(user string) Tokens {
	t := Tokens{Access: "access-" + rand.Text()}
	if s.config.Lifetime > 0 {
		t.Expiry = s.config.Now().Add(s.config.Lifetime)
	}
	s.access[t.Access] = grant{user, t.Expiry}
	if !s.config.NoRefresh {
		t.Refresh = "refresh-" + rand.Text()
		s.refresh[t.Refresh] = user
	}
	return t
}

// recordProblem records a violation of the RFCs; the lock is held.
func (s *Server) recordProblem(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}
