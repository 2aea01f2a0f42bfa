package provider

import (
	"strings"
	"unicode"
)

// Secret removes from an app password or authorization code the characters that web pages add:
// Unicode white space and invisible characters. It leaves passwords of other providers unchanged,
// since they may contain any character.
func (p Provider) Secret(pasted string) string {
	if !p.JoinsSecret() {
		return pasted
	}
	return strings.Map(func(r rune) rune {
		if unseen(r) {
			return -1
		}
		return r
	}, pasted)
}

// unseen reports white space, format characters, and empty letters: Hangul and Khmer fillers, the
// grapheme joiner, and variation selectors.
func unseen(r rune) bool {
	return unicode.Is(unicode.White_Space, r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r)
}

// LooksWrong reports whether a secret can't be one of the provider's. Usually it is the web login's
// password instead of the code.
func (p Provider) LooksWrong(secret string) bool {
	letter := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	return p.Has(SecretOf16Letters) && (len(secret) != 16 || strings.ContainsFunc(secret, func(r rune) bool { return !letter(r) }))
}
