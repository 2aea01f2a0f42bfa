package transport

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/proxy"

	"github.com/yanmail/yan/smtp"
)

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// proxyDialer makes a dialer that goes through a proxy. TLS is then spoken
// with the server through it: the proxy sees no more than the network would.
func proxyDialer(proxyURL string) (dialFunc, error) {
	u, err := url.Parse(proxyURL)
	if err != nil || u.Host == "" {
		// Not the error of net/url: it repeats the URL with its password.
		return nil, fmt.Errorf("the proxy is not a URL like socks5://127.0.0.1:1080 or http://127.0.0.1:8080")
	}
	switch u.Scheme {
	case "socks5", "socks5h":
		d, err := proxy.FromURL(u, &net.Dialer{})
		if err != nil {
			return nil, fmt.Errorf("proxy %s: %w", u.Redacted(), err)
		}
		return d.(proxy.ContextDialer).DialContext, nil
	case "http":
		return httpConnect(u), nil
	}
	return nil, fmt.Errorf("proxy %s: scheme %q is not one of socks5, socks5h, http", u.Redacted(), u.Scheme)
}

// httpConnect asks an HTTP proxy for a tunnel (RFC 9110 section 9.3.6).
func httpConnect(u *url.URL) dialFunc {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		host := u.Host
		if u.Port() == "" {
			host = net.JoinHostPort(u.Hostname(), "80")
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
		if err != nil {
			return nil, fmt.Errorf("proxy %s: %w", u.Redacted(), err)
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
		tunnel, err := openTunnel(conn, u, address)
		if !stop() {
			err = context.Cause(ctx) // rather than the deadline that it set
		}
		if err != nil {
			_ = conn.Close() // the error that matters is err
			return nil, fmt.Errorf("proxy %s: %w", u.Redacted(), err)
		}
		return tunnel, nil
	}
}

// maxProxyAnswer bounds the header of a proxy's answer.
const maxProxyAnswer = 64 << 10

func openTunnel(conn net.Conn, u *url.URL, address string) (net.Conn, error) {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if u.User != nil { // some proxies take a token for a user, and no password
		password, _ := u.User.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+
			base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
	}
	if err := req.Write(conn); err != nil {
		return nil, err
	}
	bounded := &io.LimitedReader{R: conn, N: maxProxyAnswer}
	r := bufio.NewReader(bounded)
	resp, err := http.ReadResponse(r, req)
	if err != nil {
		return nil, err
	}
	bounded.N = math.MaxInt64 // what follows is the server's
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("it answered %s to CONNECT %s", smtp.DecodeText([]byte(resp.Status)), address)
	}
	// The server's greeting may have come in the same read.
	return &tunnelConn{Conn: conn, r: r}, nil
}

type tunnelConn struct {
	net.Conn
	r *bufio.Reader
}

func (t *tunnelConn) Read(p []byte) (int, error) { return t.r.Read(p) }
