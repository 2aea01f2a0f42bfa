//go:build !windows

package smtpclient

import "syscall"

// errnoReset is what the system says of a connection that the other side ended
// without a farewell.
func errnoReset() []error { return []error{syscall.ECONNRESET} }
