package doctor_test

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/doctor"
	"github.com/yanmail/yan/internal/testing/faultproxy"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// tlsServer serves SMTP over TLS with one self-signed certificate. It returns a
// URL, the file to trust and the fingerprint.
func tlsServer(t *testing.T, template *x509.Certificate, cfg *tls.Config) (url, ca, fingerprint string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.IsCA, template.BasicConstraintsValid = big.NewInt(1), true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(1000 * time.Hour)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				fmt.Fprint(conn, "220 old\r\n")
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					fmt.Fprint(conn, "250 ok\r\n")
				}
			}()
		}
	}()
	return fmt.Sprintf("smtps://127.0.0.1:%d", listener.Addr().(*net.TCPAddr).Port), ca, fmt.Sprintf("sha256:%x", sha256.Sum256(der))
}

func lookAt(t *testing.T, url string, o transport.Options) doctor.ExamReport {
	t.Helper()
	server, err := transport.ParseServer(url, smtp.Address{})
	if err != nil {
		t.Fatal(err)
	}
	r := (doctor.Exam{Server: server, Options: o, Timeout: long}).Run(t.Context())
	check(t, nil, r)
	return r
}

func local() *x509.Certificate {
	return &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, Subject: pkix.Name{CommonName: "old"}}
}

// A server that knows only an RSA key exchange: the exam tries and names the
// option that helps, and if it is set, reports the missing protection.
func TestOnlyRSAKeyExchange(t *testing.T) {
	t.Parallel()
	url, ca, _ := tlsServer(t, local(), &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_256_CBC_SHA}})
	s := find(t, lookAt(t, url, transport.Options{CAFile: ca}), doctor.NameTLS)
	if s.Status != doctor.Failed || s.Facts.Cipher != "TLS_RSA_WITH_AES_256_CBC_SHA" || !strings.Contains(s.Detail.EN, s.Facts.Cipher) ||
		!strings.Contains(s.Advice.EN, "--tls-rsa-key-exchange") || !strings.Contains(s.Advice.ZH, "tls_rsa_key_exchange") {
		t.Errorf("%+v", s)
	}
	s = find(t, lookAt(t, url, transport.Options{CAFile: ca, RSAKeyExchange: true}), doctor.NameTLS)
	if s.Status != doctor.Warning || s.Facts.KeyExchange != "RSA" || !strings.Contains(s.Detail.EN, "without forward secrecy") {
		t.Errorf("%+v", s)
	}
	// An untrusted server is not recommended.
	s = find(t, lookAt(t, url, transport.Options{}), doctor.NameTLS)
	if s.Status != doctor.Failed || strings.Contains(s.Advice.EN, "--tls-rsa") || !strings.Contains(s.Detail.EN, "certificate is invalid too") {
		t.Errorf("%+v", s)
	}
}

// The texts about certificates, and their fingerprints.
func TestWordsAboutCertificates(t *testing.T) {
	t.Parallel()
	old := local()
	old.NotBefore, old.NotAfter = time.Now().Add(-5000*time.Hour), time.Now().Add(-2401*time.Hour)
	for name, test := range map[string]struct {
		cert           *x509.Certificate
		pin, trusted   bool
		status         doctor.StepStatus
		detail, advice string // with PIN as a placeholder for the fingerprint
	}{
		"fine":             {local(), false, true, doctor.OK, "verified", ""},
		"not trusted":      {local(), false, false, doctor.Failed, "does not trust", "--tls-pin PIN after comparing"},
		"no names":         {&x509.Certificate{Subject: pkix.Name{CommonName: "localhost"}}, false, true, doctor.Failed, "no host names in subjectAltName", "for a certificate with host names; or use --tls-pin PIN"},
		"another name":     {&x509.Certificate{DNSNames: []string{"mail.example.test"}}, false, true, doctor.Failed, "it is for mail.example.test, not for 127.0.0.1", "--tls-name mail.example.test"},
		"pinned and ended": {old, true, false, doctor.Warning, "expired 100 days ago", "until then yan checks your pin"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, ca, pin := tlsServer(t, test.cert, &tls.Config{})
			o := transport.Options{}
			if test.trusted {
				o.CAFile = ca
			}
			if test.pin {
				o.Pin = pin
			}
			s := find(t, lookAt(t, url, o), doctor.NameCertificate)
			if s.Status != test.status || s.Facts.Fingerprint != pin || !strings.Contains(s.Detail.EN, test.detail) ||
				!strings.Contains(s.Advice.EN, strings.ReplaceAll(test.advice, "PIN", pin)) {
				t.Errorf("%s: %s; %s; %s", s.Status, s.Detail.EN, s.Advice.EN, s.Facts.Fingerprint)
			}
		})
	}
}

// A server, or a box in front of it, that does not answer a large ClientHello: doctor says
// in both languages that the smaller one worked, and about another server nothing of it.
func TestSmallClientHelloIsSaid(t *testing.T) {
	t.Parallel()
	url, ca, _ := tlsServer(t, local(), &tls.Config{})
	box, err := faultproxy.NewOldBox(strings.TrimPrefix(url, "smtps://"))
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	s := find(t, lookAt(t, fmt.Sprintf("smtps://127.0.0.1:%d", box.Port()), transport.Options{CAFile: ca}), doctor.NameTLS)
	if s.Status != doctor.OK || !s.Facts.SmallHello || box.Closed() == 0 ||
		!strings.HasSuffix(s.Detail.EN, "; only after a smaller ClientHello, without X25519MLKEM768") ||
		!strings.HasSuffix(s.Detail.ZH, "；改用较小的 ClientHello（不含 X25519MLKEM768）之后才成功") {
		t.Errorf("%+v", s)
	}
	s = find(t, lookAt(t, url, transport.Options{CAFile: ca}), doctor.NameTLS)
	if s.Status != doctor.OK || s.Facts.SmallHello || strings.Contains(s.Detail.EN+s.Detail.ZH, "ClientHello") {
		t.Errorf("%+v", s)
	}
}
