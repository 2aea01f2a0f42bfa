//go:build unix

package postgres_test

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/internal/testing/pgtest"
)

// makeCertificates returns a CA, and a client certificate with its key.
func makeCertificates(t *testing.T) (ca, cert, key string) {
	t.Helper()
	s, err := sandbox.Start(sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c, k, err := s.ClientCertificate("yan")
	if err != nil {
		t.Fatal(err)
	}
	return string(s.CAPEM()), string(c), string(k)
}

// A file of libpq that other users can read or change is refused before anything is sent to
// the server. A file that only its owner can read is used.
func TestFilesOfLibpqBelongToTheUser(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	at, err := url.Parse(server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	password := strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace(server.Password())
	at.User = url.User(at.User.Username())
	folder := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	shared := filepath.Join(folder, "shared")
	service := "[mail]\nport=" + at.Port() + "\npassfile=" + write("of service", "*:*:*:*:"+password+"\n", 0o640) + "\n"
	inShared := write("shared/service", service, 0o600)
	if err := os.Chmod(shared, 0o777); err != nil {
		t.Fatal(err)
	}
	ca, cert, key := makeCertificates(t)
	certFile := write("client.crt", cert, 0o644)
	for what, test := range map[string]struct {
		query url.Values
		says  []string // nothing: it is opened
	}{
		"own password file":          {url.Values{"passfile": {write("own", "*:*:*:*:"+password+"\n", 0o600)}}, nil},
		"password file for a group":  {url.Values{"passfile": {write("gr+oup", "*:*:*:*:"+password+"\n", 0o640)}}, []string{"gr+oup: other users can read it", "chmod 600"}},
		"password file for all":      {url.Values{"passfile": {write("all", "*:*:*:*:"+password+"\n", 0o604)}}, []string{"all: other users can read it"}},
		"password file not used":     {url.Values{"passfile": {filepath.Join(folder, "all")}, "password": {server.Password()}}, nil},
		"service for all":            {url.Values{"service": {"mail"}, "servicefile": {write("service", service, 0o666)}}, []string{"service: other users can write to it", "chmod o-w"}},
		"service in a folder of all": {url.Values{"service": {"mail"}, "servicefile": {inShared}}, []string{"shared: other users can write to it"}},
		"password file of a service": {url.Values{"service": {"mail"}, "servicefile": {write("service2", service, 0o600)}}, []string{"of service: other users can read it"}},
		"no service file":            {url.Values{"service": {"mail"}, "servicefile": {filepath.Join(folder, "nowhere")}}, []string{"can't read", "nowhere"}},
		"root certificate for all":   {url.Values{"sslmode": {"prefer"}, "sslrootcert": {write("root.crt", ca, 0o646)}}, []string{"root.crt: other users can write to it"}},
		"own certificates": {url.Values{"sslmode": {"prefer"}, "sslrootcert": {write("root2.crt", ca, 0o644)}, "sslcert": {certFile},
			"sslkey": {write("own.key", key, 0o600)}, "password": {server.Password()}}, nil},
		"key for all": {url.Values{"sslmode": {"prefer"}, "sslcert": {certFile}, "sslkey": {write("client.key", key, 0o644)}, "password": {server.Password()}},
			[]string{"client.key: other users can read it", "chmod 600"}},
		"key not used": {url.Values{"sslmode": {"prefer"}, "sslcert": {certFile}, "sslkey": {filepath.Join(folder, "client.key")}, "sslcertmode": {"disable"},
			"password": {server.Password()}}, nil},
	} {
		u := *at
		query := u.Query()
		for name, values := range test.query {
			query[name] = values
		}
		u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
		s, err := postgres.Open(t.Context(), u.String(), outbox.Options{})
		if err == nil {
			s.Close()
		}
		if (err == nil) != (test.says == nil) {
			t.Errorf("%s: %v", what, err)
			continue
		}
		for _, want := range test.says {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", what, err, want)
			}
		}
		if untrusted := new(atomicfile.UntrustedError); test.says != nil && what != "no service file" && !errors.As(err, &untrusted) {
			t.Errorf("%s: %#v", what, err)
		}
	}
}
