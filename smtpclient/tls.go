package smtpclient

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"strings"

	"github.com/yanmail/yan/internal/clienthello"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
)

// Trust says which server certificate is the right one, and which of our own
// to show. The zero value trusts what the system trusts.
type Trust struct {
	// Roots replaces the system's certificate authorities; nil keeps them.
	Roots *x509.CertPool
	// Pin is the SHA-256 fingerprint of the server's certificate. When it is
	// set it is all that counts: authority, name and dates are not looked at.
	Pin *[sha256.Size]byte
	// Certificates are shown to a server that asks.
	Certificates []tls.Certificate
	// ServerName replaces Config.Host as the name to verify.
	ServerName string
	// RSAKeyExchange also offers TLS 1.2 with an RSA key exchange, for servers that
	// know nothing else. The certificate is verified as always. But who records the
	// connection, and gets the server's key years later, can read it.
	RSAKeyExchange bool
	// Sessions keeps what the server hands out to be known again by, so that the
	// next handshake is shorter and cheaper; nil makes every handshake a full one.
	// A resumed session stands on the check of the certificate that began it: share
	// a cache only among connections to one server that trust the same.
	Sessions tls.ClientSessionCache
}

// ParsePin reads "sha256:HEX", with or without colons between the bytes, as
// openssl x509 -fingerprint -sha256 and the browsers show it.
func ParsePin(s string) (*[sha256.Size]byte, error) {
	algorithm, digits, ok := strings.Cut(s, ":")
	if !ok || !strings.EqualFold(algorithm, "sha256") {
		return nil, localerr.Errorf("pin %q: want sha256:HEX with 64 hexadecimal digits", s)
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if err != nil || len(raw) != sha256.Size {
		return nil, localerr.Errorf("pin %q: want sha256:HEX with 64 hexadecimal digits", s)
	}
	return (*[sha256.Size]byte)(raw), nil
}

// maxPEM bounds a file of certificates or a key, in octets: the largest bundles of
// authorities have a tenth of it.
const maxPEM = 4_000_000

// LoadCertificate reads a certificate to show, with its chain, and its key, from files in
// PEM form.
func LoadCertificate(certFile, keyFile string) (tls.Certificate, error) {
	var pem [2][]byte
	for i, file := range []string{certFile, keyFile} {
		var err error
		if pem[i], err = atomicfile.Read(context.Background(), file, maxPEM); err != nil {
			return tls.Certificate{}, err
		}
	}
	return tls.X509KeyPair(pem[0], pem[1])
}

// LoadRoots reads a file of PEM certificates to trust.
func LoadRoots(file string) (*x509.CertPool, error) {
	pem, err := atomicfile.Read(context.Background(), file, maxPEM)
	if err != nil {
		return nil, localerr.Errorf("reading certificate authorities: %w", err)
	}
	if pem = bytes.TrimSpace(pem); len(pem) == 0 {
		return nil, localerr.Errorf("reading certificate authorities: %s is empty", file)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, localerr.Errorf("reading certificate authorities: %s holds no PEM certificate", file)
	}
	return pool, nil
}

// TLSConfig makes the settings of a handshake with a host. It is for protocols
// beside SMTP, which trust the same; Dial makes its own.
func (t Trust) TLSConfig(host string) *tls.Config {
	cfg := &tls.Config{
		ServerName:   host,
		RootCAs:      t.Roots,
		Certificates: t.Certificates,
		MinVersion:   tls.VersionTLS12, // RFC 8314 section 4.1
		MaxVersion:   tls.VersionTLS13,
		// Written down, so that neither a new version of Go nor a variable of the
		// environment changes what is offered.
		CipherSuites:     suites(),
		CurvePreferences: append([]tls.CurveID{tls.X25519MLKEM768}, clienthello.SmallCurves()...),

		ClientSessionCache: t.Sessions,
	}
	if t.RSAKeyExchange {
		cfg.CipherSuites = append(cfg.CipherSuites, rsaSuites()...)
	}
	if t.ServerName != "" {
		cfg.ServerName = t.ServerName
	}
	if t.Pin != nil {
		pin := *t.Pin
		// The pin is checked instead of the chain, not beside it: it is how one
		// trusts a self-signed certificate.
		cfg.InsecureSkipVerify = true
		// It is called for a resumed session, too, which VerifyPeerCertificate is not.
		cfg.VerifyConnection = func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return localerr.New("the server showed no certificate")
			}
			got := sha256.Sum256(state.PeerCertificates[0].Raw)
			if subtle.ConstantTimeCompare(got[:], pin[:]) != 1 {
				return localerr.Errorf("%w: got sha256:%x", ErrPinMismatch, got)
			}
			return nil
		}
	}
	return cfg
}

// suites are those of TLS 1.2, all with forward secrecy. Those of TLS 1.3 are not for
// choosing. CBC comes last; servers of ten years ago have nothing else.
func suites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	}
}

// rsaSuites are those of an RSA key exchange, for RSAKeyExchange.
func rsaSuites() []uint16 {
	return []uint16{
		tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA,
	}
}

// verified is the name that a handshake which succeeded has proved; "" where the
// certificate itself is pinned.
func (t Trust) verified(host string) string {
	if t.Pin != nil {
		return ""
	}
	return cmp.Or(t.ServerName, host)
}
