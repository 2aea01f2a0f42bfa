package transport

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/proxy"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// ProxyDialer returns a dialer that connects through a proxy, given by a URL as in Options.Proxy.
// direct connects to the proxy itself; nil means a [net.Dialer]. TLS ends at the server, so the
// proxy sees no more than the network does.
func ProxyDialer(proxyURL string, direct proxy.ContextDialer) (proxy.ContextDialer, error) {
	if direct == nil {
		direct = new(net.Dialer)
	}
	u, err := url.Parse(proxyURL)
	if err != nil || u.Host == "" {
		// Without the error of net/url, which repeats the URL with its password.
		return nil, localerr.New("the proxy must be a URL like socks5://127.0.0.1:1080 or http://127.0.0.1:8080")
	}
	switch u.Scheme {
	case "socks": // QUIRK: GNOME and others write socks:// into ALL_PROXY, and mean version 5
		u.Scheme = "socks5"
		return socksDialer(u, direct)
	case "socks5", "socks5h":
		return socksDialer(u, direct)
	case "http":
		return httpConnect(u, direct), nil
	}
	return nil, localerr.Errorf("proxy %s: scheme %q is not one of socks5, socks5h, http", u.Redacted(), u.Scheme)
}

// dialFunc makes a function a proxy.ContextDialer.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func (f dialFunc) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}

// proxyError is a failure at a proxy, or on the way to it. The server is not involved.
type proxyError struct {
	proxy string // the URL, without a password
	kind  string
	err   error
}

// The kinds of proxy errors, as in package diagnosis.
const (
	proxyAway    = "proxy_unreachable"
	proxyLogin   = "proxy_login"
	proxyRefused = "proxy_refused"
)

func (e *proxyError) Error() string { return "proxy " + e.proxy + ": " + e.err.Error() }
func (e *proxyError) Unwrap() error { return e.err }

// FailureKind returns the kind for package diagnosis; "" if the caller cancelled.
func (e *proxyError) FailureKind() string {
	switch {
	case errors.Is(e.err, context.Canceled):
		return ""
	case errors.Is(e.err, context.DeadlineExceeded):
		return proxyAway
	}
	return e.kind
}

// socksDialer dials through a SOCKS proxy (RFC 1928).
func socksDialer(u *url.URL, direct proxy.ContextDialer) (proxy.ContextDialer, error) {
	if _, err := proxy.FromURL(u, nil); err != nil {
		return nil, localerr.Errorf("proxy %s: %w", u.Redacted(), err)
	}
	return dialFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
		way := &wayToProxy{direct: direct}
		d, err := proxy.FromURL(u, way)
		if err != nil {
			return nil, localerr.Errorf("proxy %s: %w", u.Redacted(), err)
		}
		conn, err := d.(proxy.ContextDialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, &proxyError{proxy: u.Redacted(), kind: way.errorKind(err), err: err}
		}
		return conn, nil
	}), nil
}

// wayToProxy dials a proxy and records whether it was reached.
type wayToProxy struct {
	direct  proxy.ContextDialer
	reached bool
}

func (w *wayToProxy) Dial(network, address string) (net.Conn, error) {
	return w.DialContext(context.Background(), network, address)
}

func (w *wayToProxy) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := w.direct.DialContext(ctx, network, address)
	w.reached = err == nil
	return conn, err
}

// errorKind recognises a failed login by the texts of golang.org/x/net, which has no error types.
func (w *wayToProxy) errorKind(err error) string {
	switch {
	case !w.reached:
		return proxyAway
	case strings.Contains(err.Error(), "authentication"), strings.Contains(err.Error(), "username/password"):
		return proxyLogin
	}
	return proxyRefused
}

// httpConnect dials through a tunnel of an HTTP proxy (RFC 9110 section 9.3.6).
func httpConnect(u *url.URL, direct proxy.ContextDialer) dialFunc {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		host := u.Host
		if u.Port() == "" {
			host = net.JoinHostPort(u.Hostname(), "80")
		}
		conn, err := direct.DialContext(ctx, "tcp", host)
		if err != nil {
			return nil, &proxyError{proxy: u.Redacted(), kind: proxyAway, err: err}
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
		tunnel, kind, err := openTunnel(conn, u, address)
		if !stop() {
			err = context.Cause(ctx) // instead of the deadline that it set
		}
		if err != nil {
			_ = conn.Close() // the error that matters is err
			return nil, &proxyError{proxy: u.Redacted(), kind: kind, err: err}
		}
		return tunnel, nil
	}
}

// maxProxyAnswer is the maximum size of the header of a proxy's response, in octets.
const maxProxyAnswer = 64 << 10

// openTunnel requests the tunnel and returns its connection, or the kind of error.
func openTunnel(conn net.Conn, u *url.URL, address string) (tunnel net.Conn, kind string, err error) {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if u.User != nil { // some proxies accept a token as user, without a password
		password, _ := u.User.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+
			base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
	}
	if err := req.Write(conn); err != nil {
		return nil, proxyAway, err
	}
	bounded := &io.LimitedReader{R: conn, N: maxProxyAnswer}
	r := bufio.NewReader(bounded)
	resp, err := http.ReadResponse(r, req)
	if err != nil {
		return nil, proxyRefused, err
	}
	bounded.N = math.MaxInt64 // the rest comes from the server
	switch {
	case resp.StatusCode == http.StatusProxyAuthRequired:
		kind = proxyLogin
	case resp.StatusCode/100 != 2:
		kind = proxyRefused
	}
	if kind != "" {
		return nil, kind, localerr.Errorf("it replied %s to CONNECT %s", smtp.DecodeText([]byte(resp.Status)), address)
	}
	// The server's greeting may have come in the same read.
	return &tunnelConn{Conn: conn, r: r}, "", nil
}

type tunnelConn struct {
	net.Conn
	r *bufio.Reader
}

func (t *tunnelConn) Read(p []byte) (int, error) { return t.r.Read(p) }
