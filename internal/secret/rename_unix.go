//go:build unix

package secret

import (
	"os"
	"path/filepath"
)

// renameDurably replaces a file and syncs the directory before it returns.
func renameDurably(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(to))
	if err != nil {
		return nil // the directory may be searchable but not readable; the file is in its place
	}
	defer folder.Close()
	_ = folder.Sync() // some file systems can't; the file itself is on the disk
	return nil
}
