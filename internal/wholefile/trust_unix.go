//go:build unix

package wholefile

import (
	"io/fs"
	"os"
	"syscall"
)

// distrust is why what is written in a file, or in a folder, may be somebody else's word;
// "" if it can't. In a folder like /tmp, where only its owner may rename a file, the file
// alone decides. Devices like /dev/null pass.
func distrust(info fs.FileInfo) string {
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

// hasModes is whether the mode of a file says who may read it.
const hasModes = true

func ownedByRoot(info fs.FileInfo) bool {
	of, ok := info.Sys().(*syscall.Stat_t)
	return ok && of.Uid == 0
}
