//go:build unix

package cli

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
)

// A pipe in place of the outbox ends each command with the same status, and a pipe in place of
// settings is reported as a pipe.
func TestAPipeIsCalledThat(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	pipe := filepath.Join(home, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HOME": home}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"serve --outbox " + pipe, command.ExitIO, pipe + " is not a file"},
		{"queue --outbox " + pipe, command.ExitIO, pipe + " is not a file"},
		{"queue run --outbox " + pipe, command.ExitIO, pipe + " is not a file"},
		{"account import --from msmtp " + pipe, command.ExitNoInput, pipe + ": this is a pipe or a device, not a file"},
		{"--lang zh account import --from msmtp " + pipe, command.ExitNoInput, pipe + "：这是管道或设备，不是文件"},
		{"account import --from msmtp " + home, command.ExitNoInput, home + ": this is a folder, not a file"},
	} {
		code, out, errs := run(t.Context(), env, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(strings.ReplaceAll(errs, "\n", ""), c.says) {
			t.Errorf("%s: exit status %d, want %d\n%s%s", c.args, code, c.code, out, errs)
		}
	}
}
