package diagnosis_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// handshake returns the error of a TLS client at a server on loopback.
func handshake(t *testing.T, host string, roots *x509.CertPool, server func(net.Conn)) error {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	deadline := time.Now().Add(20 * time.Second)
	done := make(chan struct{})
	go func() {
		defer close(done)
		far, err := l.Accept()
		if err != nil {
			return
		}
		defer far.Close()
		_ = far.SetDeadline(deadline)
		server(far)
	}()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = near.SetDeadline(deadline)
	err = tls.Client(near, &tls.Config{ServerName: host, RootCAs: roots}).Handshake()
	near.Close()
	<-done
	return err
}

// certificate returns a self-signed certificate and a pool that trusts it.
func certificate(t *testing.T, expires time.Time, names ...string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: expires.Add(-48 * time.Hour), NotAfter: expires, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func serveTLS(cert tls.Certificate, maxVersion uint16) func(net.Conn) {
	return func(c net.Conn) {
		_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: maxVersion, MinVersion: tls.VersionTLS10}).Handshake() //nolint:gosec // an old server is the case
	}
}

func servePlain(c net.Conn) {
	hangUp(c)
	_, _ = c.Write([]byte("220 mail.example.com ESMTP\r\n"))
	_, _ = io.Copy(io.Discard, c) // until the client is done
}

// hangUp reads the client's first octets and closes without a reply.
func hangUp(c net.Conn) { _, _ = c.Read(make([]byte, 64<<10)) }

// Real errors of crypto/tls.
func TestHandshakeErrors(t *testing.T) {
	t.Parallel()
	good, trusted := certificate(t, time.Now().Add(24*time.Hour), "mail.example.com", "*.qiye.163.com")
	own, ownTrusted := certificate(t, time.Now().Add(24*time.Hour), "mail.example.com")
	old, oldTrusted := certificate(t, time.Now().Add(-24*time.Hour), "mail.example.com")
	for _, tt := range []struct {
		name   string
		host   string
		roots  *x509.CertPool
		server func(net.Conn)
		want   diagnosis.Class
		row    string
	}{
		{"plain text", "mail.example.com", trusted, servePlain, diagnosis.ClassWrongTLSMode, "10.1"},
		{"nobody's certificate", "mail.example.com", x509.NewCertPool(), serveTLS(good, 0), diagnosis.ClassTLSUntrusted, ""},
		{"a provider's certificate under one's own name", "smtp.company.cn", trusted, serveTLS(good, 0), diagnosis.ClassWrongHost, "10.4"},
		{"another's certificate", "smtp.company.cn", ownTrusted, serveTLS(own, 0), diagnosis.ClassTLSName, ""},
		{"expired", "mail.example.com", oldTrusted, serveTLS(old, 0), diagnosis.ClassTLSExpired, ""},
		{"too old a protocol", "mail.example.com", trusted, serveTLS(good, tls.VersionTLS10), diagnosis.ClassTLSFailed, ""},
		{"hung up", "mail.example.com", trusted, hangUp, diagnosis.ClassConnectionLost, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := handshake(t, tt.host, tt.roots, tt.server)
			if err == nil {
				t.Fatal("the handshake succeeded")
			}
			f := diagnosis.Diagnose(diagnosis.FromError(&smtp.Error{Stage: smtp.StageTLS, Err: err}, ""))
			if f.Class != tt.want || f.Row != tt.row || f.Basis != diagnosis.BasisError {
				t.Errorf("%v (%T): got %s of row %q by %s, want %s of row %q", err, err, f.Class, f.Row, f.Basis, tt.want, tt.row)
			}
		})
	}
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	err := dialClosedPort(t)
	f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageConnect, Err: err})
	if f.Class != diagnosis.ClassConnectionRefused || f.Permanence != diagnosis.Temporary {
		t.Errorf("%v: %s, %s", err, f.Class, f.Permanence)
	}
}

// dialClosedPort connects to a port that was just closed; another process may take it in between,
// but not ten times.
func dialClosedPort(t *testing.T) error {
	t.Helper()
	for range 10 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		conn.Close()
	}
	t.Fatal("every port that was closed is open")
	return nil
}

// namedKind is an error of a package above diagnosis.
type namedKind string

