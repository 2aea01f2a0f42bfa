package clienthello

import "golang.org/x/sys/windows"

// ResetErrors returns the errors of the system for a connection that the other side reset.
// Windows has its own numbers for sockets; syscall.ECONNRESET is an invented number there that
// no call returns.
func ResetErrors() []error { return []error{windows.WSAECONNRESET, windows.WSAECONNABORTED} }
