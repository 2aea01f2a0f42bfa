// Package filelock keeps two processes of one machine from changing the same file at
// once. The lock is advisory and ends with the process that holds it.
//
// [Lock] takes a lock file next to a file that is replaced as a whole; the lock file
// stays. [Try] locks a file that is already open, for as long as it is open.
//
// Lock files are github.com/gofrs/flock's. It can't lock an open file, and its lock of
// the first octet would keep others from reading a log on Windows; [Try] is for that.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// timeout is how long Lock waits for another process: a write takes milliseconds.
const timeout = 10 * time.Second

// ErrBusy means that another process kept the lock for too long.
var ErrBusy = errors.New("another process holds the lock")

// busyError is ErrBusy with the time that was waited.
type busyError struct{ waited time.Duration }

func (e busyError) Error() string {
	return fmt.Sprintf("another process has been writing it for %v", e.waited)
}
func (busyError) Unwrap() error { return ErrBusy }

// Lock waits until it has the lock of the file at path, which it creates if there is
// none. The caller must call unlock. The error is [ErrBusy] after ten seconds, and the
// context's cause if ctx ends first.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	return LockWithin(ctx, path, timeout)
}

// LockWithin is Lock with another timeout, for work that takes longer than a write.
func LockWithin(ctx context.Context, path string, timeout time.Duration) (unlock func(), err error) {
	waiting, cancel := context.WithTimeoutCause(ctx, timeout, busyError{timeout})
	defer cancel()
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR))
	locked, err := lock.TryLockContext(waiting, 10*time.Millisecond)
	switch {
	case locked:
		return func() { _ = lock.Close() }, nil // nothing was written to it
	case waiting.Err() != nil && errors.Is(err, waiting.Err()):
		return nil, context.Cause(waiting)
	}
	if _, opening := errors.AsType[*fs.PathError](err); opening {
		return nil, err
	}
	return nil, fmt.Errorf("locking it: %w", err)
}
