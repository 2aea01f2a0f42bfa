package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// lockPatience is how long another process may take to write the encrypted
// file, which is a matter of milliseconds.
const lockPatience = 10 * time.Second

var errBusy = fmt.Errorf("another process has been writing it for %v", lockPatience)

// waitForLock locks a file until it is closed; on an error it is closed.
func waitForLock(ctx context.Context, f *os.File) error {
	tooLong := time.NewTimer(lockPatience)
	defer tooLong.Stop()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		ok, err := tryLock(f)
		if ok {
			return nil
		}
		if err != nil {
			return errors.Join(fmt.Errorf("locking it: %w", err), f.Close())
		}
		select {
		case <-again.C:
		case <-tooLong.C:
			return errors.Join(errBusy, f.Close())
		case <-ctx.Done():
			return errors.Join(ended(ctx), f.Close())
		}
	}
}
