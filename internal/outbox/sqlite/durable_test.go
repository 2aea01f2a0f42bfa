package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// A failed COMMIT may have been kept or not, and is reported as uncertain; after any earlier
// failure nothing was kept, and the error is certain.
func TestACommitThatFailsIsUncertain(t *testing.T) {
	t.Parallel()
	for statement, uncertain := range map[string]bool{"COMMIT": true, "INSERT INTO message": false, "INSERT INTO delivery": false, "INSERT INTO tally": false} {
		armed := false
		s := openStore(t, filepath.Join(t.TempDir(), "outbox.db"), outbox.Options{MinFree: -1}, Harness{fault: func(sql string) error {
			if armed && strings.HasPrefix(sql, statement) {
				return syscall.EIO
			}
			return nil
		}})
		armed = true
		_, err := s.Enqueue(context.Background(), testMessage(t, "x"))
		if !errors.Is(err, queue.ErrBroken) || errors.Is(err, queue.ErrUncertain) != uncertain {
			t.Errorf("%s: %v", statement, err)
		}
	}
	for _, text := range []string{"COMMIT"} { // a full disk is certain
		armed := false
		s := openStore(t, filepath.Join(t.TempDir(), "outbox.db"), outbox.Options{MinFree: -1}, Harness{fault: func(sql string) error {
			if armed && sql == text {
				return syscall.ENOSPC
			}
			return nil
		}})
		armed = true
		if _, err := s.Enqueue(context.Background(), testMessage(t, "x")); !errors.Is(err, queue.ErrFull) || errors.Is(err, queue.ErrUncertain) {
			t.Error(err)
		}
	}
}

// After an uncertain commit, enqueueing with the same key finds out whether the message was
// kept, and there is exactly one. Without a key there may be two, which is the control.
func TestAKeyEndsTheUncertainty(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, kept := range []bool{true, false} {
		for _, key := range []string{"k", ""} {
			path, armed := filepath.Join(t.TempDir(), "outbox.db"), false
			var s *sqliteStore
			s = openStore(t, path, outbox.Options{MinFree: -1}, Harness{fault: func(sql string) error {
				if !armed || sql != "COMMIT" {
					return nil
				}
				if kept { // kept, and an error all the same
					if _, err := s.writer.exec(sql); err != nil {
						t.Error(err)
					}
				}
				return syscall.EIO
			}})
			m := testMessage(t, "x")
			m.Key = key
			armed = true
			if _, err := s.Enqueue(ctx, m); !errors.Is(err, queue.ErrUncertain) {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			again := openStore(t, path, outbox.Options{MinFree: -1}, Harness{})
			receipt, err := again.Enqueue(ctx, m)
			if err != nil || receipt.Duplicate != (kept && key != "") {
				t.Errorf("kept %v, key %q: %+v, %v", kept, key, receipt, err)
			}
			want := 1
			if kept && key == "" {
				want = 2
			}
			if page, err := again.List(ctx, queue.Filter{}); err != nil || len(page.Entries) != want {
				t.Errorf("kept %v, key %q: %d messages, %v", kept, key, len(page.Entries), err)
			}
		}
	}
}

// SQLite reports no error if the folder of a new log can't be synced.
func TestALogWhoseNameIsNotKept(t *testing.T) {
	t.Parallel()
	path := closedOutbox(t)
	syncs, armed := 0, false
	s := openStore(t, path, outbox.Options{MinFree: -1}, Harness{sync: func(string) error {
		if syncs++; armed {
			return syscall.EIO
		}
		return nil
	}})
	armed = true
	if _, err := s.Enqueue(context.Background(), testMessage(t, "x")); !errors.Is(err, queue.ErrUncertain) || !errors.Is(err, queue.ErrBroken) {
		t.Error(err)
	}
	other := openStore(t, path, outbox.Options{MinFree: -1}, Harness{})
	before := syncs
	mustEnqueue(t, other, testMessage(t, "y")) // the log existed already
	if syncs != before {
		t.Error("the folder is synced again and again")
	}
}

// If a part of an open outbox is moved, removed or replaced, the next commit and the next
// renewal notice it.
func TestPartsThatAreGoneAreNoticed(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("nothing that is open can be removed")
	}
	ctx, n := context.Background(), 0
	for _, part := range openParts {
		for what, do := range map[string]func(string) error{
			"removed": os.RemoveAll,
			"moved":   func(path string) error { return os.Rename(path, path+".away") },
			"replaced": func(path string) error {
				return errors.Join(os.Rename(path, path+".away"), os.WriteFile(path, nil, 0o600))
			},
		} {
			for _, by := range []string{"Enqueue", "Renew"} {
				n++
				s := openStore(t, filepath.Join(t.TempDir(), "outbox.db"), outbox.Options{MinFree: -1}, Harness{})
				mustJoin(t, s, "w")
				if err := do(s.path + part); err != nil {
					t.Fatal(err)
				}
				var err error
				if by == "Enqueue" {
					_, err = s.Enqueue(ctx, testMessage(t, "x"))
				} else {
					err = s.Renew(ctx, "w", time.Minute)
				}
				if !errors.Is(err, queue.ErrBroken) || !errors.Is(err, queue.ErrUncertain) {
					t.Errorf("%q %s, %s: %v", part, what, by, err)
				}
				if _, err := s.Enqueue(ctx, testMessage(t, "x")); !errors.Is(err, queue.ErrBroken) {
					t.Errorf("%q %s, and it goes on: %v", part, what, err)
				}
			}
		}
	}
	if n != 24 {
		t.Errorf("%d cases", n)
	}
}

