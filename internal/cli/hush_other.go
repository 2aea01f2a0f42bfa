//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package cli

// hush is for terminals that show what is typed when it is typed; a console shows
// it when it is read.
func hush() func() { return func() {} }
