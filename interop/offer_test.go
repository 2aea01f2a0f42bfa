//go:build interop && linux

package interop

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/smtp"
	"os"
	"slices"
	"strings"
	"testing"
)

// offeredMechanisms lists a service's mechanisms for AUTH, as the standard
// library's client reads them: after STARTTLS if it is required.
func offeredMechanisms(t *testing.T, s *servers, name string) []string {
	t.Helper()
	roots := x509.NewCertPool()
	ca, err := os.ReadFile(s.certificate("ca.pem"))
	if err != nil || !roots.AppendCertsFromPEM(ca) {
		t.Fatalf("read the authority's certificate: %v", err)
	}
	config := &tls.Config{RootCAs: roots, ServerName: "localhost"}
	var connection net.Conn
	if strings.HasPrefix(name, "smtps") {
		connection, err = tls.Dial("tcp", loopback(s.port[name]), config)
	} else {
		connection, err = net.Dial("tcp", loopback(s.port[name]))
	}
	if err != nil {
		t.Fatal(err)
	}
	client, err := smtp.NewClient(connection, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if strings.HasPrefix(name, "submission") {
		if err := client.StartTLS(config); err != nil {
			t.Fatal(err)
		}
	}
	_, words := client.Extension("AUTH")
	return strings.Fields(words)
}

// The following tests run every offered mechanism: without this check a
// mechanism missing from the servers would silently lose its tests.
func TestServersOfferEveryMechanism(t *testing.T) {
	t.Parallel()
	s := real(t)
	want := []string{"CRAM-MD5", "LOGIN", "OAUTHBEARER", "PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2"}
	for _, name := range []string{"submission", "smtps", "notls"} {
		got := offeredMechanisms(t, s, name)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s offers %q, want %q", name, got, want)
		}
	}
}
