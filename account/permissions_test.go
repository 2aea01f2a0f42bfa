//go:build unix

package account_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/yanmail/yan/account"
)

// A file that others can write could name commands that run as its reader.
func TestLoadOfWhatOthersWrite(t *testing.T) {
	t.Parallel()
	const config = "[account.a]\nfrom = \"me@qq.com\"\nsecret = { command = \"touch ran\" }\n"
	for mode, good := range map[os.FileMode]bool{0o600: true, 0o644: true, 0o664: true, 0o666: false, 0o602: false} {
		path := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := account.Load(path)
		var wrong *account.ParseError
		if good != (err == nil) || !good && (!errors.As(err, &wrong) || wrong.Fault != account.FaultWritable) {
			t.Errorf("mode %o: %v", mode, err)
		}
		if os.Geteuid() != 0 || mode != 0o664 {
			continue
		}
		if err := os.Chown(path, 12345, 12345); err != nil { // owned by another user, writable by the group
			t.Fatal(err)
		}
		if _, err := account.Load(path); !errors.As(err, &wrong) || wrong.Fault != account.FaultWritable {
			t.Errorf("another's: %v", err)
		}
	}
	if _, err := account.Load(os.DevNull); err != nil {
		t.Errorf("no configuration at all: %v", err)
	}
}
