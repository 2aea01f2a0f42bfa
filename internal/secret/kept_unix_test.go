//go:build unix

package secret_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/yanmail/yan/internal/secret"
)

// A pipe, a device or an endless file in place of the encrypted file or its list is refused without
// waiting.
func TestKeptFilesAreBounded(t *testing.T) {
	t.Parallel()
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o600) }
	device := func(path string) error { return os.Symlink("/dev/zero", path) }
	endless := func(path string) error {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			return err
		}
		return os.Truncate(path, 1<<40)
	}
	for what, tt := range map[string]struct {
		make func(string) error
		want string
	}{"pipe": {pipe, "not a regular file"}, "device": {device, "not a regular file"}, "endless": {endless, "larger than"}} {
		path := filepath.Join(t.TempDir(), "secrets.age")
		if err := tt.make(path); err != nil {
			t.Fatal(err)
		}
		v := secret.Vault{File: path}
		if _, err := v.Get(t.Context(), secret.Source{}, secret.Key{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", what, err, tt.want)
		}
		if got := v.Accounts(); got != nil {
			t.Errorf("%s: accounts %q", what, got)
		}
	}
}
