package diagnosis

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// Windows has its own numbers for sockets; those of package syscall named
// after Unix are inventions that no call returns.

func errnoRefused() []error { return []error{windows.WSAECONNREFUSED} }
func errnoUnreachable() []error {
	return []error{windows.WSAENETUNREACH, windows.WSAEHOSTUNREACH, windows.WSAENETDOWN, windows.WSAEHOSTDOWN}
}
func errnoPipe() []error  { return []error{syscall.EPIPE, windows.WSAESHUTDOWN} }
func errnoReset() []error { return []error{windows.WSAECONNRESET, windows.WSAECONNABORTED} }
