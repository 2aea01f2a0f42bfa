//go:build darwin || freebsd

package sqlite

import "golang.org/x/sys/unix"

// network gives the kind of the file system where a folder is, where that is not
// this machine's own (MNT_LOCAL of statfs(2)).
func network(folder string) string {
	var s unix.Statfs_t
	if unix.Statfs(folder, &s) != nil || uint64(s.Flags)&unix.MNT_LOCAL != 0 {
		return ""
	}
	return unix.ByteSliceToString(s.Fstypename[:])
}
