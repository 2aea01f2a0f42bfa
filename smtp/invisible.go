package smtp

import (
	"strings"
	"unicode"

	"github.com/yanmail/yan/internal/localerr"
)

// IsInvisible reports whether a character is invisible: format characters and fillers, but not
// white space.
func IsInvisible(r rune) bool {
	switch r {
	case 0x34f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x2800, 0x3164, 0xffa0:
		return true
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r)
}

// TrimInvisible removes invisible characters from both ends, as they come with text copied from a
// page or another program.
func TrimInvisible(s string) string { return strings.TrimFunc(s, IsInvisible) }

// isPartOfLetter reports whether an invisible character belongs to the one before
// it: a joiner in a domain (RFC 5892 appendix A), or a variation selector in a local
// part.
func isPartOfLetter(before string, r rune) bool {
	if strings.ContainsRune(before, '@') {
		return r == 0x200c || r == 0x200d
	}
	return unicode.Is(unicode.Variation_Selector, r)
}

// nameOf returns the name of an invisible character, as an error.
func nameOf(r rune) error {
	switch r {
	case 0xad:
		return localerr.New("a soft hyphen")
	case 0x200b:
		return localerr.New("a zero width space")
	case 0x200c:
		return localerr.New("a zero width non-joiner")
	case 0x200d:
		return localerr.New("a zero width joiner")
	case 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x61c:
		return localerr.New("a mark for the direction of text")
	case 0x2060, 0xfeff:
		return localerr.New("a byte order mark or word joiner")
	}
	if unicode.Is(unicode.Variation_Selector, r) {
		return localerr.New("a variation selector")
	}
	return localerr.New("a format character")
}

// fullWidth finds a full-width letter, digit or mark, as an Asian keyboard may type it; 0 if
// there is none.
func fullWidth(s string) (wide, ascii rune) {
	for _, r := range s {
		switch {
		case r >= '！' && r <= '～':
			return r, r - '！' + '!'
		case r == '。' || r == '｡':
			return r, '.'
		}
	}
	return 0, 0
}

// eastAsian finds a character that a Chinese or Japanese keyboard types in place of one that an
// address needs or can't contain; 0 if there is none. IDNA maps letters, digits and the full
// stop.
func eastAsian(s string) (wide, ascii rune) {
	for _, r := range s {
		switch r {
		case '＠':
			return r, '@'
		case '＜', '〈', '《', '⟨', '≪', '«':
			return r, '<'
		case '＞', '〉', '》', '⟩', '≫', '»':
			return r, '>'
		case '（', '【', '「', '『', '［', '〔', '｢', '〖':
			return r, '('
		case '）', '】', '」', '』', '］', '〕', '｣', '〗':
			return r, ')'
		case '，', '、', '､':
			return r, ','
		case '；':
			return r, ';'
		case '：':
			return r, ':'
		case '“', '”', '＂', '„', '‟':
			return r, '"'
		}
	}
	return 0, 0
}
