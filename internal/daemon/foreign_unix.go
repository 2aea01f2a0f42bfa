//go:build unix

package daemon

import (
	"io/fs"
	"syscall"
)

// noFollow keeps a link of somebody else's from having a file made elsewhere.
const noFollow = syscall.O_NOFOLLOW

// isForeign tells what is neither this user's nor the administrator's. The
// administrator speaks to everybody's daemon.
func isForeign(info fs.FileInfo, user int) bool {
	of, ok := info.Sys().(*syscall.Stat_t)
	return ok && user != 0 && of.Uid != 0 && int(of.Uid) != user
}