// An outbox without its log, or the log's index, is not written if another process has it
// open; otherwise it is, as after a crash.
func TestALogThatIsGoneIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"-wal", "-shm"} {
		for _, open := range []bool{true, false} {
			path := closedOutbox(t)
			for _, other := range []string{"-wal", "-shm"} {
				if other != part {
					if err := os.WriteFile(path+other, nil, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			err := openWithin(t, path, Harness{open: func(string) bool { return open }, settling: time.Millisecond})
			if open != errors.Is(err, queue.ErrBroken) {
				t.Errorf("without %s, open %v: %v", part, open, err)
			}
		}
	}
}

func openWithin(t *testing.T, path string, h Harness) error {
	t.Helper()
	s, err := OpenWith(t.Context(), path, outbox.Options{MinFree: -1}, h)
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return err
}

// SQLite deletes the log of a file that was moved away when it creates a new file.
func TestANewFileBesideAnOldLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	s := openStore(t, path, outbox.Options{MinFree: -1}, Harness{})
	mustEnqueue(t, s, testMessage(t, "x"))
	if err := os.Rename(path, path+".away"); err != nil {
		t.Skip(err)
	}
	if err := openWithin(t, path, Harness{}); err == nil || !strings.Contains(err.Error(), "outbox.db-wal") {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("a new file was made")
	}
}

// A file in the spool with the name of a body and other content never replaces the body,
// whatever its size.
func TestADamagedFileInTheSpoolIsReplaced(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), withSpool(t, Harness{})
	const body = "a body for the spool"
	first := mustEnqueue(t, s, testMessage(t, body))
	file := spooledFiles(t, s)[0]
	n := 0
	for name, damage := range map[string]func() error{
		"the same size": func() error { return os.WriteFile(file, []byte("a BODY for the spool"), 0o600) },
		"shorter":       func() error { return os.WriteFile(file, []byte("a"), 0o600) },
		"longer":        func() error { return os.WriteFile(file, []byte(body+body), 0o600) },
		"zeros":         func() error { return os.WriteFile(file, make([]byte, len(body)), 0o600) },
		"a link":        func() error { return errors.Join(os.Rename(file, file+".x"), os.Symlink(file+".x", file)) },
	} {
		n++
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		id := mustEnqueue(t, s, testMessage(t, body))
		for _, id := range []queue.ID{first, id} {
			text, err := s.Body(ctx, id)
			if err != nil {
				t.Errorf("%s: message %d: %v", name, id, err)
				continue
			}
			got := make([]byte, 100)
			size, _ := text.Read(got)
			if _ = text.Close(); string(got[:size]) != body {
				t.Errorf("%s: message %d is %q", name, id, got[:size])
			}
		}
	}
	if n != 5 {
		t.Error(n)
	}
	info, err := os.Lstat(file)
	if err != nil {
		t.Fatal(err)
	}
	mustEnqueue(t, s, testMessage(t, body))
	if now, err := os.Lstat(file); err != nil || !os.SameFile(info, now) {
		t.Errorf("a good one was replaced: %v", err)
	}
}
