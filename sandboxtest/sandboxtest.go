// Package sandboxtest runs a mail provider on loopback for the tests of a
// program that sends mail. It speaks like QQ Mail, NetEase, Gmail or Microsoft
// 365, keeps the messages it accepts and misbehaves on request.
//
// In order of use:
//
//		func TestWelcomeMail(t *testing.T) {
//			server := sandboxtest.Start(t, "qq")
//			client, err := yan.Open(server.URL(), yan.Options{Password: server.Password(), ...})
//			...
//			message := server.WaitMessages(1)[0]
//			if message.Header("Subject") != "欢迎" { ... }
//		}
//
//	  - [Start] starts a server that ends with the test; [New] one that the
//	    caller closes. Options withhold extensions, set limits, add accounts.
//	  - [Server.URL], [Server.Login], [Server.Password] and [Server.CAFile] are
//	    what the tested program needs to log in over verified TLS.
//	  - [Server.Messages] and [Server.WaitMessages] return the accepted messages.
//	  - [WithFault] makes a stage fail; so does a magic recipient, like
//	    rcpt-550@example.org. [Faults] lists all faults.
//	  - [WithTokens] decides about OAuth 2.0 tokens, [WithLockAfter] locks
//	    accounts, [WithSenderRule] and [WithSenderAlias] limit the senders that a
//	    login may use.
//	  - [WithLimits], [WithMessagesPerConnection], [WithConnectionsAtOnce] and
//	    [WithMessageRate] set a provider's limits, announced or not; [WithQuirk]
//	    adds a behaviour that breaks clients which rely on more than the RFCs
//	    promise.
//	  - [Server.Violations] returns the program's violations of SMTP.
package sandboxtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/sandbox"
)

// Patience is how long [Server.WaitMessages] waits.
const Patience = 10 * time.Second

// Profiles lists the providers that a server can imitate: plain (every
// extension, no quirks), qq, netease, gmail and microsoft365; and Microsoft 365 once
// it refuses passwords: microsoft365-off while an administrator can allow them again,
// microsoft365-gone after that.
func Profiles() []string { return sandbox.Profiles() }

// Faults lists every fault, as words for [WithFault]. A word is
//
//	STAGE-ACTION       rcpt-cut  body-stall  ehlo-drip  quit-frame
//	STAGE-NNN[-x.y.z]  rcpt-450-4.2.1
//	auth-REASON        auth-apppassword: refused in the provider's own words
//	...-OCTETS         data-cut-1000: after 1000 octets of the message
//	...*TIMES          ehlo-502*1: only the first time
//	...+text           body-554+DT~SPM_rejected: _ stands for a space, ~ for a colon
//
// with the stages connect, tls, greeting, ehlo, starttls, auth, mail, rcpt,
// data, body (the reply to the end of the message), reset and quit. The same
// words are magic as the local part of a recipient, a sender or a login; they
// work once there. A word that names an earlier stage is accepted and takes
// effect the next time the server passes that stage.
func Faults() []string {
	var words []string
	for _, f := range sandbox.Faults() {
		words = append(words, f.String())
	}
	return words
}

// Server is a running mail provider. Its methods are safe for concurrent use.
type Server struct {
	server   *sandbox.Server
	tb       testing.TB // nil for New
	profile  string
	login    string
	password string
	dir      string
	log      *transcript
}

// Start starts a server with a profile ([Profiles]) and closes it at the end of
// the test. If the test fails, it logs the transcript, without secrets.
func Start(t testing.TB, profile string, opts ...Option) *Server {
	t.Helper()
	s, err := New(profile, opts...)
	if err != nil {
		t.Fatalf("sandboxtest: %v", err)
	}
	s.tb = t
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("sandboxtest: %v", err)
		}
		if t.Failed() {
			t.Logf("transcript of the mail server:\n%s", s.Transcript())
		}
	})
	return s
}

