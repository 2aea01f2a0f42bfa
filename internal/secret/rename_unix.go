//go:build unix

package secret

import (
	"os"
	"path/filepath"
)

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
