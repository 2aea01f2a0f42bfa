//go:build linux || darwin || freebsd

package sqlite

import (
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

var quotaErrors = []error{syscall.EDQUOT}

// free returns the octets available to this user on the disk of a file, or -1 if that is not
// known.
func free(path string) int64 {
	var s unix.Statfs_t
	if unix.Statfs(filepath.Dir(path), &s) != nil {
		return -1
	}
	return int64(s.Bavail) * int64(s.Bsize)
}
