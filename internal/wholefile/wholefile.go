// Package wholefile writes files whole or not at all: whoever reads one, even
// behind a crash, finds the old content or the new.
//
// [Write] puts a file in the place of the old one. [Beside] only writes it, in the
// same folder, for a caller that has several to put in their places together.
// [SyncFolder] is for who makes files of another kind, whose names have to last.
package wholefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Write makes the content of path data, and its mode mode. Its folder has to be
// there. A link is replaced, not followed.
func Write(path string, data []byte, mode fs.FileMode) error {
	written, err := Beside(path, data, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(written, path); err != nil {
		_ = os.Remove(written) // the reason is that of the rename
		return err
	}
	return nil
}

// Beside writes a new file in the folder of path, and to the disk, and gives its
// name: for os.Rename, or os.Remove. Nothing is left behind an error.
func Beside(path string, data []byte, mode fs.FileMode) (written string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.new") // 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name()) // the reason is that of the write
		return "", err
	}
	return f.Name(), nil
}

// SyncFolder writes the names in a folder to the disk. On Windows there is nothing to
// do: NTFS writes a name to its log with the rename.
func SyncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
