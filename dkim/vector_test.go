package dkim

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"io"
	"strings"
	"testing"
)

// The example of RFC 8463 appendix A.

const rfcMessage = `From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
`

const rfcBodyHash = "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="

// rfcFields are the two signatures without the values of b=.
var rfcFields = map[string]struct{ field, signature string }{
	"ed25519": {`DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=` + rfcBodyHash + `;
 b=`, "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="},
	"rsa": {`DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=` + rfcBodyHash + `;
 b=`, "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz" +
		"dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8="},
}

const (
	rfcSeed   = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
	rfcPublic = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	rfcRSA    = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC" +
		"DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
)

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func decode64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// hashes reads a message as Sign does.
func hashes(t testing.TB, message string) ([]field, []byte) {
	t.Helper()
	p := pass{body: relaxedBody{hash: sha256.New()}}
	if _, err := io.WriteString(&p, message); err != nil {
		t.Fatal(err)
	}
	return splitHeader(p.header), p.body.sum()
}

func TestRFC8463(t *testing.T) {
	t.Parallel()
	fields, bodyHash := hashes(t, crlf(rfcMessage))
	if got := base64.StdEncoding.EncodeToString(bodyHash); got != rfcBodyHash {
		t.Errorf("body hash %s, want %s", got, rfcBodyHash)
	}
	key := ed25519.NewKeyFromSeed(decode64(t, rfcSeed))
	if !bytes.Equal(key.Public().(ed25519.PublicKey), decode64(t, rfcPublic)) {
		t.Fatal("the private and the public key don't match")
	}
	names := strings.Fields("from to subject date message-id from subject date")
	example := rfcFields["ed25519"]
	digest := headerHash(sha256.New(), fields, names, []byte(crlf(example.field)))
	if got := base64.StdEncoding.EncodeToString(ed25519.Sign(key, digest)); got != example.signature {
		t.Errorf("signature %s, want %s", got, example.signature)
	}

	public, err := x509.ParsePKIXPublicKey(decode64(t, rfcRSA))
	if err != nil {
		t.Fatal(err)
	}
	example = rfcFields["rsa"]
	digest = headerHash(sha256.New(), fields, names, []byte(crlf(example.field)))
	if err := rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), crypto.SHA256, digest, decode64(t, example.signature)); err != nil {
		t.Error(err)
	}
}
