//go:build !windows

package words

// System is "": elsewhere than on Windows the environment says it all.
func System() string { return "" }
