package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

func reopenStore(t *testing.T, path string, h Harness) error {
	t.Helper()
	s, err := OpenWith(context.Background(), path, outbox.Options{MinFree: -1}, h)
	if err == nil {
		err = s.Close()
	}
	return err
}

// closedOutbox returns the path of a closed outbox.
func closedOutbox(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "outbox.db")
	if err := reopenStore(t, path, Harness{}); err != nil {
		t.Fatal(err)
	}
	return path
}

// runStatements runs statements without the store.
func runStatements(t testing.TB, path string, statements ...string) {
	t.Helper()
	c, err := openDriverConn(dsn(path, "rwc"))
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range statements {
		if _, err := c.exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyTheOwnerReadsIt(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such permissions; the folder of the user is the user's")
	}
	root := t.TempDir()
	path := filepath.Join(root, "a", "b", "outbox.db")
	s := openStore(t, path, outbox.Options{InlineBytes: 10}, Harness{})
	mustEnqueue(t, s, testMessage(t, "Subject: x\r\n\r\nHello\r\n"))
	seen := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode().Perm(), want)
		}
		seen++
		return nil
	})
	if err != nil || seen != 7 { // a, b, database, log, its index, spool, body
		t.Errorf("saw %d files, %v", seen, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("These are notes, and no database.\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	others, marked := filepath.Join(t.TempDir(), "o.db"), filepath.Join(t.TempDir(), "m.db")
	runStatements(t, others, "CREATE TABLE customer (id INTEGER PRIMARY KEY)")
	runStatements(t, marked, "PRAGMA application_id = 42", "VACUUM")
	newer := closedOutbox(t)
	runStatements(t, newer, "PRAGMA user_version = 99")
	for _, test := range []struct {
		path    string
		harness Harness
		want    string
	}{
		{text, Harness{}, "nor any database"},
		{others, Harness{}, "the database of another program"},
		{marked, Harness{}, "the database of another program"},
		{newer, Harness{}, "version 99"},
		{closedOutbox(t), Harness{version: "3.51.2"}, "SQLite 3.51.2"},
		{closedOutbox(t), Harness{synchronous: "NORMAL"}, "synchronous is not FULL"},
		{closedOutbox(t), Harness{network: func(string) string { return "NFS" }}, "network file system (NFS)"},
		{filepath.Dir(text), Harness{}, "is not a file"},
	} {
		before, _ := os.ReadFile(test.path)
		modeBefore := modeOf(t, test.path)
		err := reopenStore(t, test.path, test.harness)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want something with %q", filepath.Base(test.path), err, test.want)
		}
		if mode := modeOf(t, test.path); mode != modeBefore {
			t.Errorf("%s was %v and is %v", test.path, modeBefore, mode)
		}
		if after, _ := os.ReadFile(test.path); string(after) != string(before) {
			t.Errorf("%s was changed", test.path)
		}
	}
	var n *queue.NewerError
	if err := reopenStore(t, newer, Harness{}); !errors.As(err, &n) || *n != (queue.NewerError{Has: 99, Knows: version}) {
		t.Errorf("%v", err)
	}
}

func modeOf(t testing.TB, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func TestVersionsAreCompared(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"3.51.2", "3.51.3", true}, {"3.51.3", "3.51.3", false}, {"3.9.0", "3.51.3", true}, {"3.54.0", "3.51.3", false},
		{"4", "3.51.3", false}, {"3.51", "3.51.3", true}, {"", "3.51.3", true}, {"3.510.0", "3.51.3", false},
	} {
		if got := olderVersion(test.a, test.b); got != test.want {
			t.Errorf("before(%q, %q) = %v", test.a, test.b, got)
		}
	}
}

// Several programs open a missing outbox at the same moment.
func TestManyMakeIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "outbox.db")
	var wait sync.WaitGroup
	start := make(chan struct{})
	for range 8 {
		wait.Go(func() {
			<-start
			s, err := Open(context.Background(), path, outbox.Options{MinFree: -1})
			if err != nil {
				t.Error(err)
				return
			}
			mustEnqueue(t, s, testMessage(t, "x"))
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	wait.Wait()
	s := openStore(t, path, outbox.Options{}, Harness{})
	if page, err := s.List(context.Background(), queue.Filter{}); err != nil || len(page.Entries) != 8 {
		t.Errorf("%d messages, %v", len(page.Entries), err)
	}
}

// Characters with a meaning in URLs are part of the file name.
func TestStrangePaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b.db", "50%25.db", "q?mode=memory", "h#1", "雁.db"} {
		if runtime.GOOS == "windows" && strings.ContainsAny(name, "?") {
			continue
		}
		path := filepath.Join(t.TempDir(), name)
		s := openStore(t, path, outbox.Options{}, Harness{})
		mustEnqueue(t, s, testMessage(t, "x"))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%q: %v, %v", name, info, err)
		}
	}
}

// A link opens the same outbox, with the same spool.
func TestLink(t *testing.T) {
	t.Parallel()
	path := closedOutbox(t)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	s := openStore(t, link, outbox.Options{InlineBytes: 10}, Harness{})
	id := mustEnqueue(t, s, testMessage(t, "Subject: x\r\n\r\nHello\r\n"))
	direct := openStore(t, path, outbox.Options{}, Harness{})
	body, err := direct.Body(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	_ = body.Close()
}

func TestOpenToRead(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "outbox.db")
	if _, err := OpenToRead(ctx, path, outbox.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("one that is not there: %v", err)
	}
	s := openStore(t, path, outbox.Options{}, Harness{})
	id := mustEnqueue(t, s, testMessage(t, "x"))
	r, err := OpenToRead(ctx, path, outbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Show(ctx, id); err != nil {
		t.Errorf("beside a writer: %v", err)
	}
	if _, err := r.Enqueue(ctx, testMessage(t, "x")); !errors.Is(err, errReadOnly) {
		t.Errorf("enqueue: %v", err)
	}
	if _, err := r.Change(ctx, outbox.Change{Verb: queue.Cancel}); !errors.Is(err, errReadOnly) {
		t.Errorf("change: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.Show(ctx, id); !errors.Is(err, queue.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	text := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("notes\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenToRead(ctx, text, outbox.Options{}); err == nil || !strings.Contains(err.Error(), "nor any database") {
		t.Errorf("%v", err)
	}
}
