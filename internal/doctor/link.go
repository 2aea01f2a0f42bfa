package doctor

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/proxy"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// config is one connection of the exam, without credentials.
func (v *visit) config(trace func(smtpclient.Event)) (smtpclient.Config, error) {
	o, s := v.Options, v.Server
	cfg := smtpclient.Config{
		Host: s.Host, Port: s.Port, Socket: s.Socket, Security: s.Security, LMTP: s.LMTP,
		Mechanism: o.Mechanism, AllowCleartextPassword: o.AllowCleartextPassword, LocalName: o.LocalName,
		NoPipelining: o.NoPipelining, NoChunking: o.NoChunking, Trace: trace,
		Timeouts: smtpclient.Timeouts{Connect: v.Timeout, Handshake: v.Timeout, Greeting: v.Timeout, Command: v.Timeout,
			DataInit: v.Timeout, DataBlock: v.Timeout, DataEnd: 2 * v.Timeout, Quit: min(v.Timeout, time.Second)},
	}
	var err error
	if cfg.Trust, err = trust(o); err != nil {
		return cfg, err
	}
	cfg.Dialer = func(ctx context.Context, _, address string) (net.Conn, error) { return v.open(ctx, address) }
	return cfg, cfg.Check()
}

func trust(o transport.Options) (smtpclient.Trust, error) {
	var t smtpclient.Trust
	var err error
	if o.CAFile != "" {
		if t.Roots, err = smtpclient.LoadRoots(o.CAFile); err != nil {
			return t, err
		}
	}
	if o.Pin != "" {
		if t.Pin, err = smtpclient.ParsePin(o.Pin); err != nil {
			return t, err
		}
	}
	if o.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return t, fmt.Errorf("reading the client certificate: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// credentials are what the options log in with, under the same rules as in
// package transport; nil when they have nothing.
func (v *visit) credentials(ctx context.Context, o transport.Options) (*sasl.Credentials, error) {
	c := sasl.Credentials{Username: o.User, Password: strings.TrimRight(o.Password, "\r\n"), Token: strings.TrimRight(o.Token, "\r\n")}
	for _, name := range []string{v.Server.User, v.From.String()} {
		if c.Username == "" {
			c.Username = name
		}
	}
	if v.Server.Provider.Has(provider.SecretShownWithSpaces) {
		c.Password = strings.ReplaceAll(c.Password, " ", "")
	}
	if o.TokenSource != nil {
		var err error
		if c.Token, err = o.TokenSource(ctx, ""); err != nil {
			return nil, err
		}
	}
	switch {
	case c.Password == "" && c.Token == "" && !strings.EqualFold(o.Mechanism, sasl.External):
		return nil, ErrNoSecret
	case c.Username == "" && !strings.EqualFold(o.Mechanism, sasl.External):
		return nil, errNoUser
	}
	return &c, nil
}

// errNoUser: there is a secret and nobody whose it could be.
var errNoUser = errors.New("there is a password, and no user name to log in with")

// dialer goes through the proxy where there is one.
func (v *visit) dialer() (dialFunc, error) {
	if v.Options.Proxy == "" {
		return v.dial, nil
	}
	u, err := url.Parse(v.Options.Proxy)
	if err != nil || u.Host == "" {
		// Not the error of net/url: it repeats the URL with its password.
		return nil, errors.New("the proxy is not a URL like socks5://127.0.0.1:1080 or http://127.0.0.1:8080")
	}
	switch u.Scheme {
	case "socks5", "socks5h":
		through, err := proxy.FromURL(u, dialing(v.dial))
		if err != nil {
			return nil, fmt.Errorf("proxy %s: %w", u.Redacted(), err)
		}
		return through.(proxy.ContextDialer).DialContext, nil
	case "http":
		return v.httpConnect(u), nil
	}
	return nil, fmt.Errorf("proxy %s: scheme %q is not one of socks5, socks5h, http", u.Redacted(), u.Scheme)
}

// dialing is a function in the two forms that package proxy wants.
type dialing dialFunc

func (d dialing) Dial(network, address string) (net.Conn, error) {
	return d(context.Background(), network, address)
}

func (d dialing) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d(ctx, network, address)
}

// httpConnect asks an HTTP proxy for a tunnel (RFC 9110 section 9.3.6).
func (v *visit) httpConnect(u *url.URL) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host := u.Host
		if u.Port() == "" {
			host = net.JoinHostPort(u.Hostname(), "80")
		}
		conn, err := v.dial(ctx, network, host)
		if err != nil {
			return nil, fmt.Errorf("proxy %s: %w", u.Redacted(), err)
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		tunnel, err := askTunnel(conn, u, address)
		if stopped := stop(); err == nil && !stopped {
			err = context.Cause(ctx)
		}
		if err != nil {
			_ = conn.Close() // the error says what went wrong
			return nil, fmt.Errorf("proxy %s: %w", u.Redacted(), err)
		}
		return tunnel, nil
	}
}

// maxProxyAnswer bounds the header of the proxy's answer, in octets.
const maxProxyAnswer = 64 << 10

func askTunnel(conn net.Conn, u *url.URL, address string) (net.Conn, error) {
	request := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if u.User != nil {
		password, _ := u.User.Password()
		request += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return nil, err
	}
	// Octet by octet: what follows the header is the mail server's.
	var header []byte
	for one := make([]byte, 1); !bytes.HasSuffix(header, []byte("\r\n\r\n")) && len(header) < maxProxyAnswer; {
		if _, err := io.ReadFull(conn, one); err != nil {
			return nil, err
		}
		header = append(header, one[0])
	}
	answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(header)), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close() // a tunnel has none
	if answer.StatusCode/100 != 2 {
		return nil, fmt.Errorf("it answered %s", smtp.DecodeText([]byte(answer.Status)))
	}
	return conn, nil
}
