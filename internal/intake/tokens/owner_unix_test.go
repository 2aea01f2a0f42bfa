//go:build unix

package tokens_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/yanmail/yan/internal/intake/tokens"
)

// A file that root creates belongs to the user and group of the configuration, so that the daemon,
// which runs as another user, can read it; a file that exists keeps its owner.
func TestOwnerOfTheFile(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can change owners")
	}
	config := filepath.Join(t.TempDir(), "config.toml")
	path := tokens.Path(config)
	if err := os.WriteFile(config, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(config, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(config, 0, 12345); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if _, err := tokens.New(t.Context(), path, config, tokens.ProgramToken{Name: name}, rand.Reader); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		of := info.Sys().(*syscall.Stat_t)
		if of.Uid != 0 || of.Gid != 12345 || info.Mode().Perm() != 0o640 {
			t.Errorf("%s: owner %d, group %d, mode %v", name, of.Uid, of.Gid, info.Mode())
		}
	}
	if err := tokens.Remove(t.Context(), path, "a"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Sys().(*syscall.Stat_t).Gid != 12345 {
		t.Errorf("%v, %v", info, err)
	}
}
