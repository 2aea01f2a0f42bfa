// Package filelock keeps processes of one machine from changing the same file
// at once. The lock is the system's and ends with the process that holds it.
//
// [Lock] is for a file that is replaced as a whole: it locks another one beside
// it, which stays. [Try] is for a file that one process has for as long as it
// is open.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// patience is how long Lock waits for another process that holds the lock: a
// write takes milliseconds.
const patience = 10 * time.Second

// ErrBusy: another process does not let go of the lock.
var ErrBusy = errors.New("another process holds the lock")

// busyError is ErrBusy with the time that was waited.
type busyError struct{ waited time.Duration }

func (e busyError) Error() string {
	return fmt.Sprintf("another process has been writing it for %v", e.waited)
}
func (busyError) Unwrap() error { return ErrBusy }

// Lock waits until no other process locks the file at a path, and locks it. It
// creates the file if there is none. The caller has to unlock it. The error is
// [ErrBusy] after ten seconds, and the context's cause when the context ends.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	return LockWithin(ctx, path, patience)
}

// LockWithin is Lock with another patience, for work that takes longer than a write.
func LockWithin(ctx context.Context, path string, patience time.Duration) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := wait(ctx, f, patience); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // nothing was written to it
}

func wait(ctx context.Context, f *os.File, patience time.Duration) error {
	tooLong := time.NewTimer(patience)
	defer tooLong.Stop()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		ok, err := Try(f)
		if ok {
			return nil
		}
		if err != nil {
			return fmt.Errorf("locking it: %w", err)
		}
		select {
		case <-again.C:
		case <-tooLong.C:
			return busyError{patience}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
