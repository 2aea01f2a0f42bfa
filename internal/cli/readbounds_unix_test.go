//go:build unix

package cli

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
)

// doors are all ways to pass a file name that the program reads. FILE stands for the name.
var doors = []struct {
	name   string
	config string // of an account "a"; "" for no account
	env    string
	args   []string
	// refusesPipe is set if a pipe is refused instead of read; spooled if the limit is too high to
	// test here, see TestSpoolIsBounded in package message.
	refusesPipe, spooled bool
}{
	{name: "config", env: "YAN_CONFIG", args: []string{"account", "list"}},
	{name: "config of send", env: "YAN_CONFIG", args: []string{"send", "-t", "b@example.org", "-s", "x", "-b", "x"}},
	{name: "config of queue", env: "YAN_CONFIG", args: []string{"queue"}},
	{name: "config of check", env: "YAN_CONFIG", args: []string{"config", "check"}},
	{name: "config of edit", env: "YAN_CONFIG", args: []string{"account", "edit", "a", "--set", "from=b@example.org"}},
	{name: "to-file", args: compose("--to-file", "FILE")},
	{name: "cc-file", args: compose("--cc-file", "FILE")},
	{name: "bcc-file", args: compose("--bcc-file", "FILE")},
	{name: "body-file", args: []string{"send", "--server", "smtps://127.0.0.1:1", "-f", "a@example.org", "-t", "b@example.org", "-s", "x", "--body-file", "FILE"}},
	{name: "html-file", args: compose("--html-file", "FILE")},
	{name: "attach", args: compose("--attach", "FILE"), spooled: true},
	{name: "inline", args: compose("--html", "x", "--inline", "FILE"), spooled: true},
	{name: "tls-ca", args: compose("--tls-ca", "FILE")},
	{name: "tls-cert", args: compose("--tls-cert", "FILE", "--tls-key", "FILE")},
	{name: "raw", args: []string{"send", "--server", "smtps://127.0.0.1:1", "-f", "a@example.org", "-t", "b@example.org", "--raw", "FILE"}, spooled: true},
	{name: "log", args: []string{"send", "--server", "smtps://127.0.0.1:1", "-f", "a@example.org", "-t", "b@example.org", "--raw", "MAIL", "--log", "FILE"}, refusesPipe: true},
	{name: "password", env: "YAN_PASSWORD_FILE", args: compose()},
	{name: "token", env: "YAN_TOKEN_FILE", args: compose("--auth", "XOAUTH2")},
	{name: "signature_file", config: "signature_file = \"FILE\"", args: []string{"send", "-A", "a", "-t", "b@example.org", "-s", "x", "-b", "x"}},
	{name: "signature_file of check", config: "signature_file = \"FILE\"", args: []string{"config", "check"}},
	{name: "tls_ca", config: "tls_ca = \"FILE\"", args: []string{"send", "-A", "a", "-t", "b@example.org", "-s", "x", "-b", "x"}},
	{name: "tls_ca of check", config: "tls_ca = \"FILE\"", args: []string{"config", "check"}},
	{name: "tls_cert", config: "tls_cert = \"FILE\"\ntls_key = \"FILE\"", args: []string{"send", "-A", "a", "-t", "b@example.org", "-s", "x", "-b", "x"}},
	{name: "secret file", config: "secret = { file = \"FILE\" }", args: []string{"send", "-A", "a", "-t", "b@example.org", "-s", "x", "-b", "x"}},
	{name: "secret-file", args: []string{"login", "a@example.org", "--server", "smtps://127.0.0.1:1", "--secret-file", "FILE"}},
	{name: "import", args: []string{"account", "import", "--from", "msmtp", "FILE"}, refusesPipe: true},
	{name: "outbox", args: []string{"queue", "--outbox", "FILE"}, refusesPipe: true},
	{name: "outbox of show", args: []string{"queue", "show", "1", "--outbox", "FILE"}, refusesPipe: true},
	{name: "outbox of stats", args: []string{"queue", "stats", "--outbox", "FILE"}, refusesPipe: true},
	{name: "outbox of watch", args: []string{"queue", "watch", "1", "--outbox", "FILE"}, refusesPipe: true},
	{name: "outbox of export", args: []string{"queue", "export", "1", "--outbox", "FILE"}, refusesPipe: true},
	{name: "outbox of run", args: []string{"queue", "run", "--outbox", "FILE"}, refusesPipe: true},
	{name: "outbox of cancel", args: []string{"queue", "cancel", "1", "--outbox", "FILE"}, refusesPipe: true},
	{name: "outbox of adopt", args: []string{"queue", "adopt", "--outbox", "FILE"}, refusesPipe: true},
	{name: "outbox of serve", args: []string{"serve", "--outbox", "FILE"}, refusesPipe: true},
	{name: "outbox of send", config: "secret = { env = \"NONE\" }", args: []string{"send", "--queue", "-A", "a", "-t", "b@example.org", "-s", "x", "-b", "x", "--outbox", "FILE"}, refusesPipe: true},
}

