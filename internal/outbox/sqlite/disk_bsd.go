//go:build darwin || freebsd

package sqlite

import "golang.org/x/sys/unix"

// network returns the kind of a folder's file system if it is not local (MNT_LOCAL of
// statfs(2)), otherwise "".
func network(folder string) string {
	var s unix.Statfs_t
	if unix.Statfs(folder, &s) != nil || uint64(s.Flags)&unix.MNT_LOCAL != 0 {
		return ""
	}
	return unix.ByteSliceToString(s.Fstypename[:])
}
