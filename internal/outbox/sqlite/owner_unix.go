//go:build unix

package sqlite

import (
	"io/fs"
	"os"
	"syscall"
)

// isForeign tells what is neither this user's nor the administrator's. The
// administrator looks after everybody's.
func isForeign(info fs.FileInfo, user int) bool {
	of, ok := info.Sys().(*syscall.Stat_t)
	return ok && user != 0 && of.Uid != 0 && int(of.Uid) != user
}

// closeToOthers takes everybody's rights away from what is this user's. Where the
// file system knows no modes nothing comes of it.
func closeToOthers(path string, info fs.FileInfo, user int) error {
	of, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(of.Uid) != user || info.Mode()&0o007 == 0 {
		return nil
	}
	return os.Chmod(path, info.Mode().Perm()&^0o007)
}