func compose(more ...string) []string {
	return append([]string{"send", "--server", "smtps://a%40example.org@127.0.0.1:1", "-t", "b@example.org", "-s", "x", "-b", "x"}, more...)
}

// doorCommand returns the command line of a door for a file.
func doorCommand(t *testing.T, i int, file string) (env map[string]string, args []string) {
	t.Helper()
	d := doors[i]
	home := t.TempDir()
	mail := filepath.Join(home, "mail.eml")
	config := filepath.Join(home, "config.toml")
	text := ""
	if d.config != "" {
		text = "[account.a]\nfrom = \"a@example.org\"\nserver = \"smtps://127.0.0.1:1\"\n" + strings.ReplaceAll(d.config, "FILE", file) + "\n"
	}
	for path, text := range map[string]string{mail: "From: a@example.org\nTo: b@example.org\n\nx\n", config: text} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env = map[string]string{"HOME": home, "YAN_CONFIG": config, "YAN_PASSWORD": "secret"}
	if d.env != "" {
		env[d.env] = file
	}
	for _, arg := range d.args {
		args = append(args, strings.NewReplacer("FILE", file, "MAIL", mail).Replace(arg))
	}
	return env, args
}

// TestEveryReadIsBounded names an endless device at each door.
func TestEveryReadIsBounded(t *testing.T) {
	t.Parallel()
	for i, d := range doors {
		if d.spooled {
			continue
		}
		env, args := doorCommand(t, i, "/dev/zero")
		code, out, errs := run(t.Context(), env, args...)
		if code == command.ExitOK || code == command.ExitInternal || !strings.Contains(out+errs, "/dev/zero") {
			t.Errorf("%s: exit status %d\n%s%s", d.name, code, out, errs)
		}

		debug.FreeOSMemory()
	}
}

// TestEveryReadEndsWithTheContext names a pipe without a writer at each door. When the program has
// opened it, one Ctrl-C or TERM must end the program.
func TestEveryReadEndsWithTheContext(t *testing.T) {
	t.Parallel()
	for i, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			pipe := filepath.Join(t.TempDir(), rand.Text())
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			env, args := doorCommand(t, i, pipe)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			opened := make(chan *os.File, 1)
			go func() {
				w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits for the reader
				if err != nil {
					t.Error(err)
				}
				cancel()
				opened <- w
			}()
			code, out, errs := run(ctx, env, args...)
			if d.refusesPipe == (ctx.Err() != nil) {
				t.Errorf("the pipe was opened: %v", ctx.Err() != nil)
			}
			if code == command.ExitOK || code == command.ExitInternal {
				t.Errorf("exit status %d\n%s%s", code, out, errs)
			}

			r, err := os.OpenFile(pipe, os.O_RDWR, 0) // unblocks the goroutine if there was no reader
			if err != nil {
				t.Fatal(err)
			}
			_ = (<-opened).Close()
			_ = r.Close()
		})
	}
}
