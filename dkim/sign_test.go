package dkim

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"
)

func at() time.Time { return time.Unix(1528637909, 0) }

func testSigners(t testing.TB) []*Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return []*Signer{
		{Domain: "football.example.com", Selector: "brisbane", Key: ed25519.NewKeyFromSeed(decode64(t, rfcSeed))},
		{Domain: "football.example.com", Selector: "test", Key: key},
	}
}

// tags returns the tags of a DKIM-Signature field without blanks.
func tags(t testing.TB, text []byte) map[string]string {
	t.Helper()
	_, list, _ := strings.Cut(string(text), ":")
	list = strings.NewReplacer(" ", "", "\r\n", "").Replace(list)
	found := map[string]string{}
	for tag := range strings.SplitSeq(list, ";") {
		name, value, ok := strings.Cut(tag, "=")
		if _, twice := found[name]; twice || !ok {
			t.Fatalf("tag %q in %q", tag, text)
		}
		found[name] = value
	}
	return found
}

// verify checks the first signature of a message by the published rules; the interop tests check
// that other programs agree.
func verify(t testing.TB, message string, public crypto.PublicKey) error {
	t.Helper()
	fields, bodyHash := hashes(t, message)
	signature := fields[0]
	if signature.name != "dkim-signature" {
		t.Fatalf("the first field is %s", signature.name)
	}
	tag := tags(t, signature.text)
	if tag["bh"] != base64.StdEncoding.EncodeToString(bodyHash) {
		return errors.New("the body hash differs")
	}
	b := bytes.LastIndex(signature.text, []byte("b="))
	digest := headerHash(sha256.New(), fields[1:], strings.Split(tag["h"], ":"), signature.text[:b+2])
	raw := decode64(t, tag["b"])
	if key, ok := public.(*rsa.PublicKey); ok {
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, raw)
	}
	if !ed25519.Verify(public.(ed25519.PublicKey), digest, raw) {
		return errors.New("the signature differs")
	}
	return nil
}

func TestSign(t *testing.T) {
	t.Parallel()
	signers := testSigners(t)
	message := crlf(rfcMessage)
	for _, s := range signers {
		signature, err := Sign(strings.NewReader(message), at(), s)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(string(signature), "\r\n"), "\r\n") {
			if len(line) > 76 || strings.TrimSpace(line) == "" || strings.HasSuffix(line, " ") {
				t.Errorf("the line %q of %d", line, len(line))
			}
		}
		signed := string(signature) + message
		if err := verify(t, signed, s.Key.Public()); err != nil {
			t.Errorf("%s: %v in\n%s", s.Selector, err, signature)
		}
		tag := tags(t, bytes.TrimSuffix(signature, []byte("\r\n")))
		for name, want := range map[string]string{"v": "1", "c": "relaxed/relaxed", "d": s.Domain, "s": s.Selector, "t": "1528637909", "bh": rfcBodyHash,
			"h": "from:from:reply-to:subject:subject:date:date:to:to:cc:message-id:message-id:mime-version:content-type:content-transfer-encoding"} {
			if tag[name] != want {
				t.Errorf("%s=%s, want %s", name, tag[name], want)
			}
		}
		if _, there := tag["l"]; there {
			t.Error("l= lets anyone append")
		}
		checkTampering(t, signed, s.Key.Public())
	}
	both, err := Sign(strings.NewReader(message), at(), signers...)
	if err != nil || bytes.Count(both, []byte("DKIM-Signature: ")) != 2 || verify(t, string(both)+message, signers[0].Key.Public()) != nil {
		t.Errorf("two signers: %v,\n%s", err, both)
	}
	if none, err := Sign(strings.NewReader(message), at()); none != nil || err != nil {
		t.Errorf("no signer: %q, %v", none, err)
	}
}

