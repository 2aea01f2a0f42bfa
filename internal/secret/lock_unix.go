//go:build unix

package secret

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// tryLock locks a file until it is closed; ok is false while somebody else
// does.
func tryLock(f *os.File) (ok bool, err error) {
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return err == nil, err
}

// rename replaces a file, and has its name on the disk before it returns.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(to))
	if err != nil {
		return nil // it may be searched but not read: the file is in its place
	}
	defer folder.Close()
	_ = folder.Sync() // not every file system can; the file itself is on the disk
	return nil
}
