//go:build !linux

package smtpclient

import "net"

// acknowledgeNow does nothing: only Linux lets a program ask for it.
func acknowledgeNow(net.Conn) {}
