package diagnosis

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// Windows has its own numbers for socket errors; no call returns the constants of package syscall
// with Unix names.

func errnoRefused() []error { return []error{windows.WSAECONNREFUSED} }
func errnoUnreachable() []error {
	return []error{windows.WSAENETUNREACH, windows.WSAEHOSTUNREACH, windows.WSAENETDOWN, windows.WSAEHOSTDOWN}
}
func errnoPipe() []error  { return []error{syscall.EPIPE, windows.WSAESHUTDOWN} }
func errnoReset() []error { return []error{windows.WSAECONNRESET, windows.WSAECONNABORTED} }