func checkTampering(t *testing.T, signed string, public crypto.PublicKey) {
	t.Helper()
	for _, tt := range []struct {
		old, new string
		breaks   bool
	}{
		{"dinner ready", "dinner over", true},
		{"lost the game", "won the game", true},
		{"Joe.\r\n", "Joe.\r\nPS: send money\r\n", true},
		{"\r\nFrom: ", "\r\nFrom: eve@example.net\r\nFrom: ", true},
		{"Date: ", "From: eve@example.net\r\nDate: ", true},
		{"Date: ", "Reply-To: eve@example.net\r\nDate: ", true},
		{"Date: ", "Content-Type: text/html\r\nDate: ", true},
		{"t=1528637909", "t=1528637910", true},
		{"game.  Are", "game. Are  ", false},
		{"Is dinner ready?", "Is dinner\r\n\tready? ", false},
		{"Joe.\r\n", "Joe. \r\n\r\n\r\n", false},
		{"Date: ", "Received: by us\r\nDate: ", false},
	} {
		changed := strings.Replace(signed, tt.old, tt.new, 1)
		if changed == signed {
			t.Fatalf("the message has no %q", tt.old)
		}
		if err := verify(t, changed, public); (err != nil) != tt.breaks {
			t.Errorf("%q instead of %q: %v", tt.new, tt.old, err)
		}
	}
}

func TestSignedFields(t *testing.T) {
	t.Parallel()
	header := []byte("Received: x\r\nFrom: a\r\nTo: b\r\nTo: c\r\nList-Id: d\r\nList-Unsubscribe: <e>\r\nX-Mine: f\r\n")
	defaults := "from from reply-to subject to to to cc mime-version content-type content-transfer-encoding"
	for _, tt := range []struct {
		headers []string
		want    string
	}{
		{nil, defaults + " list-id list-unsubscribe"},
		{[]string{}, "from from"},
		{[]string{"X-Mine", "to", "FROM", "x-mine"}, "from from x-mine x-mine to to to"},
	} {
		s := Signer{Headers: tt.headers}
		if got := strings.Join(s.names(splitHeader(header)), " "); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.headers, got, tt.want)
		}
	}
}

// Of several fields the last is signed first (RFC 6376 section 5.4.2), and a missing one adds
// nothing.
func TestHeaderHashTakesFieldsFromBelow(t *testing.T) {
	t.Parallel()
	fields := splitHeader([]byte("To: 1\r\nFrom: a\r\nTo: 2\r\nTo: 3\r\n"))
	h := &transcript{}
	got := string(headerHash(h, fields, []string{"to", "from", "cc", "to", "from"}, []byte("DKIM-Signature: v=1;\r\n b=")))
	if want := "to:3\r\nfrom:a\r\nto:2\r\ndkim-signature:v=1; b="; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// ofSize is a public key that has only a modulus of that many bits.
type ofSize struct{ bits int }

func (k ofSize) Public() crypto.PublicKey {
	n := new(rsa.PublicKey)
	n.N, n.E = new(big.Int).Lsh(big.NewInt(1), uint(k.bits-1)), 65537
	return n
}

func (k ofSize) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the device is gone")
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	good := *testSigners(t)[0]
	with := func(change func(*Signer)) *Signer { s := good; change(&s); return &s }
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const message = "From: a@b.c\r\n\r\nbody\r\n"
	for _, tt := range []struct {
		name    string
		s       *Signer
		message string
		want    string
	}{
		{"no domain", with(func(s *Signer) { s.Domain = "" }), message, `domain ""`},
		{"one label", with(func(s *Signer) { s.Domain = "example" }), message, "full domain name"},
		{"not ASCII", with(func(s *Signer) { s.Domain = "例子.测试" }), message, "in ASCII"},
		{"injection by domain", with(func(s *Signer) { s.Domain = "a.b;\r\nX: y" }), message, "in ASCII"},
		{"injection by selector", with(func(s *Signer) { s.Selector = "a; l=0" }), message, "selector"},
		{"no selector", with(func(s *Signer) { s.Selector = "" }), message, "selector"},
		{"dot last", with(func(s *Signer) { s.Domain = "example.com." }), message, "is not a domain name"},
		{"injection by header", with(func(s *Signer) { s.Headers = []string{"To; l=0"} }), message, "no name of a header field"},
		{"injection by header without a blank", with(func(s *Signer) { s.Headers = []string{"To;l=0"} }), message, "no name of a header field"},
		{"no key", with(func(s *Signer) { s.Key = nil }), message, "no key"},
		{"other key", with(func(s *Signer) { s.Key = other }), message, "RSA or Ed25519"},
		{"short key", with(func(s *Signer) { s.Key = ofSize{1023} }), message, "1023 bits"},
		{"failing key", with(func(s *Signer) { s.Key = ofSize{1024} }), message, "the device is gone"},
		{"no From", &good, "To: a@b.c\r\n\r\nbody\r\n", "no From"},
	} {
		signature, err := Sign(strings.NewReader(tt.message), at(), tt.s)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q, %v", tt.name, signature, err)
		}
	}
	broken := errors.New("broken")
	if _, err := Sign(failing{broken}, at(), &good); !errors.Is(err, broken) {
		t.Errorf("a message that can't be read: %v", err)
	}
}

