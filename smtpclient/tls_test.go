package smtpclient_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

func TestTLSVerification(t *testing.T) {
	t.Parallel()
	ca, stranger := newAuthority(t), newAuthority(t)
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	good := ca.issue("mail.example.org", soon)
	pin := sha256.Sum256(good.Certificate[0])
	wrongPin := sha256.Sum256([]byte("another"))
	fromFile, err := smtpclient.LoadRoots(ca.file())
	if err != nil {
		t.Fatal(err)
	}
	unknown, hostname, invalid := a[x509.UnknownAuthorityError], a[x509.HostnameError], a[x509.CertificateInvalidError]
	for name, tc := range map[string]struct {
		cert  tls.Certificate
		trust smtpclient.Trust
		as    func(error) bool // the kind of error
		is    error            // or the exact error
	}{
		"trusted":              {good, smtpclient.Trust{Roots: ca.pool()}, nil, nil},
		"trusted by file":      {good, smtpclient.Trust{Roots: fromFile}, nil, nil},
		"untrusted":            {good, smtpclient.Trust{Roots: stranger.pool()}, unknown, nil},
		"system roots":         {good, smtpclient.Trust{}, unknown, nil},
		"wrong name":           {ca.issue("other.example.org", soon), smtpclient.Trust{Roots: ca.pool()}, hostname, nil},
		"wrong name, named":    {ca.issue("other.example.org", soon), smtpclient.Trust{Roots: ca.pool(), ServerName: "other.example.org"}, nil, nil},
		"expired":              {ca.issue("mail.example.org", past), smtpclient.Trust{Roots: ca.pool()}, invalid, nil},
		"pinned":               {good, smtpclient.Trust{Pin: &pin}, nil, nil},
		"pinned, wrong":        {good, smtpclient.Trust{Pin: &wrongPin}, nil, smtpclient.ErrPinMismatch},
		"wrong pin, right CA":  {good, smtpclient.Trust{Pin: &wrongPin, Roots: ca.pool()}, nil, smtpclient.ErrPinMismatch},
		"self-signed, trusted": {ca.issue("mail.example.org", soon), smtpclient.Trust{Roots: ca.pool()}, nil, nil},
	} {
		for _, security := range []smtpclient.Security{smtpclient.ImplicitTLS, smtpclient.STARTTLS} {
			t.Run(name+"/"+security.String(), func(t *testing.T) {
				t.Parallel()
				server := &secured{tls: &tls.Config{Certificates: []tls.Certificate{tc.cert}}, implicit: security == smtpclient.ImplicitTLS,
					before: []string{"STARTTLS"}, starttls: "220 go\r\n"}
				cfg := server.listen(t, smtpclient.Config{Security: security, Trust: tc.trust})
				conn, err := smtpclient.Dial(t.Context(), cfg)
				if tc.as == nil && tc.is == nil {
					if err != nil {
						t.Fatal(err)
					}
					if conn.TLS() == nil || conn.TLS().Version < tls.VersionTLS12 {
						t.Errorf("TLS %v", conn.TLS())
					}
					conn.Quit(t.Context())
					return
				}
				if err == nil {
					conn.Close()
					t.Fatal("connected")
				}
				if at := stageOf(t, err); at.Stage != smtp.StageTLS {
					t.Errorf("stage %s", at.Stage)
				}
				if tc.is != nil && !errors.Is(err, tc.is) || tc.as != nil && !tc.as(err) {
					t.Errorf("not the failure that it should be: %v", err)
				}
			})
		}
	}
}

