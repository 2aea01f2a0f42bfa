//go:build unix

package dropfolder

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yanmail/yan/internal/localerr"
)

// fileMode lets the group read, which the folder's setgid bit makes the daemon's.
const fileMode = 0o640

// Exists reports whether there is a folder at a path in which this process may create files.
func Exists(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir() && writable(dir)
}

// Write creates a file for a message, durably: it is on the disk, with its name, when Write returns
// without an error. After an error nothing is left. A full disk is syscall.ENOSPC or
// syscall.EDQUOT, or syscall.EFBIG at the limit of the process.
func Write(dir string, e Envelope, m Content) error {
	e.Version, e.Size = version, m.Size()
	line, err := e.appendTo(nil)
	if err != nil {
		return err
	}
	if err := checkSticky(dir); err != nil {
		return err
	}
	unique := rand.Text()
	temp := filepath.Join(dir, tempPrefix+unique)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, fileMode)
	if err != nil {
		return err
	}
	defer f.Close() // its octets are synced, or it is removed
	if err := fill(f, line, m); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	name := filepath.Join(dir, fmt.Sprintf("%s%016x-%s", messagePrefix, time.Now().UnixNano(), unique))
	if err := os.Rename(temp, name); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return keepName(f, dir, name)
}

// checkSticky refuses a folder in which users can remove each other's files.
func checkSticky(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
	}
	return checkMode(dir, info)
}

func checkMode(dir string, info fs.FileInfo) error {
	if info.Mode()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return localerr.Errorf("%s: every user can remove the files of others; set its mode to 3733", dir)
	}
	return nil
}

func fill(f *os.File, line []byte, m Content) error {
	// The process's umask must not keep the daemon from reading.
	if err := f.Chmod(fileMode); err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 64<<10)
	if _, err := w.Write(line); err != nil {
		return err
	}
	n, err := m.WriteTo(w)
	if err == nil && n != m.Size() {
		err = localerr.Errorf("the file has %d octets of a message of %d", n, m.Size())
	}
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return err
}

// keepName makes the new name of a file durable. Ordinary users can't read the folder and so can't
// sync it. A sync of the file does the same: its inode has changed with the rename, and ext4, XFS
// and Btrfs write the name before they say that the inode is on the disk.
func keepName(f *os.File, dir, name string) error {
	folder, err := os.Open(dir)
	if err == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	} else if errors.Is(err, fs.ErrPermission) {
		err = f.Sync()
	}
	if err == nil {
		return nil
	}
	if gone := os.Remove(name); errors.Is(gone, fs.ErrNotExist) {
		return nil // the daemon has committed it already
	}
	return err
}

func writable(dir string) bool { return unix.Access(dir, unix.W_OK|unix.X_OK) == nil }
