package outbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/outbox"
)

// The outbox of this user is the one of the environment variable, otherwise that of the
// configuration, otherwise a file in the user's data folder.
func TestOpenFindsTheOutboxOfThisUser(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "config.toml")
	t.Setenv("YAN_CONFIG", config)
	t.Setenv("XDG_DATA_HOME", filepath.Join(dir, "data"))
	t.Setenv("YAN_OUTBOX", "")
	for _, test := range []struct{ config, variable, want string }{
		{"[account.a]\nfrom = \"me@qq.com\"\n", "", filepath.Join(dir, "data", "yan", "outbox.db")},
		{"[outbox]\nurl = \"mine.db\"\nmin_free = \"0\"\n[account.a]\nfrom = \"me@qq.com\"\n", "", filepath.Join(dir, "mine.db")},
		{"[outbox]\nurl = \"mine.db\"\n[account.a]\nfrom = \"me@qq.com\"\n", filepath.Join(dir, "other.db"), filepath.Join(dir, "other.db")},
	} {
		t.Setenv("YAN_OUTBOX", test.variable)
		if err := os.WriteFile(config, []byte(test.config), 0o600); err != nil {
			t.Fatal(err)
		}
		box, err := outbox.Open(t.Context(), "", outbox.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if receipt, err := box.Enqueue(t.Context(), testMessage(""), outbox.EnqueueOptions{}); err != nil || receipt.Account != "a" {
			t.Errorf("%+v, %v", receipt, err)
		}
		if err := box.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(test.want); err != nil {
			t.Error(err)
		}
	}

	t.Setenv("YAN_OUTBOX", "")
	if err := os.WriteFile(config, []byte("[outbox]\nurl = \"postgres://me:hunter2@127.0.0.1:1/x\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var wrong *account.ParseError
	if _, err := outbox.Open(t.Context(), "", outbox.Options{}); !errors.As(err, &wrong) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a password in the configuration: %v", err)
	}
	if _, err := outbox.Open(t.Context(), "mysql://me:hunter2@db/x", outbox.Options{}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("another kind of database: %v", err)
	}
}
