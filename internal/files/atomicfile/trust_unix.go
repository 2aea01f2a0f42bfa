//go:build unix

package atomicfile

import (
	"io/fs"
	"os"
	"syscall"
)

// distrustReason returns why another user may have written a file or a name in a directory; "" if that is
// impossible. In a directory like /tmp, where only the owner may rename a file, the file alone
// decides. Devices such as /dev/null are accepted.
func distrustReason(info fs.FileInfo) string {
	mode := info.Mode()
	if mode&fs.ModeDevice != 0 {
		return ""
	}
	of, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case ok && of.Uid != 0 && int64(of.Uid) != int64(os.Geteuid()):
		return OthersOwn
	case mode&0o002 != 0 && mode&fs.ModeSticky == 0 && (mode.IsRegular() || mode.IsDir()):
		return OthersWrite
	}
	return ""
}

// hasModes reports whether a file's mode says who may read it.
const hasModes = true

func ownedByRoot(info fs.FileInfo) bool {
	of, ok := info.Sys().(*syscall.Stat_t)
	return ok && of.Uid == 0
}

// OwnLike gives a file that root has written the owner and group of another file, and lets the group
// read it if it may read that one: a service often runs as another user. For other users it changes
// nothing.
func OwnLike(path, like string) error {
	info, err := os.Stat(like)
	if err != nil || os.Geteuid() != 0 {
		return nil // a file of this user is right
	}
	of, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if err := os.Chown(path, int(of.Uid), int(of.Gid)); err != nil {
		return err
	}
	return os.Chmod(path, 0o600|info.Mode().Perm()&0o040)
}
