//go:build unix

package atomicfile_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/yanmail/yan/internal/files/atomicfile"
)

func TestReadOfAPipeEndsWithTheContext(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func(context.Context) error{
		"open": func(ctx context.Context) error { _, err := atomicfile.Read(ctx, path, 10); return err },
		"read": func(ctx context.Context) error {
			w, err := os.OpenFile(path, os.O_RDWR, 0) // the other end, which writes nothing
			if err != nil {
				return err
			}
			defer w.Close()
			_, err = atomicfile.Read(ctx, path, 10)
			return err
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		context.AfterFunc(t.Context(), cancel)
		done := make(chan error, 1)
		go func() { done <- read(ctx) }()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := atomicfile.CheckReadable(path); err != nil { // it would block if it opened the pipe
		t.Error(err)
	}
	if _, err := atomicfile.Read(t.Context(), "/dev/zero", 1<<20); err == nil {
		t.Error("a device that never ends was read to its end")
	}
}

func TestTrusted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		file, folder fs.FileMode
		owner        int // 0: the user who runs the test
		of           int // the directory's
		reason       string
		inFolder     bool
	}{
		{name: "own", file: 0o600, folder: 0o700},
		{name: "readable", file: 0o644, folder: 0o755},
		{name: "of a group", file: 0o664, folder: 0o775},
		{name: "all write it", file: 0o666, folder: 0o700, reason: atomicfile.OthersWrite},
		{name: "all write its folder", file: 0o600, folder: 0o777, reason: atomicfile.OthersWrite, inFolder: true},
		{name: "all write its folder, and rename their own", file: 0o600, folder: 0o777 | fs.ModeSticky},
		{name: "another's", file: 0o600, folder: 0o700, owner: 12345, reason: atomicfile.OthersOwn},
		{name: "in another's folder", file: 0o600, folder: 0o755, of: 12345, reason: atomicfile.OthersOwn, inFolder: true},
	} {
		if (c.owner != 0 || c.of != 0) && os.Geteuid() != 0 {
			continue
		}
		folder := filepath.Join(t.TempDir(), "folder")
		path := filepath.Join(folder, "file")
		for _, err := range []error{os.Mkdir(folder, 0o700), os.WriteFile(path, nil, 0o600), os.Chmod(path, c.file), os.Chmod(folder, c.folder)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if c.owner != 0 {
			if err := os.Chown(path, c.owner, -1); err != nil {
				t.Fatal(err)
			}
		}
		if c.of != 0 {
			if err := os.Chown(folder, c.of, -1); err != nil {
				t.Fatal(err)
			}
		}
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, link} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			err = atomicfile.Trusted(name, info)
			var untrusted *atomicfile.UntrustedError
			if (err == nil) != (c.reason == "") || err != nil && (!errors.As(err, &untrusted) || untrusted.Reason != c.reason || untrusted.Folder != c.inFolder) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
	info, err := os.Stat(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Trusted(os.DevNull, info); err != nil {
		t.Errorf("a missing file: %v", err)
	}
}

// A temporary file has no name while it is open, so no crash leaves it.
func TestTempHasNoName(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	f, err := atomicfile.TempFile()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("a letter"); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}
