//go:build unix

package account

import (
	"io/fs"
	"os"
	"syscall"
)

// othersWrite reports whether somebody else can write a configuration: everybody, or
// the group of a file that is another user's. It names commands that are run and
// servers that get passwords. What is no file, like /dev/null, passes.
func othersWrite(info fs.FileInfo) bool {
	mode := info.Mode()
	if !mode.IsRegular() {
		return false
	}
	of, ok := info.Sys().(*syscall.Stat_t)
	foreign := ok && int(of.Uid) != os.Geteuid() && of.Uid != 0
	return mode&0o002 != 0 || foreign && mode&0o020 != 0
}