// a reports whether the chain contains an error of a type.
func a[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	server := &secured{tls: &tls.Config{Certificates: []tls.Certificate{ca.issue("mail.example.org", time.Now().Add(time.Hour))},
		MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, implicit: true}
	conn, err := smtpclient.Dial(t.Context(), server.listen(t, smtpclient.Config{Trust: smtpclient.Trust{Roots: ca.pool()}}))
	if err == nil {
		conn.Close()
		t.Fatal("connected with TLS 1.1")
	}
	if at := stageOf(t, err); at.Stage != smtp.StageTLS {
		t.Errorf("%v", err)
	}
}

func TestClientCertificate(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	soon := time.Now().Add(time.Hour)
	server := &secured{tls: &tls.Config{Certificates: []tls.Certificate{ca.issue("mail.example.org", soon)},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool()}, implicit: true}
	cfg := server.listen(t, smtpclient.Config{Trust: smtpclient.Trust{Roots: ca.pool()}})
	if conn, err := smtpclient.Dial(t.Context(), cfg); err == nil {
		conn.Close()
		t.Error("connected without the certificate")
	}
	cfg.Trust.Certificates = []tls.Certificate{ca.issue("client", soon)}
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	conn.Quit(t.Context())
}

// STARTTLS is required: a server without it, or an attacker who removes it, gets no further
// command.
func TestSTARTTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert := &tls.Config{Certificates: []tls.Certificate{ca.issue("mail.example.org", time.Now().Add(time.Hour))}}
	for name, tc := range map[string]struct {
		before []string
		answer string
		stage  smtp.Stage
		code   int
		is     error
	}{
		"not offered":         {[]string{"AUTH PLAIN"}, "220 go\r\n", smtp.StageStartTLS, 0, smtpclient.ErrSTARTTLSNotOffered},
		"refused":             {[]string{"STARTTLS"}, "454 not now\r\n", smtp.StageStartTLS, 454, nil},
		"refused for good":    {[]string{"STARTTLS"}, "502 no\r\n", smtp.StageStartTLS, 502, nil},
		"injected reply":      {[]string{"STARTTLS"}, "220 go\r\n250 injected\r\n", smtp.StageStartTLS, 0, smtpclient.ErrInjectedResponse},
		"injected byte":       {[]string{"STARTTLS"}, "220 go\r\nx", smtp.StageStartTLS, 0, smtpclient.ErrInjectedResponse},
		"injected line break": {[]string{"STARTTLS"}, "220 go\r\n\r\n", smtp.StageStartTLS, 0, smtpclient.ErrInjectedResponse},
		"garbage":             {[]string{"STARTTLS"}, "go\r\n", smtp.StageStartTLS, 0, smtp.ErrMalformedReply},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &secured{tls: cert, before: tc.before, starttls: tc.answer}
			var sent []string
			cfg := server.listen(t, smtpclient.Config{Security: smtpclient.STARTTLS, Trust: smtpclient.Trust{Roots: ca.pool()}})
			cfg.Trace = func(e smtpclient.Event) {
				if e.Direction == smtpclient.Sent {
					sent = append(sent, e.Text)
				}
			}
			_, err := smtpclient.Dial(t.Context(), cfg)
			at := stageOf(t, err)
			if at.Stage != tc.stage || at.Reply.Code != tc.code || tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("%v", err)
			}
			if len(sent) > 2 || len(sent) == 0 || !strings.HasPrefix(sent[0], "EHLO [127.0.0.1]") {
				t.Errorf("it said %q", sent)
			}
		})
	}
}

// Extensions offered before STARTTLS are discarded.
func TestCapabilitiesBeforeSTARTTLSAreForgotten(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	server := &secured{tls: &tls.Config{Certificates: []tls.Certificate{ca.issue("mail.example.org", time.Now().Add(time.Hour))}},
		before: []string{"STARTTLS", "AUTH CRAM-MD5", "CHUNKING", "SIZE 1"}, starttls: "220 go\r\n"}
	server.caps = []string{"PIPELINING", "STARTTLS"} // QUIRK: 163 lists STARTTLS within TLS
	conn, err := smtpclient.Dial(t.Context(), server.listen(t, smtpclient.Config{Security: smtpclient.STARTTLS, Trust: smtpclient.Trust{Roots: ca.pool()}}))
	if err != nil {
		t.Fatal(err)
	}
	caps := conn.Capabilities()
	if caps.Has("CHUNKING") || caps.Has("AUTH") || caps.Size() != 0 || !caps.Has("PIPELINING") {
		t.Errorf("capabilities %v", caps.Keywords())
	}
	r := conn.Send(t.Context(), smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: hello}})
	if got := describe(r); got != "accepted@body 250" {
		t.Errorf("outcome %s", got)
	}
	conn.Quit(t.Context())
}

func TestTLSToAPlaintextPortAndTheReverse(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	plain := &secured{}
	_, err := smtpclient.Dial(t.Context(), plain.listen(t, smtpclient.Config{}))
	var header tls.RecordHeaderError
	if at := stageOf(t, err); at.Stage != smtp.StageTLS || !errors.As(err, &header) {
		t.Errorf("implicit TLS to a plaintext port: %v", err)
	}
	server := &secured{tls: &tls.Config{Certificates: []tls.Certificate{ca.issue("mail.example.org", time.Now().Add(time.Hour))}}, implicit: true}
	for _, security := range []smtpclient.Security{smtpclient.STARTTLS, smtpclient.Plaintext} {
		// Such a server waits for our first octet as we do for its own: until the context ends,
		// here as soon as there is a connection, however slow the machine is.
		ctx, cancel := context.WithCancelCause(t.Context())
		_, err = smtpclient.Dial(ctx, server.listen(t, smtpclient.Config{Security: security, Trace: func(e smtpclient.Event) {
			if e.Direction == smtpclient.Connected {
				cancel(context.DeadlineExceeded)
			}
		}}))
		cancel(nil)
		if at := stageOf(t, err); at.Stage != smtp.StageGreeting || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s to a TLS port: %v", security, err)
		}
	}
}

func TestParsePinAndLoadRoots(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("x"))
	digits := hex.EncodeToString(sum[:])
	for _, s := range []string{"sha256:" + digits, "SHA256:" + strings.ToUpper(digits), "sha256:" + strings.ToUpper(digits[:2]) + ":" + digits[2:]} {
		if pin, err := smtpclient.ParsePin(s); err != nil || *pin != sum {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"", digits, "sha1:" + digits, "sha256:", "sha256:" + digits[2:], "sha256:" + digits + "00", "sha256:" + strings.Repeat("g", 64)} {
		if _, err := smtpclient.ParsePin(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
	dir := t.TempDir()
	for name, data := range map[string]string{"empty.pem": " \n", "words.pem": "no certificate"} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := smtpclient.LoadRoots(file); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := smtpclient.LoadRoots(filepath.Join(dir, "missing.pem")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
