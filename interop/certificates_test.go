//go:build interop && linux

package interop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority is a CA; it lives as long as the test program.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	serial      int64
}

func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-72 * time.Hour),
		NotAfter:              time.Now().Add(72 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &authority{certificate: certificate, key: key, serial: 1}, err
}

// leaf configures a certificate.
type leaf struct {
	host  string // "localhost" also gets 127.0.0.1; "" makes a client's certificate
	ended bool   // expired
}

// issue returns a certificate and its key as PEM.
func (a *authority) issue(l leaf) (certificate, key []byte, err error) {
	a.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial),
		Subject:      pkix.Name{CommonName: "yan interop"},
		NotBefore:    time.Now().Add(-48 * time.Hour),
		NotAfter:     time.Now().Add(48 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if l.host == "" {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	} else {
		template.DNSNames = []string{l.host}
	}
	if l.host == "localhost" {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	if l.ended {
		template.NotAfter = time.Now().Add(-24 * time.Hour)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, private.Public(), a.key)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), nil
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// writeCertificates fills dir with ca.pem, which clients trust; the chains
// good.pem, expired.pem, othername.pem and untrusted.pem, with the key first as
// Postfix requires; and client.pem with client.key, signed by the same
// authority.
func writeCertificates(dir string) error {
	trusted, err := newAuthority("yan interop authority")
	if err != nil {
		return fmt.Errorf("make an authority: %w", err)
	}
	stranger, err := newAuthority("nobody's authority")
	if err != nil {
		return fmt.Errorf("make an authority: %w", err)
	}
	files := map[string][]byte{"ca.pem": trusted.pem()}
	for name, by := range map[string]struct {
		*authority
		leaf
	}{
		"good":      {trusted, leaf{host: "localhost"}},
		"expired":   {trusted, leaf{host: "localhost", ended: true}},
		"othername": {trusted, leaf{host: "other.example.test"}},
		"untrusted": {stranger, leaf{host: "localhost"}},
		"client":    {trusted, leaf{}},
	} {
		certificate, key, err := by.issue(by.leaf)
		if err != nil {
			return fmt.Errorf("issue certificate %s: %w", name, err)
		}
		if name == "client" {
			files["client.pem"], files["client.key"] = certificate, key
		} else {
			files[name+".pem"] = append(key, certificate...)
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
