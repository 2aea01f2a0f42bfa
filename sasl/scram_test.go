package sasl

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/xdg-go/scram"
)

const nonce = "fyko+d2lbbFgONRv9qkxdawL"

func TestScramDoesNotBelieveTheServer(t *testing.T) {
	t.Parallel()
	c := Credentials{Username: "user", Password: "pencil"}
	good := "r=" + nonce + "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
	for _, tc := range []struct {
		name       string
		challenges []string
		nextFails  bool // the last challenge is an error
	}{
		{"yes at once", nil, false},
		{"yes without its proof", []string{good}, false},
		{"wrong proof", []string{good, "v=AAAAAAAAAAAAAAAAAAAAAAAAAAA="}, true},
		{"no proof in its place", []string{good, ""}, true},
		{"error in its place", []string{good, "e=other-error"}, true},
		{"one message more", []string{good, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "v=x"}, true},
		{"nonce not extended", []string{"r=somethingelse,s=QSXCR+Q6sek8bf92,i=4096"}, true},
		{"too few iterations", []string{strings.Replace(good, "4096", "1", 1)}, true},
		{"too many iterations", []string{strings.Replace(good, "4096", "5000001", 1)}, true},
		{"iterations beyond an int", []string{strings.Replace(good, "4096", "99999999999999999999", 1)}, true},
		{"iterations twice", []string{strings.Replace(good, "i=", "i=4096,i=", 1) + "9999999"}, false},
		{"no salt", []string{"r=" + nonce + "x,i=4096"}, true},
		{"garbage", []string{"\x00\xff"}, true},
		{"proof first", []string{"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="}, true},
	} {
		mech, err := newScram(ScramSHA1, c, Session{}, func() string { return nonce })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mech.Start(); err != nil {
			t.Fatal(err)
		}
		for i, challenge := range tc.challenges {
			_, err = mech.Next([]byte(challenge))
			if last := i == len(tc.challenges)-1; err != nil != (last && tc.nextFails) {
				t.Errorf("%s: challenge %d: %v", tc.name, i, err)
			}
		}
		if tc.name == "one message more" {
			continue // it was proved by then
		}
		if err := mech.Finish(); !errors.Is(err, ErrServerNotVerified) {
			t.Errorf("%s: Finish returned %v", tc.name, err)
		}
	}
}

// SCRAM tells the server whether channel binding was used, so that the server can detect an
// attacker who removed -PLUS from its list.
func TestScramSaysWhyChannelBindingIsUnused(t *testing.T) {
	t.Parallel()
	c := Credentials{Username: "user", Password: "pencil"}
	for _, tc := range []struct {
		name  string
		s     Session
		start string
	}{
		{"no TLS", Session{Offered: []string{ScramSHA256}}, "n,,"},
		{"TLS and not offered", Session{TLS: &tls.ConnectionState{}, Offered: []string{ScramSHA256}}, "y,,"},
		{"TLS and offered", Session{TLS: &tls.ConnectionState{}, Offered: []string{ScramSHA256, ScramSHA256Plus}}, "n,,"},
	} {
		mech, err := New(ScramSHA256, c, tc.s)
		if err != nil {
			t.Fatal(err)
		}
		if first, err := mech.Start(); err != nil || !strings.HasPrefix(string(first), tc.start) {
			t.Errorf("%s: %q, %v", tc.name, first, err)
		}
	}
}

func TestScramPlusOverTLS(t *testing.T) {
	t.Parallel()
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := certificate(t, ecKey, ecKey.Public())
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, name := range []string{ScramSHA256Plus, ScramSHA1Plus} {
			t.Run(name+" "+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				client, server := tlsPair(t, cert, version)
				if err := logIn(t, name, client, server, cert); err != nil {
					t.Error(err)
				}
				// An attacker in the middle has another TLS connection to each side.
				other, _ := tlsPair(t, selfSigned(t), version)
				if err := logIn(t, name, other, server, cert); err == nil {
					t.Error("a login was relayed over another TLS connection")
				}
			})
		}
	}
	// RFC 5929 has no tls-server-end-point for Ed25519: the mechanism without channel binding is
	// chosen instead of failing.
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	client, _ := tlsPair(t, certificate(t, key, public), tls.VersionTLS12)
	s := Session{TLS: &client, Offered: []string{ScramSHA256Plus, ScramSHA256}}
	if got, ok := Choose(Credentials{Username: "u", Password: "p"}, s); !ok || got != ScramSHA256 {
		t.Errorf("chose %q", got)
	}
}

// logIn runs a whole exchange with the library's server; each side has the state of its end of a
// TLS connection.
func logIn(t *testing.T, name string, client, server tls.ConnectionState, cert tls.Certificate) error {
	t.Helper()
	hash := scram.SHA256
	if name == ScramSHA1Plus {
		hash = scram.SHA1
	}
	const user, password = "me@qq.com", "授权码 code"
	known, err := hash.NewClient(user, password, "")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := known.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt of the test", Iters: 4096})
	if err != nil {
		t.Fatal(err)
	}
	lookup, err := hash.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
	if err != nil {
		t.Fatal(err)
	}
	var binding scram.ChannelBinding
	if server.Version >= tls.VersionTLS13 {
		binding, err = scram.NewTLSExporterBinding(&server)
	} else {
		leaf, parseErr := x509.ParseCertificate(cert.Certificate[0])
		if parseErr != nil {
			t.Fatal(parseErr)
		}
		binding, err = scram.NewTLSServerEndpointBinding(&tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}})
	}
	if err != nil {
		t.Fatal(err)
	}
	conv := lookup.NewConversationWithChannelBindingRequired(binding)
	mech, err := New(name, Credentials{Username: user, Password: password}, Session{TLS: &client, Offered: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	message, err := mech.Start()
	if err != nil {
		t.Fatal(err)
	}
	for !conv.Done() {
		challenge, err := conv.Step(string(message))
		if err != nil {
			return err
		}
		if message, err = mech.Next([]byte(challenge)); err != nil {
			return err
		}
	}
	if !conv.Valid() || conv.Username() != user {
		t.Errorf("the server knows %q", conv.Username())
	}
	return mech.Finish()
}

// tlsPair connects over 127.0.0.1 and returns the state of both ends.
func tlsPair(t *testing.T, cert tls.Certificate, version uint16) (client, server tls.ConnectionState) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: version, MaxVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	states := make(chan tls.ConnectionState, 1)
	go func() {
		defer close(states)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if accepted, ok := conn.(*tls.Conn); ok && accepted.Handshake() == nil {
			states <- accepted.ConnectionState()
		}
	}()
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	conn, err := tls.DialWithDialer(dialer, "tcp", listener.Addr().String(), &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	server, ok := <-states
	if !ok {
		t.Fatal("the server's handshake failed")
	}
	return conn.ConnectionState(), server
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return certificate(t, key, key.Public())
}

func certificate(t *testing.T, key, public any) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
