//go:build unix

package sendlog

import "golang.org/x/sys/unix"

// noFollow: a link is not opened, and a pipe that takes the file's place is not waited for.
const noFollow = unix.O_NOFOLLOW | unix.O_NONBLOCK
