package smtpclient

import "golang.org/x/sys/windows"

// errnoReset is what the system says of a connection that the other side ended
// without a farewell. Windows has its own numbers for sockets; ECONNRESET of
// package syscall is an invention there that no call returns.
func errnoReset() []error { return []error{windows.WSAECONNRESET, windows.WSAECONNABORTED} }
