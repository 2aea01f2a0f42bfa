package smtpclient

import "syscall"

// WSAECONNABORTED and WSAECONNRESET.
func resets() []error { return []error{syscall.Errno(10053), syscall.Errno(10054)} }
