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

// Trust says which server certificates are accepted, and which client certificates are presented.
// The zero value trusts the system's authorities.
type Trust struct {
	// Roots replaces the system's certificate authorities; nil keeps them.
	Roots *x509.CertPool
	// Pin is the SHA-256 fingerprint of the server's certificate. If it is set, only the
	// fingerprint counts: authority, name and dates are not checked.
	Pin *[sha256.Size]byte
	// Certificates are presented to a server that requests one.
	Certificates []tls.Certificate
	// ServerName replaces Config.Host as the name to verify.
	ServerName string
	// RSAKeyExchange also offers TLS 1.2 with an RSA key exchange, for servers without anything
	// better. The certificate is verified as always. But an attacker who records the connection
	// and gets the server's key years later can decrypt it.
	RSAKeyExchange bool
	// Sessions caches TLS session tickets, which make the next handshake shorter and cheaper; nil
	// means that every handshake is a full one. A resumed session relies on the certificate check
	// of the first one: share a cache only among connections to one server with the same Trust.
	Sessions tls.ClientSessionCache
}

// ParsePin parses "sha256:HEX", with or without colons between the bytes, as openssl x509
// -fingerprint -sha256 and browsers show it.
func ParsePin(s string) (*[sha256.Size]byte, error) {
	algorithm, digits, ok := strings.Cut(s, ":")
	if !ok || !strings.EqualFold(algorithm, "sha256") {
		return nil, localerr.Errorf("pin %q: want sha256: and 64 hexadecimal digits", s)
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if err != nil || len(raw) != sha256.Size {
		return nil, localerr.Errorf("pin %q: want sha256: and 64 hexadecimal digits", s)
	}
	return (*[sha256.Size]byte)(raw), nil
}

// maxPEM is the maximum size of a file of certificates or a key, in octets: ten times the largest
// bundles of authorities.
const maxPEM = 4_000_000

// LoadCertificate reads a client certificate with its chain and key from PEM files.
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

// LoadRoots reads a file of trusted PEM certificates.
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
		return nil, localerr.Errorf("reading certificate authorities: %s contains no PEM certificate", file)
	}
	return pool, nil
}

// TLSConfig returns the settings of a handshake with a host, for protocols other than SMTP with
// the same trust; Dial makes its own.
func (t Trust) TLSConfig(host string) *tls.Config {
	cfg := &tls.Config{
		ServerName:   host,
		RootCAs:      t.Roots,
		Certificates: t.Certificates,
		MinVersion:   tls.VersionTLS12, // RFC 8314 section 4.1
		MaxVersion:   tls.VersionTLS13,
		// Listed explicitly, so that neither a new version of Go nor an environment variable
		// changes the offer.
		CipherSuites:     cipherSuites(),
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
		// The pin replaces the check of the chain: that is how a self-signed certificate is
		// trusted.
		cfg.InsecureSkipVerify = true
		// It is called for a resumed session, too; VerifyPeerCertificate is not.
		cfg.VerifyConnection = func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return localerr.New("the server sent no certificate")
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

// cipherSuites returns the suites of TLS 1.2, all with forward secrecy. Those of TLS 1.3 can't be
// chosen. CBC comes last; servers of ten years ago have nothing else.
func cipherSuites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	}
}

// rsaSuites returns the suites with an RSA key exchange, for RSAKeyExchange.
func rsaSuites() []uint16 {
	return []uint16{
		tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA,
	}
}

// verifiedName returns the name that a successful handshake has proved; "" if the certificate itself
// is pinned.
func (t Trust) verifiedName(host string) string {
	if t.Pin != nil {
		return ""
	}
	return cmp.Or(t.ServerName, host)
}
