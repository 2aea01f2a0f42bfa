//go:build !linux

package smtpserver

import "net"

// TCPUser is known on Linux alone.
func TCPUser(net.Conn) (uid int, err error) { return 0, ErrNoTCPUser }
