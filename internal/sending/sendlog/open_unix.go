//go:build unix

package sendlog

import "golang.org/x/sys/unix"

// noFollow prevents opening a link, and waiting for a pipe that has replaced the file.
const noFollow = unix.O_NOFOLLOW | unix.O_NONBLOCK
