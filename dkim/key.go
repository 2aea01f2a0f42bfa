package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// ParseKey parses a private key in PEM: RSA as PKCS #1 or PKCS #8, Ed25519 as PKCS #8, as openssl
// writes them. It rejects RSA keys below 1024 bits and encrypted keys. Errors contain nothing of
// the key.
func ParseKey(data []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("dkim: the key is not in PEM, which begins with -----BEGIN")
	}
	var key any
	var err error
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return nil, errors.New("dkim: the key is encrypted; decrypt it with openssl pkey")
	case block.Type == "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case block.Type == "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("dkim: %q in PEM is no private RSA or Ed25519 key", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("dkim: read the private key: %w", err)
	}
	var signer crypto.Signer
	switch key := key.(type) {
	case *rsa.PrivateKey:
		signer = key
	case ed25519.PrivateKey:
		signer = key
	default:
		return nil, fmt.Errorf("dkim: a key of type %T; it has to be RSA or Ed25519", key)
	}
	_, err = (&Signer{Key: signer}).algorithm()
	return signer, err
}
