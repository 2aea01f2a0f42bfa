//go:build !windows

package charset

// OfInput returns the charset in which other programs write: the locale's, or "" if it names none.
func OfInput(getenv func(string) string) string { return ofLocale(getenv) }
