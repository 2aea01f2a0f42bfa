package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/daemon"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/sandboxtest"
)

// servePatience limits the waits of the tests. It is reached only if something is wrong.
const servePatience = time.Minute

// capturedOutput collects the output of a running program.
type capturedOutput struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func newTold() *capturedOutput { return &capturedOutput{more: make(chan struct{}, 1)} }

func (w *capturedOutput) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
	return w.text.Write(p)
}

func (w *capturedOutput) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// waitFor waits until a text has been printed.
func (w *capturedOutput) waitFor(t testing.TB, text string) {
	t.Helper()
	late := time.After(servePatience)
	for !strings.Contains(w.String(), text) {
		select {
		case <-w.more:
		case <-late:
			t.Fatalf("waited in vain for %q; there is:\n%s", text, w)
		}
	}
}

// service is a 'yan serve' in this process.
type service struct {
	sandbox   *sandboxtest.Server
	store     *outboxtest.Model
	out, errs *capturedOutput
	config    string
	socket    string
	hangups   chan os.Signal
	stop      func()
	ended     chan int
}

// shortFolder returns a folder whose path is short enough for a socket.
func shortFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "yan")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func startServe(t *testing.T, args ...string) *service {
	t.Helper()
	dir := shortFolder(t)
	s := &service{sandbox: sandboxtest.Start(t, "plain"), store: outboxtest.NewModel(outboxtest.NewClock()), out: newTold(), errs: newTold(),
		config: filepath.Join(dir, "config.toml"), socket: filepath.Join(dir, "s.sock"), hangups: make(chan os.Signal), ended: make(chan int, 1)}
	s.configure(t, "work")
	s.start(t, dir, nil, args...)
	return s
}

// start runs 'yan serve' with the home dir; change may change its world.
func (s *service) start(t *testing.T, dir string, change func(*Env), args ...string) {
	t.Helper()
	w, _, _ := testEnv(map[string]string{"YAN_CONFIG": s.config, "HOME": dir, "CODE": s.sandbox.Password()})
	w.Stdout, w.Stderr, w.StdoutWidth, w.NoColor = s.out, s.errs, 80, true
	w.Hangups = func() (<-chan os.Signal, func()) { return s.hangups, func() {} }
	w.OpenOutbox = func(context.Context, string, outbox.Options) (outbox.Store, error) { return s.store, nil }
	if change != nil {
		change(&w)
	}
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	go func() { s.ended <- Run(ctx, append([]string{"serve", "--socket", s.socket}, args...), w) }()
	t.Cleanup(stop)
}

// configure writes a configuration with accounts of these names.
func (s *service) configure(t *testing.T, names ...string) {
	t.Helper()
	text := ""
	for _, name := range names {
		text += fmt.Sprintf("[account.%s]\nfrom = %q\nserver = %q\ntls_ca = %q\nsecret = { env = \"CODE\" }\n", name, s.sandbox.Login(), s.sandbox.URL(), s.sandbox.CAFile())
	}
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *service) enqueue(t *testing.T, account, to string) {
	t.Helper()
	content, err := message.Compose(&message.Message{From: s.sandbox.Login(), To: []string{to}, Subject: "Geheimnis", Text: "Hello World\n"})
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	envelope, err := content.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.Enqueue(t.Context(), outbox.NewMessage{Account: account, Envelope: envelope, MessageID: content.MessageID(), Content: content}); err != nil {
		t.Fatal(err)
	}
}

func (s *service) end(t *testing.T) int {
	t.Helper()
	s.stop()
	select {
	case code := <-s.ended:
		return code
	case <-time.After(servePatience):
		t.Fatal("it does not end")
		return 0
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	s := startServe(t, "--metrics", "0")
	s.out.waitFor(t, "metrics")
	s.enqueue(t, "work", "fraulein.alice@example.org")
	s.enqueue(t, "work", "rcpt-550@example.org")
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.errs)
		}
	})
	if got := s.sandbox.WaitMessages(1); len(got) != 1 {
		t.Fatalf("the server has %d messages", len(got))
	}
	s.errs.waitFor(t, "state=handed_over")
	s.errs.waitFor(t, "state=failed")
	if code := s.end(t); code != command.ExitOK {
		t.Errorf("exit status %d", code)
	}
	out := s.out.String()
	for _, want := range []string{"Ctrl-C", "outbox", "work (" + s.config + ")", s.socket, "http://127.0.0.1:"} {
		if !strings.Contains(out, want) {
			t.Errorf("a person does not see %q:\n%s", want, out)
		}
	}
	for _, word := range []string{"alice", "rcpt-550", "Geheimnis", "Hello World", s.sandbox.Password(), s.sandbox.Login()} {
		if strings.Contains(s.errs.String(), word) {
			t.Errorf("the log holds %q:\n%s", word, s.errs)
		}
	}
	if strings.Contains(out, "level=") {
		t.Errorf("the log is among what people read:\n%s", out)
	}
}

