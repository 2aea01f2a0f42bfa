package stores

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
)

func getenvOf(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestDefaultPath(t *testing.T) {
	t.Parallel()
	abs := func(names ...string) string {
		path, err := filepath.Abs(filepath.Join(append([]string{string(filepath.Separator)}, names...)...))
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		name, system string
		getenv       func(string) string
		want         string
	}{
		{"the data folder", "linux", getenvOf("XDG_DATA_HOME", abs("d"), "HOME", abs("h")), abs("d", "yan", "outbox.db")},
		{"a relative one is none", "linux", getenvOf("XDG_DATA_HOME", "d", "HOME", abs("h")), abs("h", ".local", "share", "yan", "outbox.db")},
		{"home", "freebsd", getenvOf("HOME", abs("h"), "LocalAppData", abs("l")), abs("h", ".local", "share", "yan", "outbox.db")},
		{"macOS", "darwin", getenvOf("HOME", abs("h")), abs("h", "Library", "Application Support", "yan", "outbox.db")},
		{"macOS, told otherwise", "darwin", getenvOf("HOME", abs("h"), "XDG_DATA_HOME", abs("d")), abs("d", "yan", "outbox.db")},
		{"Windows", "windows", getenvOf("LocalAppData", abs("l"), "USERPROFILE", abs("u")), abs("l", "yan", "outbox.db")},
		{"Windows without it", "windows", getenvOf("USERPROFILE", abs("u")), abs("u", ".local", "share", "yan", "outbox.db")},
	} {
		if got, err := defaultPath(test.getenv, test.system); err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", test.name, got, err, test.want)
		}
	}
	if path, err := defaultPath(getenvOf(), "linux"); err == nil || !strings.Contains(err.Error(), "YAN_OUTBOX") {
		t.Errorf("with nothing set: %q, %v", path, err)
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	if got, err := FilePath("~/mail/out.db", getenvOf("HOME", home)); err != nil || got != filepath.Join(home, "mail", "out.db") {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := FilePath("out.db", getenvOf()); err != nil || !filepath.IsAbs(got) || filepath.Base(got) != "out.db" {
		t.Errorf("%q, %v", got, err)
	}
	for _, where := range []string{"mysql://me:secret@host/db", "redis://:secret@host", "sqlite:///x?password=secret", "host=db Password=secret dbname=mail"} {
		if got, err := FilePath(where, getenvOf()); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %q, %v", where, got, err)
		}
	}
}

// A URL of another kind is not a file name.
func TestOpenRefusesWhatIsNoOutbox(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), "mysql://me:secret@host/db", outbox.Options{})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v, %v", s, err)
	}
}

// A path is a file of SQLite, in a folder that Open creates.
func TestOpenMakesAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "b", "out.db")
	s, err := Open(t.Context(), path, outbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
