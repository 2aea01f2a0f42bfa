//go:build !unix || aix

package smtpclient

import "net"

// nothingToRead can't be told here.
func nothingToRead(net.Conn) (nothing, known bool) { return false, false }
