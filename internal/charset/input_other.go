//go:build !windows

package charset

// OfInput is the charset that other programs write in: that of the locale; "" if
// it names none.
func OfInput(getenv func(string) string) string { return ofLocale(getenv) }
