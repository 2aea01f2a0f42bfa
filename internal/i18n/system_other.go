//go:build !windows

package i18n

// System is "": elsewhere than on Windows the environment says it all.
func System() string { return "" }
