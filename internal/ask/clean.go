package ask

import (
	"strings"
	"unicode"
)

// Clean takes off a pasted secret what is not part of it: white space and line
// ends around it, and anywhere what can't be seen: zero-width characters, byte
// order marks, the marks of a bracketed paste. No-break spaces inside become
// spaces. No provider gives out secrets with such characters; web pages put them
// there.
func Clean(secret string) string {
	secret = strings.Map(func(r rune) rune {
		switch {
		case r == '\u00a0', r == '\u202f', r == '\u2007':
			return ' '
		case unicode.Is(unicode.Cf, r), r == '\u034f', r == '\u115f', r == '\u1160', r == '\u3164':
			return -1
		}
		return r
	}, unbracketed(secret))
	return strings.TrimFunc(secret, isBlank)
}

// isBlank: what surrounds an answer and is no part of it.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// unbracketed takes off the marks that a terminal puts around what is pasted,
// where the program that asked for them did not take them back.
func unbracketed(s string) string {
	return strings.NewReplacer("\x1b[200~", "", "\x1b[201~", "").Replace(s)
}
