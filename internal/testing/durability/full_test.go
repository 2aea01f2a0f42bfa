//go:build linux

package durability

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/sqlite"
	"github.com/yanmail/yan/queue"
)

// fill enqueues letters until an error, which it returns.
func (b *battle) fill(ctx context.Context, s outbox.Store, most int) error {
	for n := range most {
		letter := NewLetter(fmt.Sprintf("f%d", b.series.Add(1)), n, 1, []int64{500, 3000, 20_000}[n%3])
		m, err := letter.New()
		if err != nil {
			return err
		}
		receipt, err := s.Enqueue(ctx, m)
		if err != nil {
			return err
		}
		b.kept[letter] = receipt.ID
	}
	return nil
}

// all checks that nothing is lost and delivers everything.
func (b *battle) all(ctx context.Context, t *testing.T) {
	t.Helper()
	before := b.examine(ctx, t, false)
	if err := b.settle(ctx, delivery.HoldDoubt, drained); err != nil {
		t.Fatal(err)
	}
	tally := b.examine(ctx, t, false)
	t.Logf("before: %s\nthen:   %s", before, tally)
	if before.Lost+tally.Lost+tally.Duplicates+tally.InDoubt > 0 || tally.HandedOver != tally.Acknowledged+tally.Untold || tally.Acknowledged == 0 {
		t.Errorf("%s", tally)
	}
}

// TestDiskIsFull checks that acknowledged letters are stored, that ErrFull is returned when there
// is no room, and that the same process continues when there is room again.
func TestDiskIsFull(t *testing.T) {
	t.Parallel()
	const size = 8 << 20
	folder := smallDisk(t, size)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	b := storeKind{place: func(testing.TB) string { return filepath.Join(folder, "outbox.db") }}.battle(t)
	ballast := filepath.Join(folder, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := openPlace(ctx, b.where, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = b.fill(ctx, s, 100_000)
	t.Logf("after %d letters: %v", len(b.kept), err)
	if !errors.Is(err, queue.ErrFull) {
		t.Fatalf("the disk is full, Enqueue returned %v", err)
	}
	if len(b.kept) < 50 {
		t.Errorf("there was room for only %d letters", len(b.kept))
	}
	before := len(b.kept)
	b.series.Store(100_000) // other names than those refused
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := b.fill(ctx, s, 20); err != nil {
		t.Fatalf("there is room again, Enqueue returned %v", err)
	}
	if len(b.kept) != before+20 {
		t.Errorf("%d letters were kept", len(b.kept)-before)
	}
	b.all(ctx, t)
}

// TestDiskIsNearlyFull checks that the reserve of free space suffices to deliver the enqueued
// letters and then to enqueue more.
func TestDiskIsNearlyFull(t *testing.T) {
	t.Parallel()
	folder := smallDisk(t, 8<<20)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	b := storeKind{place: func(testing.TB) string { return filepath.Join(folder, "outbox.db") }}.battle(t)
	s, err := sqlite.Open(ctx, b.where, outbox.Options{MinFree: 4 << 20, InlineBytes: inlineBytes})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = b.fill(ctx, s, 100_000)
	t.Logf("after %d letters: %v", len(b.kept), err)
	if !errors.Is(err, queue.ErrFull) {
		t.Fatalf("too little space is free, Enqueue returned %v", err)
	}
	b.all(ctx, t)
	if _, err := s.Prune(ctx, outbox.Retention{}); err != nil {
		t.Fatalf("too little space is free, Prune returned %v", err)
	}
}

// TestWritesFail makes the kernel refuse octets beyond a file size (RLIMIT_FSIZE) in the middle of
// a commit. The outbox reports it, accepts nothing more, and has all acknowledged letters when it
// is reopened.
func TestWritesFail(t *testing.T) {
	t.Parallel()
	for _, limit := range []uint64{300_000, 300_100, 301_111, 400_000, 1_000_000, 2_345_678} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
			defer cancel()
			b := storeKind{place: func(t testing.TB) string { return filepath.Join(t.TempDir(), "outbox.db") }}.battle(t)
			c, err := startChild(orders{Role: "enqueue", Where: b.where, Series: "w", Letters: 5000, Callers: 2, FileSize: limit})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.stdin.Close() }()
			told := ""
			late := time.After(patience)
			for open := true; open; {
				select {
				case line, more := <-c.lines:
					open = more
					if strings.HasPrefix(line, "error") || strings.HasPrefix(line, "refused") || line == "done" {
						told += line + "\n"
					} else if err := b.heard(line); more && err != nil {
						t.Fatal(err)
					}
					if line == "done" {
						_ = c.stdin.Close()
					}
				case <-late:
					t.Fatal("the child does not end")
				}
			}
			if strings.Contains(told, "done") || !strings.Contains(told, "refused broken") {
				t.Errorf("after %d messages: %q", len(b.kept), told)
			}
			t.Logf("after %d letters: %.300s", len(b.kept), told)
			b.all(ctx, t)
		})
	}
}