// An invalid configuration changes nothing; the next valid one is loaded.
func TestServeReloads(t *testing.T) {
	t.Parallel()
	s := startServe(t, "--log-json")
	s.out.waitFor(t, s.socket)
	if err := os.WriteFile(s.config, []byte("[account.work]\nfrom = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.hangups <- os.Interrupt
	s.errs.waitFor(t, "keeping the previous one")
	s.enqueue(t, "work", "friend@example.org")
	s.sandbox.WaitMessages(1)
	s.configure(t, "work", "home")
	c, err := daemon.Dial(t.Context(), s.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	told, err := c.Reload(t.Context())
	if err != nil || told.Error != "" || len(told.Accounts) != 2 {
		t.Errorf("the second: %+v, %v", told, err)
	}
	s.enqueue(t, "home", "friend@example.org")
	s.sandbox.WaitMessages(2)
	if code := s.end(t); code != command.ExitOK {
		t.Errorf("exit status %d", code)
	}
	lines := 0
	for line := range strings.Lines(s.errs.String()) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Errorf("not JSON: %s", line)
		}
		lines++
	}
	if lines < 5 {
		t.Errorf("only %d lines:\n%s", lines, s.errs)
	}
}

// Every reason why it does not start, or ends, has its exit status.
func TestServeExitStatus(t *testing.T) {
	t.Parallel()
	dir := shortFolder(t)
	file := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(file, []byte("[account.work]\nfrom = \"me@qq.com\"\nsecret = { env = \"CODE\" }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	busy, err := daemon.Listen(t.Context(), filepath.Join(dir, "busy.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	go func() { // the daemon never replies, so the wait must be limited
		for {
			c, err := busy.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	none := filepath.Join(dir, "none.toml")
	model := func() outbox.Store { return outboxtest.NewModel(outboxtest.NewClock()) }
	closed := outboxtest.NewModel(outboxtest.NewClock())
	_ = closed.Close()
	for name, test := range map[string]struct {
		config string
		store  outbox.Store
		err    error
		args   []string
		want   int
		says   string
	}{
		"a level that is none":     {file, model(), nil, []string{"--log-level", "loud"}, command.ExitUsage, "debug"},
		"no time at all":           {file, model(), nil, []string{"--grace", "0s"}, command.ExitUsage, "above zero"},
		"an address that is none":  {file, model(), nil, []string{"--metrics", "http"}, command.ExitUsage, "host:port"},
		"a password to be read":    {file, model(), nil, []string{"--outbox", "postgres://u:hunter2@h/d"}, command.ExitUsage, "command line"},
		"a URL of something else":  {file, model(), nil, []string{"--outbox", "mysql://u@h/d"}, command.ExitConfig, "postgres://"},
		"no account":               {none, model(), nil, nil, command.ExitConfig, "yan login"},
		"another one":              {file, model(), nil, []string{"--socket", filepath.Join(dir, "busy.sock")}, command.ExitTemporary, "another yan serve"},
		"no place for the socket":  {file, model(), nil, []string{"--socket", filepath.Join(file, "s.sock")}, command.ExitCantCreate, "--socket"},
		"an address of others":     {file, model(), nil, []string{"--metrics", "192.0.2.1:1"}, command.ExitUnavailable, "--metrics"},
		"an outbox by a newer yan": {file, nil, &queue.NewerError{Has: 9, Knows: 1}, nil, command.ExitConfig, "newer"},
		"a disk that fails":        {file, nil, queue.ErrBroken, nil, command.ExitIO, "written"},
		"a folder of others":       {file, nil, os.ErrPermission, nil, command.ExitCantCreate, "permission"},
		"a database that is down":  {file, nil, errors.New("connection refused"), []string{"--outbox", "postgres://u@h/d"}, command.ExitTemporary, "refused"},
		"a file of something else": {file, nil, errors.New("not a database"), nil, command.ExitIO, "not a database"},
		"an outbox that is closed": {file, closed, nil, []string{"--socket", filepath.Join(dir, "closed.sock")}, command.ExitIO, "closed"},
	} {
		for _, lang := range []string{"en", "zh"} {
			w, out, errs := testEnv(map[string]string{"YAN_CONFIG": test.config, "HOME": dir, "CODE": "x", "LANG": lang})
			w.OpenOutbox = func(context.Context, string, outbox.Options) (outbox.Store, error) { return test.store, test.err }
			code := Run(t.Context(), append([]string{"serve"}, test.args...), w)
			if code != test.want || lang == "en" && !strings.Contains(errs.String(), test.says) {
				t.Errorf("%s: exit status %d, want %d:\n%s%s", name, code, test.want, out, errs)
			}
			if strings.Contains(errs.String(), "hunter2") {
				t.Errorf("%s: it tells the password:\n%s", name, errs)
			}
		}
	}
}

// 'yan queue resume' ends a rest that only the running 'yan serve' knows.
func TestServeIsResumed(t *testing.T) {
	t.Parallel()
	s := startServe(t)
	s.out.waitFor(t, "Ctrl-C")
	missing := filepath.Join(filepath.Dir(s.config), "work.code")
	text := fmt.Sprintf("[account.work]\nfrom = %q\nserver = %q\ntls_ca = %q\nsecret = { file = %q }\n", s.sandbox.Login(), s.sandbox.URL(), s.sandbox.CAFile(), missing)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.hangups <- os.Interrupt
	s.errs.waitFor(t, "reloaded")
	s.enqueue(t, "work", "friend@example.org")
	s.errs.waitFor(t, "work.code")
	if err := os.WriteFile(missing, []byte(s.sandbox.Password()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w, out, errs := testEnv(map[string]string{"YAN_CONFIG": s.config, "HOME": filepath.Dir(s.config)})
	w.OpenOutbox = func(context.Context, string, outbox.Options) (outbox.Store, error) { return kept{s.store}, nil }
	if code := Run(t.Context(), []string{"queue", "resume", "work"}, w); code != command.ExitOK || !strings.Contains(out.String(), "account work resumed") {
		t.Errorf("exit status %d\n%s%s", code, out, errs)
	}
	s.sandbox.WaitMessages(1)
}

// kept is a store that stays open after a command has used it.
type kept struct{ outbox.Store }

func (kept) Close() error { return nil }
