package message

import (
	"slices"
	"strings"
	"unicode"
)

// mustEncodeWord reports whether a word of a text must be encoded. A word that only resembles an encoded
// word keeps some mail programs from decoding the next one.
func mustEncodeWord(word string) bool {
	lookalike := strings.Contains(word, "=?") && !isEncodedWord(word)
	return lookalike || !isASCII(word) || len(word) > longestFitWord
}

// isEncodedWord reports whether a word is an encoded word; a much too long one is rewritten.
func isEncodedWord(word string) bool {
	return word != "" && len(word) <= longestFitWord && encodedWordLen(word) == len(word)
}

// decodedText returns a text with its encoded words decoded; ok is false if one can't be decoded,
// or contains characters that a header can't.
func decodedText(value string) (plain string, ok bool) {
	encoded := false // the previous word
	for blank, word := range splitWords(value) {
		if !isEncodedWord(word) {
			plain, encoded = plain+blank+word, false
			continue
		}
		text, ok := decodeWord(word)
		if !ok || strings.ContainsFunc(text, unicode.IsControl) {
			return "", false
		}
		if !encoded { // mail programs drop blanks between encoded words
			plain += blank
		}
		plain, encoded = plain+text, true
	}
	return plain, true
}

// textField appends unstructured text, in which some words may be encoded already. They are encoded
// together with the rest, or stay if they can't be decoded.
func (f *folder) textField(value string) {
	if !slices.ContainsFunc(strings.Fields(value), isEncodedWord) {
		f.appendUnstructured(value, mustEncodeWord)
		return
	}
	if plain, ok := decodedText(value); ok {
		f.appendUnstructured(plain, func(word string) bool { return strings.Contains(word, "=?") || mustEncodeWord(word) })
		return
	}
	between := ""
	flush := func() {
		if slices.ContainsFunc(strings.Fields(between), mustEncodeWord) {
			// With the blanks at both ends: mail programs drop those between encoded words.
			f.appendEncoded(" ", between, shorterEncoding(between))
		} else {
			f.appendWords(between)
		}
		between = ""
	}
	for blank, word := range splitWords(value) {
		if !isEncodedWord(word) {
			between += blank + word
			continue
		}
		between += blank
		flush()
		f.appendWord(" ", word)
	}
	flush()
}
