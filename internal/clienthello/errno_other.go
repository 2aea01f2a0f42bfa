//go:build !windows

package clienthello

import "syscall"

// ResetErrors returns the errors of the system for a connection that the other side reset.
func ResetErrors() []error { return []error{syscall.ECONNRESET} }
