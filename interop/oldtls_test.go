//go:build interop && linux

package interop

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// oldServer starts OpenSSL with an RSA certificate for mail.example.test,
// limited to these ciphers and protocols.
func oldServer(t *testing.T, ciphers, most string) (address, ca string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "old"}, DNSNames: []string{"mail.example.test"},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ca, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{ca: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), "python3", "oldtls.py", ca, keyFile, ciphers, most)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = c.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("the server does not start: ", err)
	}
	return net.JoinHostPort("127.0.0.1", strings.TrimSpace(port)), ca
}

// OpenSSL servers that support only RSA key exchange are refused, unless it is
// allowed; the certificate is verified for the given name. Each also rejects
// PLAIN as unknown, so that the login continues with LOGIN.
func TestOldTLSOfOpenSSL(t *testing.T) {
	for name, test := range map[string]struct {
		ciphers, most string
		rsa           bool // supports only RSA key exchange
	}{
		"AES128-GCM-SHA256": {"AES128-GCM-SHA256", "1.2", true},
		"AES256-GCM-SHA384": {"AES256-GCM-SHA384", "1.2", true},
		"AES128-SHA":        {"AES128-SHA:@SECLEVEL=0", "1.2", true},
		"AES256-SHA":        {"AES256-SHA:@SECLEVEL=0", "1.2", true},
		"ECDHE":             {"ECDHE-RSA-AES256-GCM-SHA384", "1.2", false},
		"TLS 1.3":           {"-", "1.3", false},
	} {
		t.Run(name, func(t *testing.T) {
			address, ca := oldServer(t, test.ciphers, test.most)
			send := func(o yan.Options) (yan.Result, *smtpclient.Handshake, error) {
				var h *smtpclient.Handshake
				o.From, o.Password = "me@example.test", "hunter22"
				o.Trace = func(e yan.Event) {
					if e.Direction == smtpclient.Secured {
						h = e.Handshake
					}
				}
				client, err := yan.Open(address, o)
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				r, err := client.Send(t.Context(), yan.Message{To: []string{"you@example.test"}, From: "me@example.test", Text: "hi"})
				return r, h, err
			}
			_, _, err := send(yan.Options{CAFile: ca, TLSName: "mail.example.test"})
			if (err != nil) != test.rsa {
				t.Errorf("without the option: %v", err)
			}
			r, h, err := send(yan.Options{CAFile: ca, TLSName: "mail.example.test", RSAKeyExchange: true})
			if err != nil {
				t.Fatal(err)
			}
			if r.Recipients[0].Status != smtp.Accepted || h.NoForwardSecrecy != test.rsa || h.Name != "mail.example.test" {
				t.Errorf("%v, %+v", r.Recipients[0], h)
			}
			for wrong, o := range map[string]yan.Options{"no name": {CAFile: ca, RSAKeyExchange: true}, "another name": {CAFile: ca, TLSName: "other.example.test", RSAKeyExchange: true},
				"not trusted": {TLSName: "mail.example.test", RSAKeyExchange: true}} {
				var host x509.HostnameError
				var unknown x509.UnknownAuthorityError
				if _, _, err := send(o); !errors.As(err, &host) && !errors.As(err, &unknown) {
					t.Errorf("%s: %v", wrong, err)
				}
			}
		})
	}
}
