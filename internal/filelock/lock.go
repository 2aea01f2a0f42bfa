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

// patience is how long another process may hold a lock for which somebody
// waits: what is written under it is a matter of milliseconds.
const patience = 10 * time.Second

// ErrBusy: another process does not let go of the lock.
var ErrBusy = fmt.Errorf("another process has been writing it for %v", patience)

// Lock waits until the file at a path, which it makes if there is none, is not
// locked by anybody else. The caller has to unlock it. The error is [ErrBusy]
// after ten seconds, and the context's cause when that ends.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := wait(ctx, f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // nothing was written to it
}

func wait(ctx context.Context, f *os.File) error {
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
			return ErrBusy
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
