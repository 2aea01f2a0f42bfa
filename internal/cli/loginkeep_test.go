package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/testing/secrettest"
	"github.com/yanmail/yan/sandboxtest"
)

// yan login checks that it can write the configuration before it stores a secret.
func TestLoginLooksFirst(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq", sandboxtest.WithAccount("me@qq.com", sandboxPassword))
	d := newLoginDesk(t)
	ring := &clitest.BusyKeyring{Keyring: d.keyring}
	d.ring = ring
	// The name has the maximum length, so the temporary file's name would be too long.
	d.env["YAN_CONFIG"] = filepath.Join(d.home, strings.Repeat("x", 255))
	d.secrets = []string{sandboxPassword}
	code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com")
	if code != command.ExitCantCreate || ring.Sets != 0 {
		t.Errorf("%d, %d writes: %s", code, ring.Sets, errs)
	}
	d.empty()
}

// The file of an account's secret is restored, or removed, as well.
func TestLoginPutsOwnFileBack(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq", sandboxtest.WithAccount("me@qq.com", sandboxPassword))
	for _, before := range []string{"", "old\n"} {
		d := newLoginDesk(t)
		path := filepath.Join(d.home, "yan", "qq.secret")
		config := "version = 1\n\n[account.qq]\nfrom = \"me@qq.com\"\n"
		if before != "" {
			config += "secret.file = \"qq.secret\"\n"
		}
		d.writes(config)
		if before != "" {
			if err := os.WriteFile(path, []byte(before), 0o400); err != nil {
				t.Fatal(err)
			}
		}
		d.ring = &clitest.BusyKeyring{Keyring: secrettest.None(), Also: func() { d.writes(config + "# theirs\n") }}
		d.answers, d.secrets = []string{"2"}, []string{sandboxPassword}
		code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com", "--replace")
		if code != command.ExitTemporary || !strings.Contains(errs, "another program changed") {
			t.Errorf("%d %s", code, errs)
		}
		text, err := os.ReadFile(path)
		if string(text) != before || (err == nil) != (before != "") {
			t.Errorf("the file holds %d octets, want %q: %v", len(text), before, err)
		}
		if info, err := os.Stat(path); err == nil && runtime.GOOS != "windows" && info.Mode().Perm() != 0o400 {
			t.Errorf("its mode is %v", info.Mode())
		}
		if d.config() != config+"# theirs\n" {
			t.Errorf("the configuration:\n%s", d.config())
		}
	}
}
