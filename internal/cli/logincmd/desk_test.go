package logincmd

import (
	"os"
	"path/filepath"
	"testing"
)

// desk is a user's home directory with a configuration.
type desk struct {
	t    *testing.T
	home string
	env  map[string]string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	home := t.TempDir()
	return &desk{t: t, home: home, env: map[string]string{"HOME": home, "TERM": "dumb", "YAN_CONFIG": filepath.Join(home, "yan", "config.toml")}}
}

func (d *desk) config() string {
	d.t.Helper()
	b, err := os.ReadFile(d.env["YAN_CONFIG"])
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

func (d *desk) writes(config string) {
	d.t.Helper()
	path := d.env["YAN_CONFIG"]
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		d.t.Fatal(err)
	}
}
