package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Signer signs for a domain. It is safe for concurrent use if its Key is.
type Signer struct {
	// Domain is the d= of the signature, in A-labels. Receivers consider a signature if it is the
	// domain of From or a parent of it (RFC 7489 section 3.1.1).
	Domain string
	// Selector is the s=: the public key is at Selector._domainkey.Domain.
	Selector string
	// Key is an RSA key of at least 1024 bits or an Ed25519 key, from ParseKey or a device. Some
	// receivers do not support Ed25519: then sign with both.
	Key crypto.Signer
	// Headers are the fields to sign, always including From. nil means the fields that readers see
	// and those that control how the message is handled. Each is signed once more than it occurs,
	// so that no one can add another.
	Headers []string
}

// minRSA is the minimum length of an RSA key in bits (RFC 8301 section 3.2). Some receivers require
// 2048, which is recommended.
const minRSA = 1024

// Check returns an error for an invalid signer. Sign calls it, too.
func (s *Signer) Check() error {
	if err := checkName(s.Domain, 2); err != nil {
		return fmt.Errorf("dkim: domain %q %w", s.Domain, err)
	}
	if err := checkName(s.Selector, 1); err != nil {
		return fmt.Errorf("dkim: selector %q %w", s.Selector, err)
	}
	for _, name := range s.Headers {
		if !isFieldName(name) {
			return fmt.Errorf("dkim: %q is no name of a header field", name)
		}
	}
	_, err := s.algorithm()
	return err
}

// algorithm returns the a= for the key.
func (s *Signer) algorithm() (string, error) {
	if s.Key == nil {
		return "", errors.New("dkim: there is no key")
	}
	switch public := s.Key.Public().(type) {
	case ed25519.PublicKey:
		return "ed25519-sha256", nil
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < minRSA {
			return "", fmt.Errorf("dkim: an RSA key of %d bits is too short; it takes %d, better 2048", bits, minRSA)
		}
		return "rsa-sha256", nil
	}
	return "", fmt.Errorf("dkim: a key of type %T; it has to be RSA or Ed25519", s.Key.Public())
}

// Record returns the name and the text of the TXT record to publish (RFC 6376 section 3.6). In a
// zone file, a text of more than 255 octets has to be split into several strings.
func (s *Signer) Record() (name, text string, err error) {
	if err := s.Check(); err != nil {
		return "", "", err
	}
	name = s.Selector + "._domainkey." + s.Domain
	switch public := s.Key.Public().(type) {
	case ed25519.PublicKey:
		return name, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public), nil
	default:
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return "", "", fmt.Errorf("dkim: encode the public key: %w", err)
		}
		return name, "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der), nil
	}
}

// checkName checks for a domain name of at least that many labels; its error completes "… ". A
// valid name contains no character that could end a tag.
func checkName(s string, labels int) error {
	const most = 253
	if s == "" || len(s) > most {
		return fmt.Errorf("is not 1 to %d characters long", most)
	}
	n := 0
	for label := range strings.SplitSeq(s, ".") {
		n++
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return errors.New("is not a domain name")
		}
		for _, c := range []byte(label) {
			if c != '-' && c != '_' && !isAlphanumeric(c) {
				return errors.New("is not a domain name in ASCII")
			}
		}
	}
	if n < labels {
		return errors.New("is not a full domain name")
	}
	return nil
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// isFieldName checks for ftext (RFC 5322 section 3.6.8) without the semicolon, which would end the
// tag h=.
func isFieldName(s string) bool {
	return s != "" && len(s) < 76 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' || r == ';' })
}
