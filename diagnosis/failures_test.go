package diagnosis_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/testing/dnstest"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
)

// failing is a failure provoked by a test, and its fact.
type failing struct {
	name string
	fact func(*testing.T) diagnosis.Fact
}

// soon is how long the tests wait for a silent server; it is long enough for a busy machine.
const soon = 2 * time.Second

// sending sends a message with the module's own client.
func sending(provider string, open func(*testing.T) (url string, o yan.Options)) func(*testing.T) diagnosis.Fact {
	return func(t *testing.T) diagnosis.Fact {
		t.Helper()
		url, o := open(t)
		client, err := yan.Open(url, o)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		patience := sandboxtest.Patience
		if strings.Contains(t.Name(), "silent") {
			patience = soon
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		result, err := client.Send(ctx, yan.Message{From: "me@example.org", To: []string{"a@example.com"}, Subject: "hello", Text: "hello"})
		if err == nil || len(result.Recipients) != 1 {
			t.Fatalf("nothing failed: %v", result.Recipients)
		}
		return diagnosis.FromOutcome(result.Recipients[0], provider)
	}
}

// coversStage opens a sandbox server over TLS.
func coversStage(profile string, o yan.Options, options ...sandboxtest.Option) func(*testing.T) (string, yan.Options) {
	return func(t *testing.T) (string, yan.Options) {
		s := sandboxtest.Start(t, profile, options...)
		if o.CAFile == "" && o.Pin == "" {
			o.CAFile = s.CAFile()
		}
		return s.URL(), o
	}
}

// through opens a proxy that answers each client with these octets.
func through(scheme, answer string) func(*testing.T) (string, yan.Options) {
	return func(t *testing.T) (string, yan.Options) {
		address := answering(t, answer)
		return "smtps://127.0.0.1:1", yan.Options{Proxy: scheme + "://" + address}
	}
}

// answering returns the address of a server that sends the same to every client, part by part:
// each part ends in "|" and follows some input.
func answering(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 10 {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			for part := range strings.SplitSeq(answer, "|") {
				_, _ = conn.Read(make([]byte, 64<<10))
				_, _ = io.WriteString(conn, part)
			}
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// dialing connects to a name that may be missing in the test's DNS server.
func dialing(name string) func(*testing.T) diagnosis.Fact {
	return func(t *testing.T) diagnosis.Fact {
		t.Helper()
		dns := dnstest.Start(t, dnstest.Zone{"broken.example": {"SERVFAIL"}, "silent.example": {"SILENCE"}, "corp.example": {"MX 10 mx.corp.example"}})
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		d := net.Dialer{Resolver: dns.Resolver()}
		conn, err := d.DialContext(ctx, "tcp", name+".:465")
		if err == nil {
			conn.Close()
			t.Fatal("there is such a host")
		}
		return diagnosis.Fact{Stage: smtp.StageConnect, Err: err, Status: smtp.NotTried}
	}
}

// shaking performs a handshake with a server on loopback.
func shaking(host string, expires time.Duration, names []string, trusted bool, serve func(tls.Certificate) func(net.Conn)) func(*testing.T) diagnosis.Fact {
	return func(t *testing.T) diagnosis.Fact {
		t.Helper()
		cert, roots := certificate(t, time.Now().Add(expires), names...)
		if !trusted {
			roots = x509.NewCertPool()
		}
		err := handshake(t, host, roots, serve(cert))
		if err == nil {
			t.Fatal("the handshake succeeded")
		}
		return diagnosis.Fact{Stage: smtp.StageTLS, Err: err, Status: smtp.NotTried}
	}
}

func good(cert tls.Certificate) func(net.Conn)   { return serveTLS(cert, 0) }
func tooOld(cert tls.Certificate) func(net.Conn) { return serveTLS(cert, tls.VersionTLS10) }
func plain(tls.Certificate) func(net.Conn)       { return servePlain }

// writing writes to a server that has reset the connection.
func writing(t *testing.T) diagnosis.Fact {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := far.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	far.Close()
	for range 10_000 {
		if _, err := near.Write(make([]byte, 64<<10)); err != nil {
			return diagnosis.Fact{Stage: smtp.StageBody, Err: err, Status: smtp.NotTried}
		}
	}
	t.Fatal("writing to a closed connection never fails")
	return diagnosis.Fact{}
}

// failures are real failures of the connection, of TLS and of the login for which the reply is
// missing or meaningless.
func failures() []failing {
	const name = "mail.example.com"
	day, own, theirs := 24*time.Hour, []string{name}, []string{name, "*.qiye.163.com"}
	password := yan.Options{Password: "yansandboxsecret"}
	pin := yan.Options{Pin: "sha256:" + strings.Repeat("00", 32)}
	lockstep := sandboxtest.WithoutExtension("PIPELINING", "CHUNKING")
	nobody := func(string, string) bool { return false }
	return []failing{
		{"name that does not exist", dialing("nowhere.example")},
		{"name without an address", dialing("corp.example")},
		{"name server that fails", dialing("broken.example")},
		{"name server that is silent", dialing("silent.example")},
		{"port without a server", sending("", func(t *testing.T) (string, yan.Options) { return "smtps://" + closedPort(t), yan.Options{} })},
		{"reset instead of a greeting", sending("", coversStage("plain", yan.Options{}, sandboxtest.WithFault("greeting-rst")))},
		{"cut at MAIL", sending("", coversStage("plain", yan.Options{}, lockstep, sandboxtest.WithFault("mail-cut")))},
		{"cut at the end", sending("", coversStage("plain", yan.Options{}, sandboxtest.WithFault("body-cut")))},
		{"cut at the login", sending("", coversStage("plain", password, sandboxtest.WithFault("auth-cut")))},
		{"cut at QQ's login", sending("qq", coversStage("qq", password, sandboxtest.WithFault("auth-cut")))},
		{"535 and hung up", sending("qq", coversStage("qq", yan.Options{Password: "wrong"}))},
		{"silent greeting", sending("", coversStage("plain", yan.Options{}, sandboxtest.WithFault("greeting-stall")))},
		{"silent at MAIL", sending("", coversStage("plain", yan.Options{}, lockstep, sandboxtest.WithFault("mail-stall")))},
		{"no greeting, in plain text", sending("", func(t *testing.T) (string, yan.Options) {
			return sandboxtest.Start(t, "plain", sandboxtest.WithFault("greeting-cut")).CleartextURL(), yan.Options{}
		})},
		{"silent at the end", sending("", coversStage("plain", yan.Options{}, sandboxtest.WithFault("body-stall")))},
		{"TLS to a port without", sending("", func(t *testing.T) (string, yan.Options) {
			s := sandboxtest.Start(t, "plain")
			return "smtps://" + s.Addr(), yan.Options{CAFile: s.CAFile()}
		})},
		{"silent TLS port, in plain text", sending("", func(t *testing.T) (string, yan.Options) {
			return "smtp+notls://" + sandboxtest.Start(t, "plain").TLSAddr(), yan.Options{}
		})},
		{"no STARTTLS", sending("", func(t *testing.T) (string, yan.Options) {
			return sandboxtest.Start(t, "plain", sandboxtest.WithoutExtension("STARTTLS")).StartTLSURL(), yan.Options{}
		})},
		{"bytes pushed in before TLS", sending("", func(t *testing.T) (string, yan.Options) {
			return sandboxtest.Start(t, "plain", sandboxtest.WithFault("starttls-inject")).StartTLSURL(), yan.Options{}
		})},
		{"nonsense instead of TLS", sending("", coversStage("plain", yan.Options{}, sandboxtest.WithFault("tls-garbage")))},
		{"nonsense at EHLO", sending("", coversStage("plain", yan.Options{}, sandboxtest.WithFault("ehlo-garbage")))},
		{"plain text instead of TLS", shaking(name, day, own, true, plain)},
		{"unknown authority", shaking(name, day, own, false, good)},
		{"self-signed", sending("", coversStage("plain", yan.Options{}, sandboxtest.WithCertificate("self-signed")))},
		{"expired", shaking(name, -day, own, true, good)},
		{"wrong name", shaking("smtp.company.cn", day, own, true, good)},
		{"provider's certificate", shaking("smtp.company.cn", day, theirs, true, good)},
		{"other fingerprint", sending("", coversStage("plain", pin))},
		{"TLS too old", shaking(name, day, own, true, tooOld)},
		{"client certificate, TLS 1.3", sending("", coversStage("plain", yan.Options{}, sandboxtest.WithClientCertificateRequired()))},
		{"client certificate, TLS 1.2", sending("", coversStage("plain", yan.Options{}, sandboxtest.WithClientCertificateRequired(), sandboxtest.WithMaxTLS(tls.VersionTLS12)))},
		{"broken pipe", writing},
		{"password in plain text", sending("", func(t *testing.T) (string, yan.Options) {
			return sandboxtest.Start(t, "plain", sandboxtest.WithCleartextPassword(), sandboxtest.WithMechanisms("PLAIN")).CleartextURL(), password
		})},
		{"no mechanism in common", sending("", coversStage("plain", password, sandboxtest.WithMechanisms("XOAUTH2")))},
		{"no login offered", sending("", coversStage("plain", password, sandboxtest.WithoutExtension("AUTH")))},
		{"token that Google refuses", sending("gmail", coversStage("gmail", yan.Options{Token: "old"}, sandboxtest.WithTokens(nobody)))},
		{"token that Microsoft refuses", sending("office365", coversStage("microsoft365", yan.Options{Token: "old"}, sandboxtest.WithTokens(nobody)))},
		{"token that nobody knows refuses", sending("", coversStage("plain", yan.Options{Token: "old", Mechanism: "OAUTHBEARER"}, sandboxtest.WithTokens(nobody)))},
		{"token and too many logins", sending("gmail", coversStage("gmail", yan.Options{Token: "old"}, sandboxtest.WithFault("auth-toomany")))},
		{"no proxy", sending("", func(t *testing.T) (string, yan.Options) {
			return "smtps://127.0.0.1:1", yan.Options{Proxy: "http://" + closedPort(t)}
		})},
		{"no SOCKS proxy", sending("", func(t *testing.T) (string, yan.Options) {
			return "smtps://127.0.0.1:1", yan.Options{Proxy: "socks5://" + closedPort(t)}
		})},
		{"proxy that wants a login", sending("", through("http", "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"))},
		{"SOCKS proxy that wants a login", sending("", through("socks5", "\x05\xff"))},
		{"proxy that refuses", sending("", through("http", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"))},
		{"SOCKS proxy that refuses", sending("", through("socks5", "\x05\x00|\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"))},
		{"proxy that is none", sending("", through("http", "220 mail.example.org ESMTP\r\n\r\n"))},
		{"silent proxy", sending("", through("http", "|"))},
		{"cancelled", func(t *testing.T) diagnosis.Fact {
			s := sandboxtest.Start(t, "plain", sandboxtest.WithFault("mail-stall"))
			client, err := yan.Open(s.URL(), yan.Options{CAFile: s.CAFile()})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			result, err := client.Send(ctx, yan.Message{From: "me@example.org", To: []string{"a@example.com"}, Subject: "hello", Text: "hello"})
			if err == nil {
				t.Fatal("nothing failed")
			}
			return diagnosis.FromOutcome(result.Recipients[0], "")
		}},
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	var op *net.OpError
	if err := dialClosedPort(t); !errors.As(err, &op) {
		t.Fatal(err)
	}
	return op.Addr.String()
}

// Each failure as a user sees it: the event, the cause, the advice. Read testdata/failures.golden
// in review.
func TestFailures(t *testing.T) {
	t.Parallel()
	all := failures()
	seen := make([]string, len(all))
	t.Run("all", func(t *testing.T) {
		for i, f := range all {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				fact := f.fact(t)
				finding := diagnosis.Diagnose(fact)
				seen[i] = shown(f.name, finding)
				if finding.Class == diagnosis.ClassUnclassified {
					t.Errorf("%v (%T) means nothing", fact.Err, fact.Err)
				}
			})
		}
	})
	compare(t, "testdata/failures.golden", strings.Join(seen, "\n"))
}

// shown formats a finding in both languages, without the provider's menus.
func shown(name string, f diagnosis.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  %s about the %s, %s, retry: %s\n", name, f.Class, f.Scope, f.Permanence, f.Retry)
	for _, line := range []string{f.Cause.EN, f.Hint.EN, f.Advice.EN, f.Cause.ZH, f.Hint.ZH, f.Advice.ZH} {
		if line != "" {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	return b.String()
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("%s says something else; look at the change and run with -update. Got\n%s", file, got)
	}
}

// Failures of an access token, of all kinds.
func TestOAuthFailures(t *testing.T) {
	t.Parallel()
	for problem, want := range map[oauth.Problem]diagnosis.Class{
		oauth.NoClientID: diagnosis.ClassAuthClientRefused, oauth.NoDevice: diagnosis.ClassAuthClientRefused, oauth.BadURL: diagnosis.ClassAuthClientRefused,
		oauth.BadClient: diagnosis.ClassAuthClientRefused, oauth.BadScope: diagnosis.ClassAuthClientRefused,
		oauth.Unreachable: diagnosis.ClassAuthServerAway, oauth.Untrusted: diagnosis.ClassAuthServerAway, oauth.Failing: diagnosis.ClassAuthServerAway, oauth.Busy: diagnosis.ClassAuthServerAway,
		oauth.Denied: diagnosis.ClassAuthConsentNeeded, oauth.Expired: diagnosis.ClassAuthConsentNeeded, oauth.ConsentEnded: diagnosis.ClassAuthConsentNeeded,
		oauth.StillRefused: diagnosis.ClassAuthTokenRefused, oauth.Rejected: diagnosis.ClassUnclassified, oauth.Unsaved: diagnosis.ClassUnclassified,
	} {
		// An error underneath, like a name that was not found, does not concern the mail server.
		err := fmt.Errorf("a token: %w", &oauth.Error{Problem: problem, Host: "login.example", Err: errors.New("odd")})
		f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageAuth, Err: err, Status: smtp.NotTried})
		if f.Class != want || f.Scope != diagnosis.ScopeAccount {
			t.Errorf("%s: %s about the %s, want %s", problem, f.Class, f.Scope, want)
		}
	}
}

// Linux has no route to the broadcast address, and sends nothing.
func TestNoRoute(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("other systems answer otherwise")
	}
	conn, err := net.DialTimeout("tcp", "255.255.255.255:465", time.Second)
	if err == nil {
		conn.Close()
		t.Fatal("the broadcast address answers")
	}
	f := diagnosis.Diagnose(diagnosis.Fact{Stage: smtp.StageConnect, Err: err})
	if f.Class != diagnosis.ClassNetworkUnreachable || f.Scope != diagnosis.ScopeConnection || f.Retry.Kind != diagnosis.RetryTransient {
		t.Errorf("%v: %s, %s, %s", err, f.Class, f.Scope, f.Retry)
	}
}
