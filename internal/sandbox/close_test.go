package sandbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/smtp"
)

// After Close none of the server's goroutines is left, whatever state its
// connections were in.
func TestCloseEndsEverything(t *testing.T) { // not parallel: it looks at all goroutines
	faults := []Fault{
		{Stage: smtp.StageData, Action: Stall, Octets: 10, Times: 1},
		{Stage: smtp.StageTLS, Action: Stall, Times: 1},
		{Stage: smtp.StageBody, Action: Stall, Times: 1},
	}
	s, err := Start(Config{LMTPAddr: "127.0.0.1:0", Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		dial(t, s, s.SubmissionAddr()).wantGreeting() // waits for EHLO
	}
	dial(t, s, s.TLSAddr()) // stalls, or waits for the handshake
	dial(t, s, s.TLSAddr())
	for range 2 { // stalls in the message, and at its end
		c := dial(t, s, s.LMTPAddr())
		c.wantGreeting()
		c.want("250", "LHLO client.example")
		c.want("250", "MAIL FROM:<>")
		c.want("250", "RCPT TO:<a@example.com>")
		c.want("354", "DATA")
		c.send("0123456789\r\n.\r\n")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<20)
	stacks := string(buf[:runtime.Stack(buf, true)])
	if strings.Contains(stacks, "sandbox.(*serverSession)") || strings.Contains(stacks, "sandbox.(*Server).acceptConns") {
		t.Errorf("goroutines are left:\n%s", stacks)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := net.Dial("tcp", s.TLSAddr()); err == nil {
		t.Error("the port is still open")
	}
	for _, c := range s.Connections() {
		if c.Open {
			t.Errorf("connection %d is still open", c.ID)
		}
	}
}

func TestListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", ":0", "localhost:0", "[::]:0", "192.0.2.1:0", "127.0.0.2:0", "8025", "127.0.0.1:x"} {
		for _, cfg := range []Config{{SubmissionAddr: addr}, {TLSAddr: addr}, {LMTPAddr: addr}} {
			s, err := Start(cfg)
			if err == nil {
				t.Errorf("%q was accepted", addr)
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			} else if !strings.Contains(err.Error(), "listen on") {
				t.Errorf("%q: %v", addr, err)
			}
		}
	}
}

func TestStartRefusesNonsense(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]Config{
		`no profile "hotmail"; there are plain, qq`: {Profile: "hotmail"},
		"negative":                        {MaxSize: -1},
		`no mechanism "NTLM"`:             {Mechanisms: []string{"NTLM"}},
		"has no action":                   {Faults: []Fault{{Stage: smtp.StageTLS, Action: Drip}}},
		`certificate "stolen" is none of`: {Certificate: "stolen"},
		"no reply code":                   {Faults: []Fault{{Stage: smtp.StageRcpt, Action: Reply}}},
		`stage "" has no action`:          {Faults: []Fault{{}}},
	} {
		if _, err := Start(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// The result of a verifying client for each certificate.
func TestCertificates(t *testing.T) {
	t.Parallel()
	for _, kind := range Certificates() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := start(t, Config{Profile: "qq", Certificate: kind})
			for _, name := range []string{"localhost", "127.0.0.1", "::1", "smtp.qq.com"} {
				c := dial(t, s, s.TLSAddr())
				err := c.secure(&tls.Config{RootCAs: s.pool(t), ServerName: name}, patient)
				var invalid x509.CertificateInvalidError
				var unknown x509.UnknownAuthorityError
				var wrongName x509.HostnameError
				ok := err == nil
				switch kind {
				case ExpiredCertificate:
					ok = errors.As(err, &invalid) && invalid.Reason == x509.Expired
				case SelfSignedCertificate:
					ok = errors.As(err, &unknown)
				case WrongNameCertificate:
					ok = errors.As(err, &wrongName)
				}
				if !ok {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

func TestWriteCA(t *testing.T) {
	t.Parallel()
	s := start(t, Config{})
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := s.WriteCA(path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != string(s.CAPEM()) {
		t.Errorf("%q, %v", got, err)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := s.WriteCA(filepath.Join(path, "below")); err == nil {
		t.Error("no error for a directory that does not exist")
	}
}

func TestRequireClientCertificate(t *testing.T) {
	t.Parallel()
	s := start(t, Config{RequireClientCertificate: true, MaxTLS: tls.VersionTLS12}) // TLS 1.2 reports the missing certificate in the handshake
	if err := dial(t, s, s.TLSAddr()).secure(&tls.Config{RootCAs: s.pool(t), ServerName: "localhost"}, patient); err == nil {
		t.Error("a client without a certificate was let in")
	}
	withCertificate(t, s, "me@example.org").want("235", "AUTH EXTERNAL =")
}

// A client that sends nothing gets a 421 and is disconnected.
func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	s := start(t, Config{IdleTimeout: 20 * time.Millisecond})
	c := dial(t, s, s.SubmissionAddr())
	c.wantGreeting()
	if a := c.read(patient); a.code != "421" {
		t.Errorf("%s %q", a.kind, a.raw)
	}
	c.wantEnd()
}

func TestWaitMessagesEnds(t *testing.T) {
	t.Parallel()
	s := start(t, Config{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.WaitMessages(ctx, 1); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "wait for 1 messages, 0 came") {
		t.Error(err)
	}
}

// TLS sessions are resumed, and the statistics count it.
func TestResumption(t *testing.T) {
	t.Parallel()
	s := start(t, Config{})
	cache := tls.NewLRUClientSessionCache(1)
	for range 2 {
		c := dial(t, s, s.TLSAddr())
		cfg := c.tlsConfig()
		cfg.ClientSessionCache = cache
		if err := c.secure(cfg, patient); err != nil {
			t.Fatal(err)
		}
		c.wantGreeting() // the session ticket comes with the greeting
	}
	if got := s.Connections(); len(got) != 2 || got[0].Resumed || !got[1].Resumed || !got[1].TLS {
		t.Errorf("%+v", got)
	}
}

func TestMaxConnections(t *testing.T) {
	t.Parallel()
	s := start(t, Config{MaxConnections: 1})
	dial(t, s, s.SubmissionAddr()).wantGreeting()
	c, err := tryDial(t, s, s.SubmissionAddr())
	if err == nil {
		c.wantEnd()
	}
	if got := len(s.Connections()); got != 1 {
		t.Errorf("%d connections", got)
	}
}

// Close returns after the last session has ended, not before.
func TestCloseWaits(t *testing.T) {
	t.Parallel()
	ending, release := make(chan struct{}), make(chan struct{})
	s, err := Start(Config{Log: func(e LogEvent) {
		if strings.HasPrefix(e.Text, "closed: ") {
			close(ending)
			<-release
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	dial(t, s, s.SubmissionAddr()).wantGreeting()
	done := make(chan error, 1)
	go func() { done <- s.Close() }()
	<-ending
	for range 10_000 { // time enough for a Close that does not wait
		runtime.Gosched()
	}
	select {
	case <-done:
		t.Error("closed while a session was running")
	default:
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