func (k namedKind) Error() string       { return "something about " + string(k) }
func (k namedKind) FailureKind() string { return string(k) }

type timeoutError struct{}

func (timeoutError) Error() string { return "i/o timeout" }
func (timeoutError) Timeout() bool { return true }

// namedErrors are the errors that package smtpclient exports, and their classes.
func namedErrors() map[string]struct {
	err  error
	want diagnosis.Class
} {
	type entry = struct {
		err  error
		want diagnosis.Class
	}
	return map[string]entry{
		"ErrSTARTTLSNotOffered":  {smtpclient.ErrSTARTTLSNotOffered, diagnosis.ClassStartTLSMissing},
		"ErrInjectedResponse":    {smtpclient.ErrInjectedResponse, diagnosis.ClassTampered},
		"ErrNoGreeting":          {smtpclient.ErrNoGreeting, diagnosis.ClassWrongTLSMode},
		"ErrPinMismatch":         {smtpclient.ErrPinMismatch, diagnosis.ClassTLSPin},
		"ErrCleartextPassword":   {smtpclient.ErrCleartextPassword, diagnosis.ClassCleartextPassword},
		"ErrAuthNotOffered":      {smtpclient.ErrAuthNotOffered, diagnosis.ClassAuthServiceDisabled},
		"ErrNoMechanism":         {smtpclient.ErrNoMechanism, diagnosis.ClassAuthNoMechanism},
		"ErrServerNotVerified":   {smtpclient.ErrServerNotVerified, diagnosis.ClassTampered},
		"ErrTokenRefused":        {smtpclient.ErrTokenRefused, diagnosis.ClassAuthTokenRefused},
		"ErrTooLarge":            {smtpclient.ErrTooLarge, diagnosis.ClassTooLarge},
		"ErrNeedsSMTPUTF8":       {smtpclient.ErrNeedsSMTPUTF8, diagnosis.ClassAddressSyntax},
		"ErrHeaderNeedsSMTPUTF8": {smtpclient.ErrHeaderNeedsSMTPUTF8, diagnosis.ClassSMTPUTF8Missing},
		"ErrNeeds8BITMIME":       {smtpclient.ErrNeeds8BITMIME, diagnosis.ClassFeatureMissing},
		"ErrNeedsBINARYMIME":     {smtpclient.ErrNeedsBINARYMIME, diagnosis.ClassFeatureMissing},
		"ErrBrokenBINARYMIME":    {smtpclient.ErrBrokenBINARYMIME, diagnosis.ClassFeatureMissing},
		"ErrNotPipelined":        {smtpclient.ErrNotPipelined, diagnosis.ClassProtocolError},
		"ErrNeedsDSN":            {smtpclient.ErrNeedsDSN, diagnosis.ClassFeatureMissing},
		"ErrTooManyRecipients":   {smtpclient.ErrTooManyRecipients, diagnosis.ClassTooManyRecipients},
		"ErrOutOfStep":           {smtpclient.ErrOutOfStep, diagnosis.ClassProtocolError},
		"ErrContent":             {smtpclient.ErrContent, diagnosis.ClassContentUnreadable},
		"ErrAnotherRefused":      {smtpclient.ErrAnotherRefused, diagnosis.ClassAnotherRefused},
		"ErrUnasked":             {smtpclient.ErrUnasked, diagnosis.ClassProtocolError},
		"ErrClosed":              {smtpclient.ErrClosed, diagnosis.ClassConnectionLost},
		"ErrTLSPort":             {smtpclient.ErrTLSPort, diagnosis.ClassWrongTLSMode},
		"ErrNoServerHello":       {smtpclient.ErrNoServerHello, diagnosis.ClassTLSFailed},
	}
}

// Every error that package smtpclient exports has its own meaning.
func TestErrorsOfTheClient(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../smtpclient/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	known := namedErrors()
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, name := range spec.Names {
			if strings.HasPrefix(name.Name, "Err") {
				found++
				if _, ok := known[name.Name]; !ok {
					t.Errorf("smtpclient.%s has no class here", name.Name)
				}
			}
		}
		return true
	})
	if found != len(known) {
		t.Errorf("smtpclient exports %d errors, %d are known", found, len(known))
	}
	for name, tt := range known {
		f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageMail, Err: fmt.Errorf("wrapped: %w", tt.err), Status: smtp.NotTried})
		if f.Class != tt.want {
			t.Errorf("%s: %s, want %s", name, f.Class, tt.want)
		}
	}
}

