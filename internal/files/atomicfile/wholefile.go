// Package atomicfile writes files atomically: a reader, even after a crash, finds either the old
// content or the new one.
//
// [Write] replaces a file. [WriteTemp] only writes a new file in the same directory, for a caller that
// replaces several files together. [SyncFolder] makes the names of other new files durable.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Write replaces the file at path with data and mode. The directory must exist. A link is replaced,
// not followed.
func Write(path string, data []byte, mode fs.FileMode) error {
	written, err := WriteTemp(path, data, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(written, path); err != nil {
		_ = os.Remove(written) // the error of the rename is returned
		return err
	}
	return nil
}

// WriteTemp writes and syncs a new file in the directory of path, and returns its name for os.Rename
// or os.Remove. After an error no file is left.
func WriteTemp(path string, data []byte, mode fs.FileMode) (written string, err error) {
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
		_ = os.Remove(f.Name()) // the error of the write is returned
		return "", err
	}
	return f.Name(), nil
}

// SyncFolder syncs a directory. On Windows it does nothing: NTFS logs a name with the rename.
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
