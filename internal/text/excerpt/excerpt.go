// Package excerpt shortens texts for errors, lists and logs. A text that was cut ends
// with "…".
package excerpt

import "unicode/utf8"

// Runes returns s if it has at most n characters, else its first n and "…".
func Runes(s string, n int) string {
	count := 0
	for i := range s {
		if count == n {
			return s[:i] + "…"
		}
		count++
	}
	return s
}

// Octets returns s if it has at most n octets, else whole characters of at most n octets
// and "…". It is for texts that are stored.
func Octets(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
