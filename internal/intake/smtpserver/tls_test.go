package smtpserver

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/intake/admission"
)

// testCertificate returns the settings of a server and of a client that trusts it.
func testCertificate(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mx.test"}, DNSNames: []string{"mx.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: pool, ServerName: "mx.test"}
}

func tlsOptions(t testing.TB) (Options, *tls.Config) {
	server, client := testCertificate(t)
	o := loginOptions()
	o.TLS = func() *tls.Config { return server }
	return o, client
}

const giteaLogin = "AUTH PLAIN AGdpdGVhAHMzY3JldA==\r\n"

func TestSTARTTLS(t *testing.T) {
	t.Parallel()
	o, trusting := tlsOptions(t)
	s := startServer(t, o)
	conn := s.dial()
	r := bufio.NewReader(conn)
	converse(t, conn, r, "")
	for _, c := range []struct{ send, want string }{
		{"EHLO me\r\n", "250 STARTTLS\r\n"},
		{giteaLogin, "538 5.7.11 a login needs TLS here; set the client's encryption to STARTTLS (rule: tls)\r\n"},
		{"MAIL FROM:<>\r\n", "530 5.7.0 this server needs STARTTLS and a login; set the client's encryption to STARTTLS (rule: tls)\r\n"},
		{"STARTTLS now\r\n", "501 5.5.4 STARTTLS has no arguments; leave them out (rule: syntax)\r\n"},
		{"STARTTLS\r\n", "220 2.0.0 begin TLS\r\n"},
	} {
		if got := converse(t, conn, r, c.send); got != c.want {
			t.Errorf("%q: %q, want %q", c.send, got, c.want)
		}
	}
	secure := tls.Client(conn, trusting)
	r = bufio.NewReader(secure)
	for _, c := range []struct{ send, want string }{
		{"MAIL FROM:<>\r\n", "503 5.5.1 "}, // EHLO is forgotten
		{"EHLO me\r\n", "250 AUTH PLAIN LOGIN\r\n"},
		{"STARTTLS\r\n", "503 5.5.1 "},
		{giteaLogin, "235 2.7.0"},
		{"MAIL FROM:<>\r\n", "250 2.1.0"},
		{"RCPT TO:<b@example.com>\r\n", "250 2.1.5"},
		{"DATA\r\n", "354"},
		{"x\r\n.\r\n", "250 2.0.0 kept as 4711\r\n"},
		{"QUIT\r\n", "221"},
	} {
		got := converse(t, secure, r, c.send)
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%q: %q, want %q", c.send, got, c.want)
		}
	}
	if m := s.desk.messages(); len(m) != 1 || !strings.Contains(m[0].received, "with ESMTPSA;") || m[0].peer.Token != "gitea" {
		t.Errorf("kept %+v", m)
	}
}

// TestSTARTTLSInjection: what comes before TLS must not count after it.
func TestSTARTTLSInjection(t *testing.T) {
	t.Parallel()
	o, _ := tlsOptions(t)
	s := startServer(t, o)
	if got := codes(s.talk("EHLO me\r\nSTARTTLS\r\nEHLO evil\r\nMAIL FROM:<>\r\n")); got != "250, 554 5.5.1" {
		t.Errorf("replied %s", got)
	}
}

func TestImplicitTLS(t *testing.T) {
	t.Parallel()
	o, trusting := tlsOptions(t)
	o.Implicit = true
	s := startServer(t, o)
	conn := tls.Client(s.dial(), trusting)
	r := bufio.NewReader(conn)
	if got := converse(t, conn, r, ""); !strings.HasPrefix(got, "220 ") {
		t.Errorf("greeting %q", got)
	}
	if got := converse(t, conn, r, "EHLO me\r\n"); got != "250 AUTH PLAIN LOGIN\r\n" {
		t.Errorf("EHLO ends with %q", got)
	}
	plain := s.dial()
	if _, err := io.WriteString(plain, "EHLO me\r\n"); err != nil {
		t.Fatal(err)
	}
	if all, _ := io.ReadAll(plain); strings.Contains(string(all), "250") { // an alert, and perhaps a reset
		t.Errorf("without TLS it said %q", all)
	}
	s.stop()
	<-s.done
	s.done <- nil
	if !strings.Contains(s.log.String(), "set its encryption to SSL/TLS") {
		t.Errorf("the log says %s", s.log)
	}
}

// TestClientBeginsTLS: the log says what to change.
func TestClientBeginsTLS(t *testing.T) {
	t.Parallel()
	withTLS, trusting := tlsOptions(t)
	for want, o := range map[string]Options{"set the client's encryption to none": localOptions(), "set the client's encryption to STARTTLS": withTLS} {
		s := startServer(t, o)
		conn := s.dial()
		if err := tls.Client(conn, trusting).Handshake(); err == nil {
			t.Error("the handshake was done")
		}
		_, _ = io.ReadAll(conn) // until the server has closed the connection
		s.stop()
		<-s.done
		s.done <- nil
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("no %q in the log: %s", want, s.log)
		}
	}
}

// reachable is a listener that other machines could reach.
type reachable struct {
	net.Listener
	closed bool
}

func (r *reachable) Addr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 2525} }
func (r *reachable) Accept() (net.Conn, error) { return nil, errors.New("accepting") }
func (r *reachable) Close() error              { r.closed = true; return nil }

func TestRefusesToStart(t *testing.T) {
	t.Parallel()
	withTLS, _ := tlsOptions(t)
	change := func(o Options, f func(*Options)) Options { f(&o); return o }
	networks := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	for _, c := range []struct {
		name string
		o    Options
		want error
	}{
		{"no way to log in", Options{}, errNoLogin},
		{"no login needed", localOptions(), errOpenRelay},
		{"no certificate", loginOptions(), errNoTLS},
		{"in the clear, from anywhere", change(loginOptions(), func(o *Options) { o.Insecure = true }), errNoNetworks},
		{"networks alone", change(loginOptions(), func(o *Options) { o.Networks = networks }), errNoTLS},
		{"insecure and no login", change(localOptions(), func(o *Options) { o.Insecure, o.Networks = true, networks }), errOpenRelay},
		{"certificate and no login", change(withTLS, func(o *Options) { o.Authenticate = nil }), errNoLogin},
		{"certificate and logins", withTLS, nil},
		{"in the clear, from a network", change(loginOptions(), func(o *Options) { o.Insecure, o.Networks = true, networks }), nil},
	} {
		l := &reachable{}
		err := New(c.o).Serve(context.Background(), l)
		if c.want == nil && !strings.Contains(err.Error(), "accepting") || c.want != nil && !errors.Is(err, c.want) || !l.closed {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	o := localOptions()
	o.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	conn := startServer(t, o).dial()
	all, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(all), "554 5.7.1 ") {
		t.Errorf("said %q, %v", all, err)
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	o := localOptions()
	o.Trace = true
	o.Anonymous = func(net.Conn) (admission.Peer, error) { return admission.Peer{User: "git"}, nil }
	s := startServer(t, o)
	s.talk("EHLO me<x>\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nBDAT 1 LAST\r\nxHELO me\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nBDAT 1 LAST\r\nx")
	all := s.desk.messages()
	if len(all) != 2 || !strings.HasPrefix(all[0].received, "from me?x? ([127.0.0.1]) by mx.test (Yan) with ESMTP; ") ||
		!strings.Contains(all[1].received, " with SMTP;") {
		t.Errorf("kept %+v", all)
	}
}
