package diagnosis_test

import "golang.org/x/sys/windows"

func refused() error         { return windows.WSAECONNREFUSED }
func unreachable() error     { return windows.WSAEHOSTUNREACH }
func connectionReset() error { return windows.WSAECONNRESET }
