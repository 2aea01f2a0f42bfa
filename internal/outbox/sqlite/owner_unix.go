//go:build unix

package sqlite

import (
	"io/fs"
	"os"
	"syscall"
)

// isForeign reports whether a file belongs neither to this user nor to root. For root no file
// is foreign.
func isForeign(info fs.FileInfo, user int) bool {
	of, ok := info.Sys().(*syscall.Stat_t)
	return ok && user != 0 && of.Uid != 0 && int(of.Uid) != user
}

// closeToOthers removes the permissions of other users from a file of this user. It does
// nothing if the file system has no modes.
func closeToOthers(path string, info fs.FileInfo, user int) error {
	of, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(of.Uid) != user || info.Mode()&0o007 == 0 {
		return nil
	}
	return os.Chmod(path, info.Mode().Perm()&^0o007)
}
