package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// sqlError is an error with a result code of SQLite.
type sqlError int

func (e sqlError) Error() string { return fmt.Sprintf("SQLite's code %d", int(e)) }
func (e sqlError) Code() int     { return int(e) }

// failingStatements makes statements with a prefix fail.
type failingStatements struct {
	mu   sync.Mutex
	sql  string
	err  error
	seen int
}

func (f *failingStatements) faultOf(sql string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil || !strings.HasPrefix(sql, f.sql) {
		return nil
	}
	f.seen++
	return f.err
}

func (f *failingStatements) setFault(sql string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sql, f.err = sql, err
}

func TestAnIOErrorEndsIt(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, code := range []int{codeIOErr | 4<<8, codeIOErr, codeCorrupt, codeNotADB} {
		for _, sql := range []string{"COMMIT", "INSERT INTO message", "INSERT INTO body"} {
			f := &failingStatements{}
			s := openStore(t, filepath.Join(t.TempDir(), "outbox.db"), outbox.Options{}, Harness{fault: f.faultOf})
			id := mustEnqueue(t, s, testMessage(t, "x"))
			f.setFault(sql, sqlError(code))
			var cause sqlError
			if _, err := s.Enqueue(ctx, testMessage(t, "y")); !errors.Is(err, queue.ErrBroken) || !errors.As(err, &cause) {
				t.Errorf("%s fails with %d: %v", sql, code, err)
			}
			if f.seen != 1 {
				t.Errorf("%s was tried %d times", sql, f.seen)
			}
			f.setFault("", nil) // the store stays broken even if the disk works again
			if _, err := s.Enqueue(ctx, testMessage(t, "z")); !errors.Is(err, queue.ErrBroken) {
				t.Errorf("enqueue: %v", err)
			}
			if _, err := s.Show(ctx, id); !errors.Is(err, queue.ErrBroken) {
				t.Errorf("show: %v", err)
			}
			if _, err := s.Sweep(ctx); !errors.Is(err, queue.ErrBroken) {
				t.Errorf("sweep: %v", err)
			}
		}
	}
}

func TestFullIsNotTheEnd(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, sql := range []string{"COMMIT", "INSERT INTO body"} {
		f := &failingStatements{}
		s := openStore(t, filepath.Join(t.TempDir(), "outbox.db"), outbox.Options{}, Harness{fault: f.faultOf})
		f.setFault(sql, sqlError(codeFull))
		if _, err := s.Enqueue(ctx, testMessage(t, "y")); !errors.Is(err, queue.ErrFull) || errors.Is(err, queue.ErrBroken) {
			t.Errorf("%s: %v", sql, err)
		}
		f.setFault("", nil)
		id := mustEnqueue(t, s, testMessage(t, "z"))
		if page, err := s.List(ctx, queue.Filter{}); err != nil || len(page.Entries) != 1 || page.Entries[0].ID != id {
			t.Errorf("%+v, %v", page, err)
		}
		checkTally(t, s)
	}
}

func TestSomeSpaceIsLeft(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	left := int64(1000)
	s := openStore(t, filepath.Join(t.TempDir(), "outbox.db"), outbox.Options{MinFree: 900},
		Harness{free: func(string) int64 { return left }})
	if _, err := s.Enqueue(ctx, testMessage(t, strings.Repeat("x", 101))); !errors.Is(err, queue.ErrFull) {
		t.Errorf("101 octets of 1000: %v", err)
	}
	keyed := testMessage(t, strings.Repeat("x", 100))
	keyed.Key = "k"
	id := mustEnqueue(t, s, keyed)
	left = 0
	if result, err := s.Enqueue(ctx, keyed); err != nil || !result.Duplicate || result.ID != id {
		t.Errorf("again on a full disk: %+v, %v", result, err)
	}
	keyed.Fingerprint[0]++
	if _, err := s.Enqueue(ctx, keyed); !errors.Is(err, queue.ErrConflict) {
		t.Errorf("another with the key on a full disk: %v", err)
	}
	left = 1000
	if stats, err := s.Stats(ctx); err != nil || stats.Free != 1000 || stats.Bytes <= 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	left = -1 // not known
	mustEnqueue(t, s, testMessage(t, strings.Repeat("x", 2000)))
}

func TestFailpoints(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	s := openStore(t, filepath.Join(t.TempDir(), "outbox.db"), outbox.Options{InlineBytes: 10}, Harness{Hook: func(point string) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, point)
	}})
	mustEnqueue(t, s, testMessage(t, strings.Repeat("x", 11)))
	if !slices.Equal(seen, Failpoints()) || len(seen) != 5 {
		t.Errorf("%v", seen)
	}
}

// A program that writes for a while makes the others wait; one that writes for too long is an
// error.
func TestBusy(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "outbox.db")
	patient := openStore(t, path, outbox.Options{}, Harness{patience: time.Hour})
	hasty := openStore(t, path, outbox.Options{}, Harness{patience: time.Millisecond})
	other, err := openDriverConn(dsn(path, "rw"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.close() }()
	if _, err := other.exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { _, err := patient.Enqueue(ctx, testMessage(t, "x")); done <- err }()
	if _, err := hasty.Enqueue(ctx, testMessage(t, "x")); err == nil || !strings.Contains(err.Error(), "another program has been writing") {
		t.Errorf("%v", err)
	}
	if _, err := hasty.List(ctx, queue.Filter{}); err != nil {
		t.Errorf("a reader does not wait: %v", err)
	}
	select {
	case err := <-done:
		t.Errorf("it did not wait: %v", err)
	default:
	}
	if _, err := other.exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	mustEnqueue(t, hasty, testMessage(t, "y")) // it still works
}

// Close does not wait for a program that is writing.
func TestCloseWhileBusy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	s := openStore(t, path, outbox.Options{}, Harness{patience: time.Hour})
	other, err := openDriverConn(dsn(path, "rw"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.close() }()
	if _, err := other.exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { _, err := s.Enqueue(context.Background(), testMessage(t, "x")); done <- err }()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, queue.ErrClosed) {
		t.Errorf("%v", err)
	}
}