type failing struct{ err error }

func (f failing) WriteTo(io.Writer) (int64, error) { return 0, f.err }

func TestParseKey(t *testing.T) {
	t.Parallel()
	signers := testSigners(t)
	ed, long := signers[0].Key, signers[1].Key.(*rsa.PrivateKey)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	block := func(kind string, der []byte, headers map[string]string) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der, Headers: headers})
	}
	pkcs1 := x509.MarshalPKCS1PrivateKey(long)
	for _, tt := range []struct {
		name string
		pem  []byte
		want crypto.Signer
		err  string
	}{
		{"Ed25519", pkcs8(ed), ed, ""},
		{"RSA in PKCS #8", pkcs8(long), long, ""},
		{"RSA in PKCS #1", block("RSA PRIVATE KEY", pkcs1, nil), long, ""},
		{"text before it", append([]byte("subject: x\n"), pkcs8(ed)...), ed, ""},
		{"P-256", pkcs8(other), nil, "RSA or Ed25519"},
		{"nothing", nil, nil, "not in PEM"},
		{"DER", pkcs1, nil, "not in PEM"},
		{"certificate", block("CERTIFICATE", pkcs1, nil), nil, "CERTIFICATE"},
		{"encrypted", block("ENCRYPTED PRIVATE KEY", pkcs1, nil), nil, "encrypted"},
		{"encrypted of old", block("RSA PRIVATE KEY", pkcs1, map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "x"}), nil, "encrypted"},
		{"cut", block("RSA PRIVATE KEY", pkcs1[:40], nil), nil, "read the private key"},
		{"512 bits", []byte(shortKey), nil, "too short"},
	} {
		key, err := ParseKey(tt.pem)
		if tt.want != nil {
			equal, ok := tt.want.Public().(interface{ Equal(crypto.PublicKey) bool })
			if err != nil || !ok || !equal.Equal(key.Public()) {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %T, %v", tt.name, key, err)
		}
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	signers := testSigners(t)
	name, text, err := signers[0].Record()
	if err != nil || name != "brisbane._domainkey.football.example.com" || text != "v=DKIM1; k=ed25519; p="+rfcPublic {
		t.Errorf("%s, %s, %v", name, text, err)
	}
	name, text, err = signers[1].Record()
	p, ok := strings.CutPrefix(text, "v=DKIM1; k=rsa; p=")
	if err != nil || !ok || name != "test._domainkey.football.example.com" {
		t.Fatalf("%s, %s, %v", name, text, err)
	}
	public, err := x509.ParsePKIXPublicKey(decode64(t, p))
	if err != nil || !signers[1].Key.(*rsa.PrivateKey).PublicKey.Equal(public) {
		t.Errorf("%s is another key, %v", text, err)
	}
	if _, _, err := new(Signer).Record(); err == nil {
		t.Error("a record without a key")
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add([]byte(shortKey))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if key, err := ParseKey(data); (key == nil) == (err == nil) && err == nil {
			t.Fatal("neither key nor error")
		}
	})
}

// shortKey was created for this test and is used nowhere else.
const shortKey = `-----BEGIN RSA PRIVATE KEY-----
MIIBOgIBAAJBALdsYTsS7JKItwwCJENKnyEDWpMhJguD/nG3rsVJScY6ldIcTSjT
cHwbLoT24M6rREN7jBY1xvrUGOMOx9CP7xMCAwEAAQJAO9UMunpn1TzniPFB5vl2
gwxXBVtwz5zU6T9jsVNAz3pLPmDkeAmT0aNIrAxJeX3GfOZa6rN54PcErtYhm/32
QQIhAOVzBMUwxna2wHPbmPpUNkvvaT0RP5ta6mOg3dNWPB6RAiEAzKXvF/fh6mFs
IxEna4vgn/gkUjdMq5t+0vVHS3x2zWMCICVNyOXCY1HjrnBnsHxqepVn7CU4i63X
XyopekckywtxAiB4l9NzwUusTOpnI6WiF1QvkA7/L70LZt7uO0Fe9yIe1wIhAKpv
K0ZkSB5nb8gL14NiWbwGdx/Xv/atzVkmrw2Cie+B
-----END RSA PRIVATE KEY-----
`
