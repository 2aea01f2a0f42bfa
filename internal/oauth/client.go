package oauth

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/provider"
)

// Client is an authorization server and this program's registration with it. It
// may be copied and used concurrently.
type Client struct {
	// ID is the client id. Secret is "" for public clients; the secret of an
	// installed program is not confidential (RFC 8252 section 8.5).
	ID, Secret string
	AuthURL    string
	TokenURL   string
	DeviceURL  string // "" if the server has no device flow for mail
	Scopes     []string
	// AuthParams are further parameters of the consent page.
	AuthParams map[string]string
	// RedirectHost is the host in the redirect URL, "localhost" if the server
	// requires it; "" means 127.0.0.1. Browser listens on 127.0.0.1 in either
	// case.
	RedirectHost string
	// LoginHint is the address that shall consent; "" for none.
	LoginHint string

	// Proxy is the URL of a proxy (http, https, socks5, socks5h); "" uses the
	// environment's (HTTPS_PROXY), if any.
	Proxy string
	// Roots are the trusted authorities; nil means the system's.
	Roots *x509.CertPool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Wait returns after a time, or with the error of the context; nil uses a
	// timer.
	Wait func(context.Context, time.Duration) error
}

// ForProvider returns a provider's authorization server, to which the caller
// adds the client id. ok is false if none is known. DeviceURL is "" if the
// provider grants no mail scopes to devices, like Google.
func ForProvider(p provider.Provider) (c Client, ok bool) {
	if p.Auth.OAuth2 == nil {
		return Client{}, false
	}
	return ForServer(*p.Auth.OAuth2), true
}

// ForServer returns the client of an authorization server, without an ID.
func ForServer(facts provider.OAuth2) Client {
	return Client{
		AuthURL: facts.AuthURL, TokenURL: facts.TokenURL, DeviceURL: facts.DeviceURL,
		Scopes: strings.Fields(facts.Scope), AuthParams: maps.Clone(facts.AuthParams),
		RedirectHost: facts.RedirectHost,
	}
}

// checkConfig reports configuration errors before any request.
func (c Client) checkConfig() error {
	if c.ID == "" {
		return &Error{Problem: NoClientID}
	}
	urls := map[string]string{"authorization": c.AuthURL, "token": c.TokenURL, "device": c.DeviceURL}
	for _, name := range slices.Sorted(maps.Keys(urls)) {
		if urls[name] == "" {
			continue
		}
		if err := checkURL(urls[name]); err != nil {
			return &Error{Problem: BadURL, Err: fmt.Errorf("the %s URL %q: %w", name, shortenText(urls[name]), err)}
		}
	}
	if c.TokenURL == "" {
		return &Error{Problem: BadURL, Err: fmt.Errorf("there is no token URL")}
	}
	return nil
}

// checkURL accepts https, and http to this machine.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return fmt.Errorf("it is no URL")
	case u.Hostname() == "":
		return fmt.Errorf("it has no host")
	case u.User != nil || u.Fragment != "":
		return fmt.Errorf("it has a user or a fragment")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	default:
		return fmt.Errorf("it is not https")
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// hostOf returns the host of a URL that was checked.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (c Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

func (c Client) wait(ctx context.Context, d time.Duration) error {
	if c.Wait != nil {
		return c.Wait(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Format keeps the secret out of printed values.
func (c Client) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "client %q of %s", c.ID, hostOf(c.TokenURL))
}

// LogValue is the value for log/slog.
func (c Client) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// Token is the result of a consent. It is stored as JSON in the keyring.
type Token struct {
	Access string `json:"access_token"`
	// Refresh gets new access tokens; "" if the server sent none, and the
	// consent ends with the access token.
	Refresh string `json:"refresh_token,omitempty"`
	// Expiry is when the access token ends; zero if the server did not say.
	Expiry time.Time `json:"expiry,omitzero"`
}

// Format keeps the tokens out of printed values.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.describe()) }

// LogValue is the value for log/slog.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.describe()) }

func (t Token) describe() string {
	switch {
	case t.Access == "" && t.Refresh == "":
		return "no token"
	case t.Expiry.IsZero():
		return "token without an end"
	default:
		return "token until " + t.Expiry.UTC().Format(time.RFC3339)
	}
}
