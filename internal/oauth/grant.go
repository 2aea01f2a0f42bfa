package oauth

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// The limits of a request.
const (
	answerTime = 30 * time.Second // the whole request
	maxAnswer  = 256 << 10        // octets; Microsoft's tokens have 4 kB
)

// requestToken requests tokens from the token endpoint (RFC 6749 section 3.2).
func (c Client) requestToken(ctx context.Context, params url.Values) (Token, error) {
	hc, err := c.httpClient(ctx)
	if err != nil {
		return Token{}, err
	}
	return c.grantBy(ctx, hc, params)
}

func (c Client) grantBy(ctx context.Context, hc *http.Client, params url.Values) (Token, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, hc)
	got, err := c.grantAs(ctx, params, oauth2.AuthStyleInParams)
	// A server must accept the secret in a header and may accept it in the form
	// (RFC 6749 section 2.3.1); Google and Microsoft accept the form. A server
	// that does not has not used up the grant, so the second attempt is safe.
	var refused *Error
	if c.Secret != "" && errors.As(err, &refused) && refused.Code == "invalid_client" {
		return c.grantAs(ctx, params, oauth2.AuthStyleInHeader)
	}
	return got, err
}

func (c Client) grantAs(ctx context.Context, params url.Values, style oauth2.AuthStyle) (Token, error) {
	// Config.Exchange would send an empty code with grants that have none, and
	// Config.DeviceAccessToken waits by its own clock; this one sends any
	// grant_type, and nothing else.
	config := clientcredentials.Config{
		ClientID: c.ID, ClientSecret: c.Secret, TokenURL: c.TokenURL, AuthStyle: style, EndpointParams: params,
	}
	asked := c.now()
	got, err := config.Token(ctx)
	if err != nil {
		secrets := []string{c.Secret}
		for _, name := range []string{"code", "code_verifier", "device_code", "refresh_token"} {
			secrets = append(secrets, params.Get(name))
		}
		return Token{}, requestError(ctx, err, hostOf(c.TokenURL), secrets...)
	}
	return checkedToken(got, asked, hostOf(c.TokenURL))
}

// checkedToken converts a server's answer to a Token.
func checkedToken(got *oauth2.Token, asked time.Time, host string) (Token, error) {
	if !strings.EqualFold(got.Type(), "bearer") {
		return Token{}, &Error{Problem: Failing, Host: host, Err: errors.New("the token is of another type than bearer")}
	}
	// A token is placed between the separators of XOAUTH2 and OAUTHBEARER, and
	// in a header (RFC 6749 appendix A.12: visible characters).
	for _, token := range []string{got.AccessToken, got.RefreshToken} {
		if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return Token{}, &Error{Problem: Failing, Host: host, Err: errors.New("the token holds forbidden characters")}
		}
	}
	t := Token{Access: got.AccessToken, Refresh: got.RefreshToken}
	if life := tokenLifetime(got.Extra("expires_in")); life > 0 {
		// Counted from the request, by the clock that will be compared: then
		// its error does not matter.
		t.Expiry = asked.Add(life).Round(0).UTC()
	}
	return t, nil
}

// tokenLifetime reads expires_in, which some servers put in quotes. Anything but a
// number of seconds is 0, unknown.
func tokenLifetime(value any) time.Duration {
	const most = 10 * 365 * 24 * 3600
	var seconds float64
	switch v := value.(type) {
	case float64:
		seconds = v
	case int64:
		seconds = float64(v)
	case string:
		seconds, _ = strconv.ParseFloat(v, 64) // 0 on error
	}
	if !(seconds > 0) {
		return 0
	}
	return time.Duration(min(seconds, most)) * time.Second
}

// requestError converts the error of a request. x/oauth2's own error would print the
// body of the answer, which may contain tokens.
func requestError(ctx context.Context, err error, host string, secrets ...string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("ask %s for a token: %w", host, ctx.Err())
	}
	if refused := (*oauth2.RetrieveError)(nil); errors.As(err, &refused) {
		e := &Error{Host: host, Code: cleanText(refused.ErrorCode, secrets...), Description: cleanText(refused.ErrorDescription, secrets...)}
		e.Problem = problemOf(refused.ErrorCode, refused.Response.StatusCode)
		if e.Problem == Failing {
			e.Err = fmt.Errorf("HTTP status %d", refused.Response.StatusCode)
		}
		return e
	}
	var onTheWay *url.Error
	if !errors.As(err, &onTheWay) {
		return &Error{Problem: Failing, Host: host, Err: errors.New("the answer can't be understood")}
	}
	if certificate := (*tls.CertificateVerificationError)(nil); errors.As(err, &certificate) {
		return &Error{Problem: Untrusted, Host: host, Err: certificate.Err}
	}
	if errors.Is(err, errTooLong) {
		return &Error{Problem: Failing, Host: host, Err: errTooLong}
	}
	// The error of net/http contains the URL; Host is enough.
	return &Error{Problem: Unreachable, Host: host, Err: onTheWay.Err}
}

// problemOf maps the codes of RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628
// section 3.5, and the providers' own.
func problemOf(code string, status int) Problem {
	switch code {
	case "access_denied", "authorization_declined": // QUIRK: Microsoft sends the latter
		return Denied
	case "expired_token", "code_expired":
		return Expired
	case "invalid_client", "unauthorized_client", "deleted_client", "disabled_client": // QUIRK: Google, the last two
		return BadClient
	case "invalid_scope":
		return BadScope
	case "server_error", "temporarily_unavailable":
		return Failing
	case "":
		return Failing
	}
	if status >= http.StatusInternalServerError {
		return Failing
	}
	return Rejected
}

// httpClient returns a client for one operation, limited in time and size. It follows
// no redirect, because the request is for the endpoint alone.
func (c Client) httpClient(ctx context.Context) (*http.Client, error) {
	proxy := http.ProxyFromEnvironment
	if c.Proxy != "" {
		u, err := url.Parse(c.Proxy)
		if err != nil || u.Host == "" {
			// The URL may contain a password: it is not shown.
			return nil, &Error{Problem: BadURL, Err: errors.New("the proxy is no URL")}
		}
		if u.Scheme == "socks" { // as package transport reads it
			u.Scheme = "socks5"
		}
		proxy = bypassLoopback(http.ProxyURL(u))
	}
	return &http.Client{
		Transport: &bounded{ctx: ctx, base: &http.Transport{
			Proxy:                  proxy,
			DialContext:            (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
			TLSHandshakeTimeout:    15 * time.Second,
			TLSClientConfig:        &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
			MaxResponseHeaderBytes: 64 << 10,
			// Requests are minutes apart, and idle connections would stay open.
			DisableKeepAlives: true,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// bypassLoopback bypasses the proxy for this machine, as the environment
// variables do: a proxy would take localhost for itself, and requests to this
// machine need not be encrypted.
func bypassLoopback(proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		host := r.URL.Hostname()
		if ip := net.ParseIP(host); strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback() {
			return nil, nil
		}
		return proxy(r)
	}
}

// bounded reads a whole answer within its limits.
type bounded struct {
	// ctx is the operation's: Config.DeviceAuth of x/oauth2 sends its request
	// without one.
	ctx  context.Context
	base http.RoundTripper
}

var errTooLong = errors.New("the answer is too long")

func (b *bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(b.ctx, answerTime)
	defer cancel()
	resp, err := b.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, errTooLong
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}
