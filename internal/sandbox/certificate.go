package sandbox

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Certificate is the kind of certificate that the server shows.
type Certificate string

// The certificates. The zero value is a valid one.
const (
	GoodCertificate       Certificate = ""
	ExpiredCertificate    Certificate = "expired"     // signed by the CA, ended yesterday
	SelfSignedCertificate Certificate = "self-signed" // right names, signed by itself, not by the CA
	WrongNameCertificate  Certificate = "wrong-name"  // signed by the CA, for wrong.example only
)

// Certificates lists the kinds of certificate.
func Certificates() []Certificate {
	return []Certificate{GoodCertificate, ExpiredCertificate, SelfSignedCertificate, WrongNameCertificate}
}

// authority is the sandbox's own CA; its key lives as long as the server.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	now         time.Time
}

func newAuthority() (*authority, error) {
	// The real clock, because the client checks the dates with it.
	a := &authority{now: time.Now()}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the CA's key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(a.now.UnixNano()),
		Subject:               pkix.Name{CommonName: "Yan sandbox CA"},
		NotBefore:             a.now.Add(-30 * 24 * time.Hour),
		NotAfter:              a.now.Add(30 * 24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make the CA: %w", err)
	}
	a.key = key
	a.certificate, err = x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read the CA back: %w", err)
	}
	return a, nil
}

func (a *authority) pem() []byte { return certificatePEM(a.certificate.Raw) }

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// serverCertificate creates the certificate for localhost, the loopback addresses and the
// imitated hosts.
func (a *authority) serverCertificate(kind Certificate, hosts []string) (tls.Certificate, error) {
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost"},
		DNSNames:    append([]string{"localhost"}, hosts...),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:   a.now.Add(-10 * 24 * time.Hour),
		NotAfter:    a.now.Add(10 * 24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	switch kind {
	case GoodCertificate, SelfSignedCertificate:
	case ExpiredCertificate:
		template.NotAfter = a.now.Add(-24 * time.Hour)
	case WrongNameCertificate:
		template.Subject.CommonName = "wrong.example"
		template.DNSNames, template.IPAddresses = []string{"wrong.example"}, nil
	default:
		return tls.Certificate{}, fmt.Errorf("certificate %q is none of expired, self-signed, wrong-name", kind)
	}
	return a.issueCertificate(template, kind == SelfSignedCertificate)
}

// clientCertificate creates a certificate for an account, to log in with EXTERNAL.
func (a *authority) clientCertificate(account string) (tls.Certificate, error) {
	return a.issueCertificate(&x509.Certificate{
		Subject:        pkix.Name{CommonName: account},
		EmailAddresses: []string{account},
		NotBefore:      a.now.Add(-time.Hour),
		NotAfter:       a.now.Add(10 * 24 * time.Hour),
		KeyUsage:       x509.KeyUsageDigitalSignature,
		ExtKeyUsage:    []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, false)
}

func (a *authority) issueCertificate(template *x509.Certificate, selfSigned bool) (tls.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a serial number: %w", err)
	}
	template.SerialNumber = serial
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key: %w", err)
	}
	parent, signer := a.certificate, a.key
	if selfSigned {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the certificate of %s: %w", template.Subject.CommonName, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read the certificate back: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// keyPairPEM returns a certificate and its key as PEM files.
func keyPairPEM(c tls.Certificate) (certificate, key []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("encode a key: %w", err)
	}
	key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return bytes.Clone(certificatePEM(c.Certificate[0])), key, nil
}
