package smtpclient_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/smtpclient"
)

// authority is a certificate authority of one test.
type authority struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t}
	der, key := a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().Add(time.Hour)})
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a.key, a.cert = key, cert
	return a
}

func (a *authority) sign(template *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return der, key
}

// issue returns a certificate for a name that is valid until a time.
func (a *authority) issue(name string, until time.Time) tls.Certificate {
	der, key := a.sign(&x509.Certificate{DNSNames: []string{name}, NotBefore: until.Add(-2 * time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// file writes the authority's certificate to a file, as a user would have it.
func (a *authority) file() string {
	name := filepath.Join(a.t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return name
}

// secured is a TLS server on 127.0.0.1, with implicit TLS or STARTTLS.
type secured struct {
	simple
	tls      *tls.Config
	implicit bool
	before   []string // offered before STARTTLS
	starttls string   // the reply to it
}

// listen serves connections until the test ends and returns the configuration with the address.
func (s *secured) listen(t testing.TB, cfg smtpclient.Config) smtpclient.Config {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				stop := context.AfterFunc(ctx, func() { conn.Close() })
				defer stop()
				s.accept(conn)
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		listener.Close()
		serving.Wait()
	})
	if cfg.Host == "" {
		cfg.Host = "mail.example.org"
	}
	dial := (&net.Dialer{}).DialContext
	cfg.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dial(ctx, "tcp", listener.Addr().String())
	}
	return cfg
}

func (s *secured) accept(conn net.Conn) {
	if s.implicit {
		s.serve(tls.Server(conn, s.tls))
		return
	}
	if _, err := conn.Write([]byte("220 secured\r\n")); err != nil {
		return
	}
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		answer := "250-secured\r\n250-" + strings.Join(append(s.before, "X"), "\r\n250-") + "\r\n250 END\r\n"
		if strings.HasPrefix(line, "STARTTLS") {
			answer = s.starttls
		}
		if _, err := conn.Write([]byte(answer)); err != nil {
			return
		}
		if line == "STARTTLS\r\n" && strings.HasPrefix(answer, "220") {
			server := tls.Server(conn, s.tls)
			s.session(server, bufio.NewReader(server))
			return
		}
	}
}
