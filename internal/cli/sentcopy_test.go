package cli

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/sandboxtest"
)

// mailbox is an IMAP server on loopback with one user and a Sent folder.
type mailbox struct {
	url, ca string
	user    *imapmemserver.User
	mu      sync.Mutex
	logins  int
}

func (m *mailbox) sent(t *testing.T) uint32 {
	t.Helper()
	data, err := m.user.Status("Sent", &imap.StatusOptions{NumMessages: true})
	if err != nil {
		t.Fatal(err)
	}
	return *data.NumMessages
}

func (m *mailbox) loginCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.logins
}

// countedSession counts the logins.
type countedSession struct {
	imapserver.Session
	m *mailbox
}

func (s countedSession) Login(user, password string) error {
	s.m.mu.Lock()
	s.m.logins++
	s.m.mu.Unlock()
	return s.Session.Login(user, password)
}

func startMailbox(t *testing.T, login, password string) *mailbox {
	t.Helper()
	certificate, ca := selfSigned(t)
	m := &mailbox{user: imapmemserver.NewUser(login, password), ca: ca}
	if err := m.user.Create("Sent", &imap.CreateOptions{SpecialUse: []imap.MailboxAttr{imap.MailboxAttrSent}}); err != nil {
		t.Fatal(err)
	}
	memory := imapmemserver.New()
	memory.AddUser(m.user)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return countedSession{memory.NewSession(), m}, nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapSpecialUse: {}},
	})
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	m.url = "imaps://" + listener.Addr().String()
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends with the server
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	return m
}

// selfSigned returns a certificate for 127.0.0.1, and the same in PEM as its authority.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// keepsCopies returns a configuration whose account has a mailbox.
func keepsCopies(t *testing.T, s *sandboxtest.Server, m *mailbox, keys string) map[string]string {
	t.Helper()
	authorities, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, append(authorities, m.ca...), 0o600); err != nil {
		t.Fatal(err)
	}
	config := "[account.one]\nfrom = \"one@example.org\"\nserver = \"{one.url}\"\nuser = \"{one.login}\"\nsecret.file = \"one.code\"\ntls_ca = \"" + ca + "\"\nimap = \"" + m.url + "\"\n" + keys
	return clitest.WriteConfig(t, config, map[string]*sandboxtest.Server{"one": s})
}

func TestSentCopy(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	m := startMailbox(t, s.Login(), s.Password())
	env := keepsCopies(t, s, m, "save_sent = true\n")
	code, out, errs := run(t.Context(), env, "send", "-t", "a@example.org", "-b", "x")
	if code != command.ExitOK || !strings.Contains(out, "copy saved in Sent") || m.sent(t) != 1 {
		t.Errorf("exit status %d, %d copies\n%s%s", code, m.sent(t), out, errs)
	}
	code, out, errs = run(t.Context(), env, "send", "-t", "a@example.org", "-b", "x", "--json")
	lines := strings.SplitAfter(strings.TrimSpace(out), "\n")
	var copied jsonout.SentCopy
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &copied); err != nil || len(lines) != 2 || !strings.Contains(lines[0], `"status":"sent"`) ||
		copied.Event != "sent_copy" || copied.Folder != "Sent" || copied.MessageID == "" || m.sent(t) != 2 {
		t.Errorf("exit status %d, %v, copy %+v\n%s%s", code, err, copied, out, errs)
	}
	for _, refused := range []string{"rcpt-550@example.org", "body-554@example.org", "body-cut@example.org"} {
		if code, _, _ := run(t.Context(), env, "send", "-t", refused, "-b", "x"); code == command.ExitOK || m.sent(t) != 2 {
			t.Errorf("%s: exit status %d, %d copies of a message that no recipient is known to have", refused, code, m.sent(t))
		}
	}
	dir, logins := t.TempDir(), m.loginCount()
	for _, name := range []string{"1.eml", "2.eml", "3.eml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("From: one@example.org\r\nTo: a@example.org\r\n\r\nx\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, errs := run(t.Context(), env, "send", "--raw", dir); code != command.ExitOK || m.sent(t) != 5 || m.loginCount() != logins+1 {
		t.Errorf("a run: exit status %d, %d copies, %d logins\n%s", code, m.sent(t), m.loginCount()-logins, errs)
	}
	env = keepsCopies(t, s, m, "")
	if code, out, _ := run(t.Context(), env, "send", "-t", "a@example.org", "-b", "x"); code != command.ExitOK || m.sent(t) != 5 {
		t.Errorf("without save_sent: exit status %d, %d copies\n%s", code, m.sent(t), out)
	}
}

// The outcome of a message is printed before its copy is saved, so that a silent mailbox can't
// delay it.
func TestResultBeforeSentCopy(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections and never replies
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, format := range [][]string{nil, {"--json"}} {
		env := keepsCopies(t, s, &mailbox{url: "imaps://" + silent.Addr().String()}, "save_sent = true\n")
		ctx, cancel := context.WithCancel(t.Context())
		w, _, errs := testEnv(env)
		printed := &waitedFor{text: "accepted", found: cancel} // Ctrl-C once it is printed
		w.Stdout = printed
		code := Run(ctx, append([]string{"send", "-t", "a@example.org", "-b", "x"}, format...), w)
		if code != command.ExitOK || ctx.Err() == nil {
			t.Errorf("exit status %d\n%s%s", code, printed, errs)
		}
		cancel()
	}
}

// waitedFor calls found when a text was written.
type waitedFor struct {
	bytes.Buffer
	text  string
	found func()
}

func (w *waitedFor) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if strings.Contains(w.String(), w.text) {
		w.found()
	}
	return n, err
}

// An error of a copy does not change the outcome of the message, and a refused login is not
// repeated for each message.
func TestSentCopyThatFails(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	m := startMailbox(t, s.Login(), "another password")
	for lang, want := range map[string]string{"en": "The message was sent, but no copy was saved", "zh": "邮件已发出，但未能在已发送文件夹保存副本"} {
		dir := t.TempDir()
		for _, name := range []string{"1.eml", "2.eml", "3.eml"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("From: one@example.org\r\nTo: a@example.org\r\n\r\nx\r\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		env := keepsCopies(t, s, m, "save_sent = \"always\"\n")
		env["LANG"] = lang
		before := m.loginCount()
		code, out, errs := run(t.Context(), env, "send", "--raw", dir)
		if code != command.ExitOK || strings.Count(errs, want) != 1 || strings.Contains(out, "copy") {
			t.Errorf("exit status %d\n%s%s", code, out, errs)
		}
		if got := m.loginCount() - before; got != 1 {
			t.Errorf("logged in %d times", got)
		}
		if strings.Contains(out+errs, s.Password()) {
			t.Error("the password is shown")
		}
	}
	if got := len(s.Messages()); got != 6 {
		t.Errorf("%d messages were sent", got)
	}
}
