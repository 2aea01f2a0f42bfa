//go:build unix

package peeruser

import (
	"io/fs"
	"syscall"
)

// OfFile returns the owner of a file, from its Stat.
func OfFile(info fs.FileInfo) (User, error) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return User{}, ErrUnsupported
	}
	return Find(int(stat.Uid))
}
