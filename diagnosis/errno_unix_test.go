//go:build !windows

package diagnosis_test

import "syscall"

func refused() error         { return syscall.ECONNREFUSED }
func unreachable() error     { return syscall.EHOSTUNREACH }
func connectionReset() error { return syscall.ECONNRESET }
