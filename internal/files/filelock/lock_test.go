package filelock_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/internal/files/filelock"
)

func TestLockLetsInOneAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	var inside, entered atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			unlock, err := filelock.Lock(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d are inside", n)
			}
			entered.Add(1)
			runtime.Gosched() // the others may try now
			inside.Add(-1)
		})
	}
	all.Wait()
	if n := entered.Load(); n != 8 {
		t.Errorf("%d of 8 were let in", n)
	}
}

func TestTry(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	first, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if ok, err := filelock.Try(first); !ok || err != nil {
		t.Fatalf("a free lock: %v, %v", ok, err)
	}
	if ok, err := filelock.Try(second); ok || err != nil {
		t.Errorf("another has it: %v, %v", ok, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if ok, err := filelock.Try(second); !ok || err != nil {
		t.Errorf("a released lock: %v, %v", ok, err)
	}
}

func TestLockIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := filelock.Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if _, err := filelock.Lock(t.Context(), path); !errors.Is(err, filelock.ErrBusy) || time.Since(start) != 10*time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if _, err := filelock.Lock(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v when the context ended", err)
		}
	})
	if _, err := filelock.Lock(t.Context(), filepath.Join(path, "below")); err == nil {
		t.Error("a lock in a folder that there is not")
	}
}