// samples returns errors of each kind.
func samples(t *testing.T) map[string][]error {
	t.Helper()
	port25 := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25}
	port465 := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 465}
	providers, _ := certificate(t, time.Now().Add(time.Hour), "*.qiye.163.com")
	leaf, err := x509.ParseCertificate(providers.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]error{
		"no_such_host":         {&net.DNSError{Err: "no such host", Name: "smtp.exmaple.com", IsNotFound: true}},
		"dns_failed":           {&net.DNSError{Err: "server misbehaving", IsTemporary: true}, &net.DNSError{Err: "i/o timeout", IsTimeout: true}},
		"refused":              {&net.OpError{Op: "dial", Addr: port25, Err: os.NewSyscallError("connect", refused())}},
		"unreachable":          {&net.OpError{Op: "dial", Addr: port25, Err: os.NewSyscallError("connect", unreachable())}},
		"timeout_port_25":      {&net.OpError{Op: "dial", Addr: port25, Err: timeoutError{}}},
		"timeout":              {&net.OpError{Op: "dial", Addr: port465, Err: timeoutError{}}, os.ErrDeadlineExceeded, context.DeadlineExceeded},
		"canceled":             {context.Canceled},
		"not_tls":              {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}},
		"certificate_expired":  {x509.CertificateInvalidError{Reason: x509.Expired}},
		"certificate_name":     {x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"b.example"}}, Host: "a.example"}, x509.HostnameError{}},
		"provider_certificate": {x509.HostnameError{Certificate: leaf, Host: "smtp.company.cn"}},
		"untrusted":            {x509.UnknownAuthorityError{}, &tls.CertificateVerificationError{UnverifiedCertificates: []*x509.Certificate{{RawIssuer: []byte("a"), RawSubject: []byte("a")}}, Err: x509.UnknownAuthorityError{}}, x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}, x509.SystemRootsError{}},
		"client_certificate":   {tls.AlertError(116), &net.OpError{Op: "remote error", Err: tls.AlertError(42)}},
		"no_greeting":          {fmt.Errorf("%w: %w", smtpclient.ErrNoGreeting, io.EOF)},
		"tls_port":             {smtpclient.ErrTLSPort},
		"no_server_hello":      {fmt.Errorf("%w: %w", smtpclient.ErrNoServerHello, io.EOF), smtpclient.ErrNoServerHello},
		"incomplete_chain":     {&tls.CertificateVerificationError{UnverifiedCertificates: []*x509.Certificate{{RawIssuer: []byte("a"), RawSubject: []byte("b")}}, Err: x509.UnknownAuthorityError{}}},
		"no_names":             {x509.HostnameError{Certificate: &x509.Certificate{Subject: pkix.Name{CommonName: "a.example"}}, Host: "a.example"}},
		"tls_refused":          {&net.OpError{Op: "remote error", Err: tls.AlertError(40)}},
		"tls_version":          {tls.AlertError(70)},
		"token_refused":        {smtpclient.ErrTokenRefused},
		"consent":              {fmt.Errorf("wrapped: %w", namedKind("consent"))}, "oauth_client": {namedKind("oauth_client")}, "oauth_server": {namedKind("oauth_server")},
		"proxy_unreachable": {namedKind("proxy_unreachable")}, "proxy_login": {namedKind("proxy_login")}, "proxy_refused": {namedKind("proxy_refused")}, "login_refused": {namedKind("login_refused")}, "tls_not_used": {namedKind("tls_not_used")},
		"no_credentials": {namedKind("no_credentials")}, "weak_crypto": {namedKind("weak_crypto")}, "no_reason": {namedKind("no_reason")}, "no_recipient": {namedKind("no_recipient")},
		"no_recipient_domain": {namedKind("no_recipient_domain")}, "mail_loop": {namedKind("mail_loop")}, "smtputf8_on_the_way": {namedKind("smtputf8_on_the_way")},
		"tls":             {tls.AlertError(80), &net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}},
		"malformed_reply": {fmt.Errorf("%w: x", smtp.ErrMalformedReply)},
		"broken_pipe":     {&net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}, &net.OpError{Op: "write", Err: os.NewSyscallError("write", connectionReset())}},
		"closed":          {io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, io.ErrClosedPipe, &net.OpError{Op: "read", Err: os.NewSyscallError("read", connectionReset())}},
		"other":           {errors.New("odd")},
		"pin":             {smtpclient.ErrPinMismatch}, "starttls_missing": {smtpclient.ErrSTARTTLSNotOffered},
		"cleartext": {smtpclient.ErrCleartextPassword}, "injected": {smtpclient.ErrInjectedResponse},
		"server_not_verified": {smtpclient.ErrServerNotVerified}, "auth_not_offered": {smtpclient.ErrAuthNotOffered},
		"no_mechanism": {smtpclient.ErrNoMechanism}, "too_large": {smtpclient.ErrTooLarge},
		"needs_smtputf8": {smtpclient.ErrNeedsSMTPUTF8}, "header_needs_smtputf8": {smtpclient.ErrHeaderNeedsSMTPUTF8}, "needs_8bitmime": {smtpclient.ErrNeeds8BITMIME},
		"too_many_recipients": {smtpclient.ErrTooManyRecipients},
		"needs_dsn":           {smtpclient.ErrNeedsDSN}, "content": {smtpclient.ErrContent}, "another_refused": {smtpclient.ErrAnotherRefused},
	}
}

