//go:build !linux && !darwin && !freebsd && !windows

package sqlite

var quotaErrors []error // that the system has

// What the disk is, and how much is left on it, is not known here.
func free(string) int64     { return -1 }
func network(string) string { return "" }
