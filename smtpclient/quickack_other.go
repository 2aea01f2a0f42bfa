//go:build !linux

package smtpclient

import "net"

// acknowledgeNow does nothing: only Linux supports it.
func acknowledgeNow(net.Conn) {}