// Each row of errors is found by an error of each of its kinds at each of its stages, for its
// provider.
func TestEveryRowOfErrors(t *testing.T) {
	t.Parallel()
	all := samples(t)
	tried := 0
	for _, r := range rows(t) {
		for _, kind := range r.Errors {
			if len(all[kind]) == 0 {
				t.Errorf("row %s: no error of kind %s", r.ID, kind)
			}
			for _, stage := range r.At {
				for _, err := range all[kind] {
					for _, id := range providersOf(r) {
						tried++
						f := diagnosis.Diagnose(diagnosis.Fact{Stage: stage, Err: err, Provider: id})
						want := permanenceOf(r, 0)
						if r.Class == diagnosis.ClassReadPendingReply {
							want = diagnosis.UnknownPermanence
						}
						if f.Class != r.Class || f.Permanence != want || f.Row != r.ID {
							t.Errorf("row %s, %v at %s of %q: got %s %s of row %q, want %s %s",
								r.ID, err, stage, id, f.Class, f.Permanence, f.Row, r.Class, want)
						}
					}
				}
			}
		}
	}
	if tried < 25 {
		t.Errorf("only %d errors tried", tried)
	}
}

// Every kind has a meaning at a stage that no row covers.
func TestEveryKindOfError(t *testing.T) {
	t.Parallel()
	all := samples(t)
	for kind := range all {
		if !slices.Contains(diagnosis.ErrorKinds(), kind) {
			t.Errorf("kind %s is unknown", kind)
		}
	}
	for _, kind := range diagnosis.ErrorKinds() {
		if len(all[kind]) == 0 {
			t.Errorf("no error of kind %s", kind)
		}
		for _, err := range all[kind] {
			f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageMail, Err: err, Status: smtp.NotTried})
			if (f.Class == diagnosis.ClassUnclassified) != (kind == "other" || kind == "no_reason") {
				t.Errorf("%s (%v): %s", kind, err, f.Class)
			}
		}
	}
	// An error with an unknown kind is classified by the errors in it.
	if f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageMail, Err: errors.Join(namedKind("lunch"), io.EOF), Status: smtp.NotTried}); f.Class != diagnosis.ClassConnectionLost {
		t.Errorf("a kind that does not exist: %s", f.Class)
	}
	if f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageAuth, Err: errors.Join(namedKind("consent"), context.Canceled), Status: smtp.NotTried}); f.Class != diagnosis.ClassCancelled {
		t.Errorf("cancelled while a token was got: %s", f.Class)
	}
	if f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageTLS, Err: errors.New("tls: odd")}); f.Class != diagnosis.ClassTLSFailed {
		t.Errorf("an untyped error of the handshake: %s", f.Class)
	}
}
