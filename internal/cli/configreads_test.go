package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/dnstest"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/sandboxtest"
)

// A command reads the configuration once, so that all parts see the same accounts even if the file
// changes meanwhile.
func TestConfigurationIsReadOnce(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	config := fmt.Sprintf("[account.work]\nfrom = %q\nserver = %q\ntls_ca = %q\nsecret = { env = \"CODE\" }\n", server.Login(), server.URL(), server.CAFile())
	dns := dnstest.Start(t, dnstest.Zone{}).Addr()
	store := outboxtest.NewModel(outboxtest.NewClock())
	for _, args := range [][]string{
		{"send", "-t", "you@example.org", "-s", "hi", "-b", "x"},
		{"send", "--queue", "-t", "you@example.org", "-s", "hi", "-b", "x"},
		{"queue", "run"},
		{"queue", "stats"},
		{"queue"},
		{"doctor", "--dns", dns},
		{"account", "list"},
		{"account", "show"},
		{"account", "test"},
		{"account", "edit", "work", "--set", "signature=x"},
		{"config", "check"},
	} {
		w, out, errs, _ := machineWith(t, config, "", nil)
		w.Getenv = withVariable(w.Getenv, "CODE", server.Password())
		w.OpenOutbox = func(context.Context, string, outbox.Options) (outbox.Store, error) { return unclosed{store}, nil }
		var reads atomic.Int32
		w.LoadConfig = func(path string) (*account.File, error) {
			reads.Add(1)
			return account.LoadLenient(path)
		}
		code := Run(t.Context(), args, w)
		if reads.Load() != 1 || code != command.ExitOK && args[0] != "doctor" {
			t.Errorf("%v: read %d times, exit status %d:\n%s%s", args, reads.Load(), code, out, errs)
		}
	}
}

// yan serve reads the configuration once at its start and once for each reload.
func TestServeReadsTheConfigurationOnce(t *testing.T) {
	t.Parallel()
	dir := shortFolder(t)
	s := &service{sandbox: sandboxtest.Start(t, "plain"), store: outboxtest.NewModel(outboxtest.NewClock()), out: newTold(), errs: newTold(),
		config: filepath.Join(dir, "config.toml"), socket: filepath.Join(dir, "s.sock"), hangups: make(chan os.Signal), ended: make(chan int, 1)}
	s.configure(t, "work")
	var reads atomic.Int32
	s.start(t, dir, func(w *Env) {
		w.LoadConfig = func(path string) (*account.File, error) {
			reads.Add(1)
			return account.LoadLenient(path)
		}
	})
	s.out.waitFor(t, s.socket)
	if n := reads.Load(); n != 1 {
		t.Errorf("read %d times at the start", n)
	}
	s.hangups <- os.Interrupt
	s.errs.waitFor(t, "configuration reloaded")
	if n := reads.Load(); n != 2 {
		t.Errorf("read %d times after a reload", n)
	}
	if code := s.end(t); code != command.ExitOK {
		t.Errorf("exit status %d:\n%s", code, s.errs)
	}
}

func withVariable(getenv func(string) string, name, value string) func(string) string {
	return func(asked string) string {
		if asked == name {
			return value
		}
		return getenv(asked)
	}
}
