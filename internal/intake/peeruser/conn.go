package peeruser

import (
	"fmt"
	"net"
	"syscall"
)

// OfConn returns the user of the process that connected to a Unix socket. The error is
// ErrUnsupported for any other connection.
func OfConn(c net.Conn) (User, error) {
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return User{}, ErrUnsupported
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return User{}, fmt.Errorf("user at the socket: %w", err)
	}
	uid, err := controlUID(raw)
	if err != nil {
		return User{}, fmt.Errorf("user at the socket: %w", err)
	}
	return Find(uid)
}

func controlUID(raw syscall.RawConn) (uid int, err error) {
	outer := raw.Control(func(fd uintptr) { uid, err = socketUID(int(fd)) })
	if outer != nil {
		return 0, outer
	}
	return uid, err
}
