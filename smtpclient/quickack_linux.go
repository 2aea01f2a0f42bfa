package smtpclient

import (
	"net"

	"golang.org/x/sys/unix"
)

// acknowledgeNow sends the confirmation of what has come that the kernel delays,
// if it does. It is for sockets alone; a tunnel is left as it is.
func acknowledgeNow(conn net.Conn) {
	socket, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return
	}
	// Where it fails the kernel takes its time, and that is all.
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	})
}
