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

	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/smtp"
)

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// ProxyDialer makes what opens connections through a proxy; the URL is that of
// Options.Proxy. direct opens those to the proxy itself, nil means [net.Dialer].
// TLS is then spoken with the server through it: the proxy sees no more than the
// network would.
func ProxyDialer(proxyURL string, direct func(ctx context.Context, network, address string) (net.Conn, error)) (func(ctx context.Context, network, address string) (net.Conn, error), error) {
	if direct == nil {
		direct = new(net.Dialer).DialContext
	}
	u, err := url.Parse(proxyURL)
	if err != nil || u.Host == "" {
		// Not the error of net/url: it repeats the URL with its password.
		return nil, sentence.New("the proxy is not a URL like socks5://127.0.0.1:1080 or http://127.0.0.1:8080")
	}
	switch u.Scheme {
	case "socks": // QUIRK: GNOME and others write socks:// into ALL_PROXY, and mean version 5
		u.Scheme = "socks5"
		return socks(u, direct)
	case "socks5", "socks5h":
		return socks(u, direct)
	case "http":
		return httpConnect(u, direct), nil
	}
	return nil, sentence.Errorf("proxy %s: scheme %q is not one of socks5, socks5h, http", u.Redacted(), u.Scheme)
}

// proxyError is a failure at a proxy, or on the way to it. The server behind it
// has no part in it.
type proxyError struct {
	proxy string // its URL, without a password
	kind  string
	err   error
}

// What an error at a proxy is, in the words of package diagnosis.
const (
	proxyAway    = "proxy_unreachable"
	proxyLogin   = "proxy_login"
	proxyRefused = "proxy_refused"
)

func (e *proxyError) Error() string { return "proxy " + e.proxy + ": " + e.err.Error() }
func (e *proxyError) Unwrap() error { return e.err }

// FailureKind is for package diagnosis; "" when somebody on this side gave up.
func (e *proxyError) FailureKind() string {
	switch {
	case errors.Is(e.err, context.Canceled):
		return ""
	case errors.Is(e.err, context.DeadlineExceeded):
		return proxyAway
	}
	return e.kind
}

// socks dials through a SOCKS proxy (RFC 1928).
func socks(u *url.URL, direct dialFunc) (dialFunc, error) {
	if _, err := proxy.FromURL(u, nil); err != nil {
		return nil, sentence.Errorf("proxy %s: %w", u.Redacted(), err)
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		way := &wayToProxy{direct: direct}
		d, err := proxy.FromURL(u, way)
		if err != nil {
			return nil, sentence.Errorf("proxy %s: %w", u.Redacted(), err)
		}
		conn, err := d.(proxy.ContextDialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, &proxyError{proxy: u.Redacted(), kind: way.kind(err), err: err}
		}
		return conn, nil
	}, nil
}

// wayToProxy dials a proxy and remembers whether that went well.
type wayToProxy struct {
	direct  dialFunc
	reached bool
}

func (w *wayToProxy) Dial(network, address string) (net.Conn, error) {
	return w.DialContext(context.Background(), network, address)
}

func (w *wayToProxy) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := w.direct(ctx, network, address)
	w.reached = err == nil
	return conn, err
}

// kind tells a login apart by the words of golang.org/x/net, which has no types
// for them.
func (w *wayToProxy) kind(err error) string {
	switch {
	case !w.reached:
		return proxyAway
	case strings.Contains(err.Error(), "authentication"), strings.Contains(err.Error(), "username/password"):
		return proxyLogin
	}
	return proxyRefused
}

// httpConnect asks an HTTP proxy for a tunnel (RFC 9110 section 9.3.6).
func httpConnect(u *url.URL, direct dialFunc) dialFunc {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		host := u.Host
		if u.Port() == "" {
			host = net.JoinHostPort(u.Hostname(), "80")
		}
		conn, err := direct(ctx, "tcp", host)
		if err != nil {
			return nil, &proxyError{proxy: u.Redacted(), kind: proxyAway, err: err}
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
		tunnel, kind, err := openTunnel(conn, u, address)
		if !stop() {
			err = context.Cause(ctx) // rather than the deadline that it set
		}
		if err != nil {
			_ = conn.Close() // the error that matters is err
			return nil, &proxyError{proxy: u.Redacted(), kind: kind, err: err}
		}
		return tunnel, nil
	}
}

// maxProxyAnswer bounds the header of a proxy's answer.
const maxProxyAnswer = 64 << 10

// openTunnel gives the connection, or the kind of error.
func openTunnel(conn net.Conn, u *url.URL, address string) (tunnel net.Conn, kind string, err error) {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if u.User != nil { // some proxies take a token for a user, and no password
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
	bounded.N = math.MaxInt64 // what follows is the server's
	switch {
	case resp.StatusCode == http.StatusProxyAuthRequired:
		kind = proxyLogin
	case resp.StatusCode/100 != 2:
		kind = proxyRefused
	}
	if kind != "" {
		return nil, kind, sentence.Errorf("it answered %s to CONNECT %s", smtp.DecodeText([]byte(resp.Status)), address)
	}
	// The server's greeting may have come in the same read.
	return &tunnelConn{Conn: conn, r: r}, "", nil
}

type tunnelConn struct {
	net.Conn
	r *bufio.Reader
}

func (t *tunnelConn) Read(p []byte) (int, error) { return t.r.Read(p) }
