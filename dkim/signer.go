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

// Signer signs for a domain. It may be used by many goroutines at once, if its
// Key may.
type Signer struct {
	// Domain is the d= of the signature, in A-labels. Receivers give a signature
	// weight when it is the domain of From or one above it (RFC 7489 section
	// 3.1.1).
	Domain string
	// Selector is the s=: the public key is at Selector._domainkey.Domain.
	Selector string
	// Key is an RSA key of 1024 bits or more or an Ed25519 key, from ParseKey or
	// from a device. Not every receiver knows Ed25519: sign by both then.
	Key crypto.Signer
	// Headers are the fields to sign, From always among them; nil means what
	// readers see and what tells them what to do with it. Each is signed as often
	// as the message has it and once more, so that nobody can add another.
	Headers []string
}

// minRSA is the least length of an RSA key in bits (RFC 8301 section 3.2). Some
// receivers want 2048, as should you.
const minRSA = 1024

// Check reports what is wrong with a signer. Sign does it, too.
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

// algorithm is the a= for the key.
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

// Record is the TXT record to publish, its name and its text (RFC 6376 section
// 3.6). A text of more than 255 octets is split into several strings by whoever
// writes the zone file.
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

// checkName checks for a domain name of so many labels at least; its error
// completes "… ". A name has nothing in it that could end a tag.
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

// isFieldName checks for ftext (RFC 5322 section 3.6.8), less the semicolon, which
// would end the tag h=.
func isFieldName(s string) bool {
	return s != "" && len(s) < 76 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' || r == ';' })
}
