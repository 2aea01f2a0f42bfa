package selfca_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/intake/selfca"
)

func issue(t *testing.T, dir string, now time.Time, names ...string) (selfca.Issued, error) {
	t.Helper()
	return selfca.Issue(t.Context(), dir, filepath.Join(dir, "none"), names[:1], names[1:], now)
}

// A client that trusts the CA accepts the certificate for each name, and no client has to change
// anything when it is renewed.
func TestIssue(t *testing.T) {
	t.Parallel()
	dir, now := filepath.Join(t.TempDir(), "tls"), time.Now()
	names := []string{"box.lan", "Box", "192.0.2.7", "2001:db8::7", "localhost", "box"}
	first, err := issue(t, dir, now, names...)
	if err != nil || !first.NewCA {
		t.Fatal(first, err)
	}
	ca, err := os.ReadFile(first.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		t.Fatal("the CA is not a certificate")
	}
	for range 2 {
		pair, err := tls.LoadX509KeyPair(first.Certificate, first.Key)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"box.lan", "box", "192.0.2.7", "2001:db8::7", "localhost"} {
			if err := handshake(pair, pool, name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if handshake(pair, pool, "example.com") == nil {
			t.Error("it is valid for another name")
		}
		again, err := issue(t, dir, now.Add(time.Hour), "box", "198.51.100.1") // all names stay; the second is not required
		if err != nil || again.NewCA || again.Certificate != first.Certificate {
			t.Fatal(again, err)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	for path, mode := range map[string]os.FileMode{first.CA: 0o644, first.CAKey: 0o600, first.Certificate: 0o644, first.Key: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

// handshake connects with TLS over a pipe.
func handshake(pair tls.Certificate, pool *x509.CertPool, name string) error {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	go func() { _ = tls.Server(server, &tls.Config{Certificates: []tls.Certificate{pair}}).Handshake() }()
	return tls.Client(client, &tls.Config{RootCAs: pool, ServerName: name}).Handshake()
}

// The CA signs no other names, and nothing is written with a CA that is damaged.
func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Now()
	first, err := issue(t, dir, now, "box.lan", "192.0.2.7")
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(first.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"example.com", "192.0.2.8"} {
		if _, err := issue(t, dir, now, name, "box.lan"); !errors.Is(err, selfca.ErrNames) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, damage := range []func() error{
		func() error { return os.WriteFile(first.CAKey, []byte("x"), 0o600) },
		func() error { return os.Remove(first.CAKey) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if _, err := issue(t, dir, now, "box.lan"); !errors.Is(err, selfca.ErrAuthority) {
			t.Errorf("a damaged CA: %v", err)
		}
	}
	if after, err := os.ReadFile(first.Certificate); err != nil || string(after) != string(before) {
		t.Errorf("the certificate was replaced: %v", err)
	}
}
