//go:build !windows

package diagnosis

import "syscall"

func errnoRefused() []error { return []error{syscall.ECONNREFUSED} }
func errnoUnreachable() []error {
	return []error{syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN}
}
func errnoPipe() []error  { return []error{syscall.EPIPE} }
func errnoReset() []error { return []error{syscall.ECONNRESET, syscall.ECONNABORTED} }
