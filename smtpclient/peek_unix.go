//go:build unix && !aix

package smtpclient

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// nothingToRead checks the socket's buffer without reading. known is false for a connection that
// is not a socket, like a tunnel through a proxy.
func nothingToRead(conn net.Conn) (nothing, known bool) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return false, false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false, false
	}
	var peekErr error
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, peekErr = unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	})
	return errors.Is(peekErr, unix.EAGAIN), err == nil
}
