//go:build !windows

package smtpclient

import "syscall"

func resets() []error { return []error{syscall.ECONNRESET} }
