package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/daemon"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/secrettest"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/sandboxtest"
)

// builtYan builds the command as users have it.
func builtYan(t testing.TB) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGTERM on Windows")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not here")
	}
	path, err := buildYan()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// buildFolder is the folder for buildYan, which TestMain makes and removes.
var buildFolder string

// buildYan builds the command once for all tests.
var buildYan = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildFolder, "yan")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/yanmail/yan/cmd/yan").CombinedOutput(); err != nil {
		return path, fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// binaryFixture runs the real program, with a server and an outbox.
type binaryFixture struct {
	dir, program, outbox string
	sandbox              *sandboxtest.Server
	store                outbox.Store // opened by this process
}

func newMachine(t testing.TB) *binaryFixture {
	t.Helper()
	dir := shortFolder(t)
	m := &binaryFixture{dir: dir, program: builtYan(t), outbox: filepath.Join(dir, "outbox.db"), sandbox: sandboxtest.Start(t, "plain")}
	config := fmt.Sprintf("[account.work]\nfrom = %q\nserver = %q\ntls_ca = %q\nsecret = { env = \"CODE\" }\n",
		m.sandbox.Login(), m.sandbox.URL(), m.sandbox.CAFile())
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if m.store, err = stores.Open(t.Context(), m.outbox, outbox.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.store.Close() })
	return m
}

// process is a running 'yan serve'.
type process struct {
	*exec.Cmd
	said   *capturedOutput
	client *daemon.Client
	ended  chan error
}

// serve starts the program and waits until it is ready.
func (m *binaryFixture) serve(t testing.TB, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(m.program, append([]string{"serve", "--outbox", m.outbox}, args...)...), said: newTold(), ended: make(chan error, 1)}
	p.Env = []string{"HOME=" + m.dir, "YAN_CONFIG=" + filepath.Join(m.dir, "config.toml"), "CODE=" + m.sandbox.Password(), "LANG=C"}
	p.Stdout, p.Stderr = p.said, p.said
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.Wait() }()
	t.Cleanup(func() { _ = p.Process.Kill() })
	p.said.waitFor(t, "msg=serving")
	c, err := daemon.Dial(t.Context(), daemon.SocketPath(m.outbox, func(string) string { return "" }))
	if err != nil {
		t.Fatalf("%v\n%s", err, p.said)
	}
	t.Cleanup(c.Close)
	if c.Found.PID != p.Process.Pid {
		t.Fatalf("process %d answers for %d", c.Found.PID, p.Process.Pid)
	}
	p.client = c
	return p
}

func (p *process) signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (p *process) end(t testing.TB) error {
	t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(servePatience):
		t.Fatalf("it does not end:\n%s", p.said)
		return nil
	}
}

func (m *binaryFixture) enqueue(t testing.TB, to string) {
	t.Helper()
	content, err := message.Compose(&message.Message{From: m.sandbox.Login(), To: []string{to}, Subject: "Hello", Text: "Hello World\n"})
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	envelope, err := content.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.store.Enqueue(t.Context(), outbox.NewMessage{Account: "work", Envelope: envelope, MessageID: content.MessageID(), Content: content}); err != nil {
		t.Fatal(err)
	}
}

// counts returns the recipients of the outbox by state.
func (m *binaryFixture) counts(t testing.TB) map[queue.State]int {
	t.Helper()
	s, err := m.store.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counts := map[queue.State]int{}
	for _, a := range s.Accounts {
		for state, n := range a.Count {
			counts[state] += n
		}
	}
	return counts
}

// TestServeBinary runs the real program: 200 messages that another process enqueues while it
// serves, stopped halfway and started again. The server gets each exactly once.
func TestServeBinary(t *testing.T) {
	t.Parallel()
	const messages, early = 200, 150
	m := newMachine(t)
	first := m.serve(t)
	for i := range early {
		m.enqueue(t, fmt.Sprintf("friend%d@example.org", i))
		if i == messages/2 {
			m.sandbox.WaitMessages(1)
			first.signal(t, syscall.SIGTERM)
		}
	}
	if err := first.end(t); err != nil {
		t.Fatalf("stopped by SIGTERM: %v\n%s", err, first.said)
	}
	between := m.counts(t)
	taken := len(m.sandbox.Messages())
	if between[queue.HandedOver] != taken || taken == 0 || between[queue.HandedOver]+between[queue.Queued] != early {
		t.Errorf("between the two, the server has %d messages and the outbox %v", taken, between)
	}
	if _, err := os.Stat(m.outbox + ".sock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	second := m.serve(t, "--log-level", "debug")
	for i := early; i < messages; i++ {
		m.enqueue(t, fmt.Sprintf("friend%d@example.org", i))
	}
	m.sandbox.WaitMessages(messages)
	second.signal(t, syscall.SIGTERM)
	if err := second.end(t); err != nil {
		t.Fatalf("stopped by SIGTERM: %v\n%s", err, second.said)
	}
	if got := m.counts(t); got[queue.HandedOver] != messages {
		t.Errorf("in the end the outbox has %v", got)
	}
	seen := map[string]int{}
	for _, received := range m.sandbox.Messages() {
		seen[strings.Join(received.To, ",")]++
	}
	for to, n := range seen {
		if n != 1 {
			t.Errorf("%s has the message %d times", to, n)
		}
	}
	if len(seen) != messages {
		t.Errorf("%d of %d have it", len(seen), messages)
	}
	for _, word := range []string{"friend", m.sandbox.Password(), m.sandbox.Login()} {
		if strings.Contains(first.said.String()+second.said.String(), word) {
			t.Errorf("the log holds %q", word)
		}
	}
}

// SIGHUP does not end it; a second SIGTERM ends it at once, whatever is in flight.
func TestServeSignals(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	p := m.serve(t, "--grace", "1h", "--log-level", "debug")
	p.signal(t, syscall.SIGHUP)
	p.said.waitFor(t, "configuration reloaded")
	m.enqueue(t, "body-stall@example.org")
	p.said.waitFor(t, "msg=marked") // it is in flight, and stays so
	p.signal(t, syscall.SIGTERM)
	p.said.waitFor(t, "msg=stopping")
	if s, err := p.client.Status(t.Context()); err != nil || !s.Stopping {
		t.Errorf("while it stops: %+v, %v", s, err)
	}
	p.signal(t, syscall.SIGTERM)
	var exit *exec.ExitError
	if err := p.end(t); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("the second signal: %v\n%s", err, p.said)
	}
}

// The program encrypts secrets at full cost, whatever the test variables say.
func TestProgramEncryptsAtFullCost(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	phrase := filepath.Join(home, "phrase")
	if err := os.WriteFile(phrase, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	login := exec.CommandContext(t.Context(), builtYan(t), "login", "me@example.org", "--server", "smtps://127.0.0.1:1", "--no-check", "--secret-stdin")
	login.Stdin = strings.NewReader(sandboxPassword + "\n")
	login.Env = []string{"HOME=" + home, "LANG=C", "YAN_PASSPHRASE_FILE=" + phrase, "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent", cheapFile()}
	if out, err := login.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := secrettest.FileWork(t, filepath.Join(home, ".config", "yan", "secrets.age")); got != secret.FullWork {
		t.Errorf("N is 2^%d, want 2^%d", got, secret.FullWork)
	}
}