// New starts a server for use outside a test; the caller closes it.
func New(profile string, opts ...Option) (*Server, error) {
	setup := setup{}
	for _, o := range opts {
		if err := o(&setup); err != nil {
			return nil, err
		}
	}
	login, err := sandbox.DefaultLogin(profile)
	if err != nil {
		return nil, err
	}
	s := &Server{profile: profile, login: login, password: sandbox.Password, log: &transcript{}}
	cfg := setup.config
	cfg.Profile = profile
	cfg.Log = s.log.add
	if len(setup.accounts) > 0 {
		cfg.Accounts = map[string]string{}
		s.login, s.password = setup.accounts[0][0], setup.accounts[0][1]
		for _, a := range setup.accounts {
			cfg.Accounts[a[0]] = a[1]
		}
	}
	if s.server, err = sandbox.Start(cfg); err != nil {
		return nil, err
	}
	if err := s.writeFiles(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) writeFiles() error {
	dir, err := os.MkdirTemp("", "sandboxtest-")
	if err != nil {
		return fmt.Errorf("make a folder for the CA: %w", err)
	}
	s.dir = dir
	return s.server.WriteCA(s.CAFile())
}

// Close ends all connections, waits for them and removes the files. A server
// from [Start] need not be closed.
func (s *Server) Close() error {
	err := s.server.Close()
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// URL returns the server with TLS from the first byte:
// smtps://me%40qq.com@127.0.0.1:port.
func (s *Server) URL() string { return s.url("smtps", s.server.TLSAddr()) }

// StartTLSURL returns the server with STARTTLS:
// smtp://me%40qq.com@127.0.0.1:port.
func (s *Server) StartTLSURL() string { return s.url("smtp", s.server.SubmissionAddr()) }

// CleartextURL returns the port of StartTLSURL without encryption:
// smtp+notls://….
func (s *Server) CleartextURL() string { return s.url("smtp+notls", s.server.SubmissionAddr()) }

// LMTPURL returns lmtp://127.0.0.1:port, or "" without [WithLMTP].
func (s *Server) LMTPURL() string {
	if s.server.LMTPAddr() == "" {
		return ""
	}
	return "lmtp://" + s.server.LMTPAddr()
}

func (s *Server) url(scheme, addr string) string {
	return (&url.URL{Scheme: scheme, User: url.User(s.login), Host: addr}).String()
}

// TLSAddr returns host:port of the port with TLS from the first byte.
func (s *Server) TLSAddr() string { return s.server.TLSAddr() }

// Addr returns host:port of the port with STARTTLS.
func (s *Server) Addr() string { return s.server.SubmissionAddr() }

// Login returns the account: the first [WithAccount], or the profile's own,
// like me@qq.com. QQ and NetEase accept mail from this address only.
func (s *Server) Login() string { return s.login }

// Password returns the secret of Login, which is also its OAuth 2.0 token.
func (s *Server) Password() string { return s.password }

// TakesPasswords reports whether the profile accepts passwords. If not,
// [Server.Password] is an OAuth 2.0 token only.
func (s *Server) TakesPasswords() bool { return sandbox.TakesPasswords(s.profile) }

// CAFile returns a PEM file with the certificate authority to trust.
func (s *Server) CAFile() string { return filepath.Join(s.dir, "ca.pem") }

// CAPEM returns the content of CAFile.
func (s *Server) CAPEM() []byte { return s.server.CAPEM() }

// CertificatePEM returns the server's own certificate, for pinning.
func (s *Server) CertificatePEM() []byte { return s.server.CertificatePEM() }

// ClientCertificate writes a certificate of an account, for AUTH EXTERNAL, and
// its key to two PEM files.
func (s *Server) ClientCertificate(account string) (certFile, keyFile string, err error) {
	cert, key, err := s.server.ClientCertificate(account)
	if err != nil {
		return "", "", err
	}
	certFile, keyFile = filepath.Join(s.dir, "client.pem"), filepath.Join(s.dir, "client.key")
	if err := os.WriteFile(certFile, cert, 0o644); err != nil {
		return "", "", fmt.Errorf("write the client certificate: %w", err)
	}
	if err := os.WriteFile(keyFile, key, 0o600); err != nil {
		return "", "", fmt.Errorf("write the client's key: %w", err)
	}
	return certFile, keyFile, nil
}

// Messages returns the messages accepted so far, oldest first.
func (s *Server) Messages() []Message { return wrap(s.server.Messages()) }

// WaitMessages waits until n messages were accepted in total. If they don't
// come within [Patience] the test fails; without a test it returns those that
// came.
func (s *Server) WaitMessages(n int) []Message {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	messages, err := s.server.WaitMessages(ctx, n)
	if err != nil && s.tb != nil {
		s.tb.Helper()
		s.tb.Fatalf("sandboxtest: %v", err)
	}
	return wrap(messages)
}

// Disconnect closes every open connection; the server goes on listening.
func (s *Server) Disconnect() { s.server.Disconnect() }

// WaitIdle waits until no connection is open, at most [Patience], and reports
// whether that happened.
func (s *Server) WaitIdle() bool {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	return s.server.WaitIdle(ctx) == nil
}

// Violations returns the clients' violations of SMTP, each as a sentence: a
// bare LF, a command too early, a parameter that was not offered, a password on
// an unencrypted connection. It is empty for a correct client.
func (s *Server) Violations() []string {
	var list []string
	for _, v := range s.server.Violations() {
		list = append(list, v.String())
	}
	return list
}

// AddFault adds a fault of [Faults] to a running server; it happens each time
// its stage is passed.
func (s *Server) AddFault(word string) error {
	f, err := sandbox.ParseFault(word)
	if err != nil {
		return err
	}
	return s.server.AddFault(f)
}

// Connection holds the statistics of one connection.
type Connection struct {
	TLS      bool
	Resumed  bool   // the TLS session was resumed
	Login    string // "" without AUTH
	Turns    int    // flights of the client: the times it waited for a reply and went on
	Commands int
	Messages int  // accepted
	Open     bool // still open
}

// Connections returns the connections, oldest first.
func (s *Server) Connections() []Connection {
	var list []Connection
	for _, c := range s.server.Connections() {
		list = append(list, Connection{TLS: c.TLS, Resumed: c.Resumed, Login: c.Login, Turns: c.Turns,
			Commands: c.Commands, Messages: c.Messages, Open: c.Open})
	}
	return list
}

// Transcript returns the conversations as the server saw them, without secrets:
// "C:" is the client, "S:" the server, "*" a remark. It holds the last 2000
// lines.
func (s *Server) Transcript() string { return s.log.String() }

// transcript keeps the last lines of all conversations.
type transcript struct {
	mu    sync.Mutex
	lines []string
}

const transcriptLines = 2000

func (t *transcript) add(e sandbox.LogEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) >= 2*transcriptLines {
		t.lines = append([]string(nil), t.lines[transcriptLines:]...)
	}
	t.lines = append(t.lines, fmt.Sprintf("%d %s: %s", e.Conn, e.Side, e.Text))
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := t.lines[max(0, len(t.lines)-transcriptLines):]
	return strings.Join(lines, "\n")
}
