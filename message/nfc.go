package message

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// toNFC converts a name to Unicode's form NFC. macOS returns file names in NFD, an "é" as "e"
// and an accent, which other systems display separately and don't find. Characters that NFC would
// replace by others stay, like U+FA19, a character of Japanese names that would become U+795E;
// macOS leaves the same ranges alone.
func toNFC(s string) string {
	if !mayCompose(s) || norm.NFC.IsNormalString(s) {
		return s
	}
	var b strings.Builder
	for s != "" {
		end := strings.IndexFunc(s, isKept)
		if end < 0 {
			end = len(s)
		}
		b.WriteString(norm.NFC.String(s[:end]))
		s = s[end:]
		next := strings.IndexFunc(s, func(r rune) bool { return !isKept(r) })
		if next < 0 {
			next = len(s)
		}
		b.WriteString(s[:next])
		s = s[next:]
	}
	return b.String()
}

// mayCompose decides most names without a table: nothing below the first combining mark and no
// ideograph of Chinese changes.
func mayCompose(s string) bool {
	for _, r := range s {
		if r >= 0x300 && (r < 0x3400 || r > 0x9fff) {
			return true
		}
	}
	return false
}

// isKept reports a compatibility ideograph or a letterlike sign, such as the Kelvin sign.
func isKept(r rune) bool {
	return r >= 0x2000 && r <= 0x2fff && !unicode.Is(unicode.Mn, r) || r >= 0xf900 && r <= 0xfaff || r >= 0x2f800 && r <= 0x2faff
}

// decodedName returns the decoded form of a name that was already encoded, as callers of
// libraries without support do; other names stay. No user wants an encoded name to be shown
// literally.
func decodedName(s string) string {
	if !strings.HasPrefix(s, "=?") || !strings.HasSuffix(s, "?=") {
		return s
	}
	for word := range strings.FieldsSeq(s) {
		if _, ok := decodeWord(word); !ok {
			return s
		}
	}
	return parseName(s)
}
