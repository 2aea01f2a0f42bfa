package provider

import (
	"strings"
	"unicode"
)

// Secret takes out of an app password or authorization code what a web page put into it
// and no such secret holds: everything that Unicode counts as white space, and what
// can't be seen. Passwords of other providers are left as they are, since they may hold
// anything.
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

// unseen reports white space, format characters, and letters that are empty: fillers of
// Hangul and Khmer, the grapheme joiner, and selectors of variants.
func unseen(r rune) bool {
	return unicode.Is(unicode.White_Space, r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r)
}

// LooksWrong reports whether a secret can't be one of the provider's: the password of the
// web page in place of the code, mostly.
func (p Provider) LooksWrong(secret string) bool {
	letter := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	return p.Has(SecretOf16Letters) && (len(secret) != 16 || strings.ContainsFunc(secret, func(r rune) bool { return !letter(r) }))
}
