//go:build !unix || aix

package smtpclient

import "net"

// nothingToRead is not available on this system.
func nothingToRead(net.Conn) (nothing, known bool) { return false, false }
