//go:build !windows

package i18n

// System returns "": except on Windows, the environment names the language.
func System() string { return "" }
