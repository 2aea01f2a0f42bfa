//go:build unix

package sqlite

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
)

// Everything that root puts into a user's outbox belongs to that user: files and folders, in
// an existing outbox and in a new one, at every size.
func TestWhatTheAdministratorMakesIsTheUsers(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only the administrator can write into everybody's outbox")
	}
	const user = 64998
	for _, there := range []bool{true, false} {
		home := t.TempDir()
		if err := os.Chmod(home, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(home, user, user); err != nil {
			t.Skip(err)
		}
		path := filepath.Join(home, "new", "yan", "outbox.db")
		if there {
			path = filepath.Join(home, "outbox.db")
			if err := createFile(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(path, user, user); err != nil {
				t.Fatal(err)
			}
		}
		s := openStore(t, path, outbox.Options{MinFree: -1}, Harness{})
		for _, size := range []int{1, 64 << 10, 256 << 10, 256<<10 + 1, 3 << 20} {
			mustEnqueue(t, s, testMessage(t, strings.Repeat("x", size)))
		}
		n := 0
		err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			n++
			if of := info.Sys().(*syscall.Stat_t); of.Uid != user || of.Gid != user {
				t.Errorf("%s is of user %d", path, of.Uid)
			}
			return nil
		})
		if want := 7 + map[bool]int{false: 2}[there]; err != nil || n != want {
			t.Errorf("%d files and folders, want %d: %v", n, want, err)
		}
	}
}

// The owner of an outbox can't make root write elsewhere.
func TestTheAdministratorWritesOnlyWhereTheOwnerMay(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only the administrator can write into everybody's outbox")
	}
	path, elsewhere := closedOutbox(t), t.TempDir()
	for _, part := range []string{path, path + ".spool"} {
		if err := os.Chown(part, 64998, 64998); err != nil {
			t.Skip(err)
		}
	}
	if err := os.Remove(path + ".spool"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, path+".spool"); err != nil {
		t.Fatal(err)
	}
	err := openWithin(t, path, Harness{})
	if err == nil || !strings.Contains(err.Error(), "different users") {
		t.Errorf("it would write to %s: %v", elsewhere, err)
	}
	inside, err := os.ReadDir(elsewhere)
	info, statErr := os.Stat(elsewhere)
	if err != nil || statErr != nil || len(inside) > 0 || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("%v is there: %v", inside, fmt.Sprint(err, statErr))
	}
}
