//go:build unix

package sqlite

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// strangerUID is the ID of a user other than this one, who owns no files.
const strangerUID = 64999

// giveToStranger makes a file of an outbox belong to another user.
func giveToStranger(t *testing.T, path string) Harness {
	t.Helper()
	if os.Geteuid() != 0 {
		return Harness{user: strangerUID}
	}
	if err := os.Lchown(path, 64998, 64998); err != nil {
		t.Skip(err)
	}
	return Harness{user: strangerUID}
}

func openWith(t *testing.T, path string, h Harness) error {
	t.Helper()
	s, err := OpenWith(t.Context(), path, outbox.Options{MinFree: -1}, h)
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return err
}

// In a folder that many users write to, another user may have created any of the files before.
// It is not used.
func TestWhatOthersPutThereIsRefused(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"", "-wal", "-shm", "-journal"} {
		path := filepath.Join(t.TempDir(), "outbox.db")
		if err := os.WriteFile(path+part, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := openWith(t, path, giveToStranger(t, path+part)); err == nil || !strings.Contains(err.Error(), "another user") {
			t.Errorf("%q of another user is used: %v", part, err)
		}
	}
	for _, part := range []string{"-wal", "-shm", "-journal"} {
		path := filepath.Join(t.TempDir(), "outbox.db")
		other := filepath.Join(t.TempDir(), "other")
		if err := errors.Join(os.WriteFile(other, nil, 0o600), os.Symlink(other, path+part)); err != nil {
			t.Fatal(err)
		}
		if err := openWith(t, path, Harness{}); err == nil {
			t.Errorf("a link as %q is followed", part)
		}
	}
}

// A spool of another user, or another user's link to a folder of this user, is refused: Prune
// would remove files in it.
func TestTheSpoolOfOthersIsRefused(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only the administrator can give files away")
	}
	for _, link := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "outbox.db")
		var err error
		if link {
			err = os.Symlink(t.TempDir(), path+".spool")
		} else {
			err = os.Mkdir(path+".spool", 0o700)
		}
		if err != nil {
			t.Fatal(err)
		}
		h := giveToStranger(t, path+".spool")
		if err := openWith(t, path, h); err == nil || !strings.Contains(err.Error(), "another user") {
			t.Errorf("link %v: %v", link, err)
		}
	}
}

// Permissions for all other users, from a copy or an existing folder, are removed.
func TestOthersAreKeptOut(t *testing.T) {
	t.Parallel()
	path := closedOutbox(t)
	for name, mode := range map[string]os.FileMode{path: 0o666, path + ".spool": 0o777} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	s := openStore(t, path, outbox.Options{}, Harness{})
	mustEnqueue(t, s, testMessage(t, "text"))
	n := 0
	for _, name := range []string{path, path + "-wal", path + "-shm", path + ".spool"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if n++; info.Mode()&0o007 != 0 {
			t.Errorf("%s is %v", name, info.Mode())
		}
	}
	if n != 4 {
		t.Errorf("%d files were looked at", n)
	}
}

// A file in the spool is sent only if it is the body that was kept; another text, a part of
// it, a longer one, a link to another file, or a pipe is not.
func TestOnlyWhatWasKeptIsRead(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), withSpool(t, Harness{})
	const body = "a body for the spool"
	id := mustEnqueue(t, s, testMessage(t, body))
	file := spooledFiles(t, s)[0]
	other := filepath.Join(t.TempDir(), "other")
	for name, change := range map[string]func() error{
		"another text": func() error { return os.WriteFile(file, []byte("a BODY for the spool"), 0o600) },
		"a part":       func() error { return os.WriteFile(file, []byte(body[:5]), 0o600) },
		"nothing":      func() error { return os.WriteFile(file, nil, 0o600) },
		"more":         func() error { return os.WriteFile(file, []byte(body+"."), 0o600) },
		"a link":       func() error { return errors.Join(os.WriteFile(other, []byte(body), 0o600), os.Symlink(other, file)) },
		"a pipe":       func() error { return syscall.Mkfifo(file, 0o600) },
	} {
		if err := errors.Join(os.RemoveAll(file), change()); err != nil {
			t.Fatal(err)
		}
		given := ""
		text, err := s.Body(ctx, id)
		if err == nil {
			var all []byte
			all, err = io.ReadAll(text)
			given = string(all)
			_ = text.Close()
		}
		if !errors.Is(err, queue.ErrNoBody) || len(given) >= len(body) {
			t.Errorf("%s: %q, %v", name, given, err)
		}
	}
	if err := errors.Join(os.Remove(file), os.WriteFile(file, []byte(body), 0o600)); err != nil {
		t.Fatal(err)
	}
	text, err := s.Body(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(text); string(all) != body || err != nil {
		t.Errorf("%q, %v", all, err)
	}
	_ = text.Close()
}
