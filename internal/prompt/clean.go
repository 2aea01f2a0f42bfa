package prompt

import (
	"strings"
	"unicode"
)

// CleanSecret removes characters that came with a pasted secret: surrounding white space and line ends,
// and anywhere invisible characters (zero-width characters, byte order marks, the marks of a
// bracketed paste). It turns no-break spaces inside into spaces. No provider issues secrets with
// such characters; web pages add them.
func CleanSecret(secret string) string {
	secret = strings.Map(func(r rune) rune {
		switch {
		case r == '\u00a0', r == '\u202f', r == '\u2007':
			return ' '
		case unicode.Is(unicode.Cf, r), r == '\u034f', r == '\u115f', r == '\u1160', r == '\u3164':
			return -1
		}
		return r
	}, stripPasteMarks(secret))
	return strings.TrimFunc(secret, isBlank)
}

// isBlank reports whether a character around an answer is not part of it.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// stripPasteMarks removes the marks of a bracketed paste, which a terminal sends if a program has left
// that mode on.
func stripPasteMarks(s string) string {
	return strings.NewReplacer("\x1b[200~", "", "\x1b[201~", "").Replace(s)
}
