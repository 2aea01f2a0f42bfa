package smtpclient

import (
	"net"

	"golang.org/x/sys/unix"
)

// acknowledgeNow sends a delayed TCP acknowledgement now. It works on sockets only; a tunnel is
// left alone.
func acknowledgeNow(conn net.Conn) {
	socket, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return
	}
	// If it fails, the kernel acknowledges later.
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	})
}
