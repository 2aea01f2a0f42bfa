//go:build !linux && !darwin && !freebsd && !windows

package sqlite

var quotaErrors []error // of this system

// The kind of the disk and its free space are not known here.
func free(string) int64     { return -1 }
func network(string) string { return "" }
