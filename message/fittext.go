package message

import (
	"slices"
	"strings"
	"unicode"
)

// fitWord reports whether a word of a text can't be sent as it stands there. What only
// looks like an encoded word keeps some readers from decoding the next one.
func fitWord(word string) bool {
	lookalike := strings.Contains(word, "=?") && !isEncodedWord(word)
	return lookalike || !isASCII(word) || len(word) > longestFitWord
}

// isEncodedWord: one that is much too long is written anew.
func isEncodedWord(word string) bool {
	return word != "" && len(word) <= longestFitWord && encodedWordLen(word) == len(word)
}

// decodedText is a text without encoded words; ok is false if one can't be decoded, or
// holds what a header can't.
func decodedText(value string) (plain string, ok bool) {
	encoded := false // the word before
	for blank, word := range splitWords(value) {
		if !isEncodedWord(word) {
			plain, encoded = plain+blank+word, false
			continue
		}
		text, ok := decodeWord(word)
		if !ok || strings.ContainsFunc(text, unicode.IsControl) {
			return "", false
		}
		if !encoded { // readers drop blanks between encoded words
			plain += blank
		}
		plain, encoded = plain+text, true
	}
	return plain, true
}

// text appends unstructured text, in which words may be encoded already. They are encoded
// together with the rest, or stay what they are if they can't be decoded.
func (f *folder) text(value string) {
	if !slices.ContainsFunc(strings.Fields(value), isEncodedWord) {
		f.unstructured(value, fitWord)
		return
	}
	if plain, ok := decodedText(value); ok {
		f.unstructured(plain, func(word string) bool { return strings.Contains(word, "=?") || fitWord(word) })
		return
	}
	between := ""
	flush := func() {
		if slices.ContainsFunc(strings.Fields(between), fitWord) {
			// With the blanks at both ends: readers drop those between encoded words.
			f.encoded(" ", between, shorterEncoding(between))
		} else {
			f.words(between)
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
		f.word(" ", word)
	}
	flush()
}
