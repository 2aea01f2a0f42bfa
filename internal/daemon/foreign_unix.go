//go:build unix

package daemon

import (
	"io/fs"
	"syscall"
)

// noFollow prevents another user's symbolic link from creating a file elsewhere.
const noFollow = syscall.O_NOFOLLOW

// isForeign reports whether a file belongs neither to this user nor to root. Root may use every
// user's daemon.
func isForeign(info fs.FileInfo, user int) bool {
	of, ok := info.Sys().(*syscall.Stat_t)
	return ok && user != 0 && of.Uid != 0 && int(of.Uid) != user
}
