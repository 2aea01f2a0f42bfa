package clienthello

import "golang.org/x/sys/windows"

// ResetErrors are the errors of the system for a connection that the other side reset. Windows has its own numbers for sockets; ECONNRESET of
// package syscall is an invention there that no call returns.
func ResetErrors() []error { return []error{windows.WSAECONNRESET, windows.WSAECONNABORTED} }
