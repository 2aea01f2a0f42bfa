//go:build unix

package sendlog_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/sending/sendlog"
)

func TestOpenFollowsNoLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	link := filepath.Join(dir, "link")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	for _, there := range []bool{false, true} {
		if there {
			if err := os.WriteFile(target, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := sendlog.Open(link, time.Now); !errors.Is(err, sendlog.ErrNotRegular) {
			t.Errorf("%v", err)
		}
		if info, err := os.Stat(target); there != (err == nil) || err == nil && info.Size() != 0 {
			t.Errorf("the target was touched: %v, %v", info, err)
		}
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sendlog.Open(pipe, time.Now); !errors.Is(err, sendlog.ErrNotRegular) {
		t.Errorf("a pipe: %v", err)
	}
}

// Other users can't read a log once it is one; a file that is not a log keeps its mode.
func TestModeOfALog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		mode    fs.FileMode
		content string
		owner   int
		want    error
		after   fs.FileMode
	}{
		{name: "none yet", after: 0o600},
		{name: "empty, for all", mode: 0o666, after: 0o600},
		{name: "readable", mode: 0o644, content: "log", after: 0o600},
		{name: "written by all", mode: 0o666, content: "log", want: sendlog.ErrUntrusted, after: 0o666},
		{name: "something else", mode: 0o644, content: "notes\n", want: sendlog.ErrForeign, after: 0o644},
		{name: "another's", mode: 0o600, owner: 12345, want: sendlog.ErrUntrusted, after: 0o600},
	} {
		if c.owner != 0 && os.Geteuid() != 0 {
			continue
		}
		path := filepath.Join(t.TempDir(), "log")
		if c.content == "log" {
			l, err := sendlog.Open(path, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		} else if c.mode != 0 {
			if err := os.WriteFile(path, []byte(c.content), c.mode); err != nil {
				t.Fatal(err)
			}
		}
		if c.mode != 0 {
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
		}
		if c.owner != 0 {
			if err := os.Chown(path, c.owner, -1); err != nil {
				t.Fatal(err)
			}
		}
		l, err := sendlog.Open(path, time.Now)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != c.after {
			t.Errorf("%s: %v, %v", c.name, info.Mode(), err)
		}
	}
}
