//go:build unix

package tokens

import (
	"os"
	"syscall"
)

// ownLike gives a file that root has written the owner and group of another file, and lets the group
// read it if it may read that one: the daemon runs as another user. Nothing changes for other users.
func ownLike(path, like string) error {
	info, err := os.Stat(like)
	if err != nil || os.Geteuid() != 0 {
		return nil // a file of this user is right
	}
	of, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if err := os.Chown(path, int(of.Uid), int(of.Gid)); err != nil {
		return err
	}
	return os.Chmod(path, 0o600|info.Mode().Perm()&0o040)
}
