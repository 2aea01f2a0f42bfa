package message

import (
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// An encoded word (RFC 2047) is at most 75 characters long, and a line that
// holds one at most 76.
const (
	maxEncodedWord = 75
	encodedFrame   = len("=?UTF-8?B?") + len("?=")
)

// wordEncoding is the B or the Q of an encoded word.
type wordEncoding byte

const (
	bEncoding wordEncoding = 'B'
	qEncoding wordEncoding = 'Q'
)

// shorterEncoding picks by length, and Q where both are equal: it can be read.
func shorterEncoding(s string) wordEncoding {
	if bEncoding.size(s) < qEncoding.size(s) {
		return bEncoding
	}
	return qEncoding
}

// size is the length of s as the text of one encoded word, frame not counted.
func (e wordEncoding) size(s string) int {
	if e == bEncoding {
		return base64.StdEncoding.EncodedLen(len(s))
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] == ' ' || isQLiteral(s[i]) {
			n++
		} else {
			n += 3
		}
	}
	return n
}

// word frames s as one encoded word.
func (e wordEncoding) word(s string) string { return string(e.appendWord(nil, s)) }

func (e wordEncoding) appendWord(dst []byte, s string) []byte {
	dst = append(append(dst, "=?UTF-8?"...), byte(e), '?')
	if e == bEncoding {
		dst = base64.StdEncoding.AppendEncode(dst, []byte(s))
	} else {
		dst = appendQ(dst, s)
	}
	return append(dst, "?="...)
}

func appendQ(dst []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ' ':
			dst = append(dst, '_')
		case isQLiteral(c):
			dst = append(dst, c)
		default:
			dst = append(dst, '=', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

// isQLiteral is what may stand unencoded even in a display name, the strictest
// place (RFC 2047 section 5, rule 3).
func isQLiteral(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '!' || c == '*' || c == '+' || c == '-' || c == '/'
}

// cut splits s where an encoded word of at most room characters has to end:
// between what readers see as characters, and at least between code points.
// head is "" when its first character fits only into a word of whole
// characters, on the next line.
func (e wordEncoding) cut(s string, room, whole int) (head, rest string) {
	end := 0
	for end < len(s) {
		next := end + clusterLen(s[end:])
		if encodedFrame+e.size(s[:next]) > room {
			break
		}
		end = next
	}
	if end > 0 || encodedFrame+e.size(s[:clusterLen(s)]) <= whole {
		return s[:end], s[end:]
	}
	// So many marks on one character that it fits nowhere.
	for end < len(s) {
		_, n := utf8.DecodeRuneInString(s[end:])
		if encodedFrame+e.size(s[:end+n]) > room {
			break
		}
		end += n
	}
	return s[:end], s[end:]
}

// clusterLen is the length of the first character as readers see it: a code
// point with the marks, joiners, skin tones and the second half of a flag that
// follow it. It approximates the grapheme clusters of Unicode's UAX 29 without
// their tables, and gives up at a length that no encoded word can hold.
func clusterLen(s string) int {
	first, n := utf8.DecodeRuneInString(s)
	if isRegional(first) {
		if r, m := utf8.DecodeRuneInString(s[n:]); isRegional(r) {
			return n + m
		}
		return n
	}
	joined := false
	for n < len(s) && n < maxEncodedWord {
		r, m := utf8.DecodeRuneInString(s[n:])
		const joiner = '\u200d'
		extends := r == joiner || isMark(r) ||
			r >= 0x1f3fb && r <= 0x1f3ff // skin tones
		if !extends && !joined {
			break
		}
		joined = r == joiner
		n += m
	}
	return n
}

// isMark knows without a table what most characters are: Latin letters, and
// the ideographs of Chinese.
func isMark(r rune) bool {
	if r < 0x300 || r >= 0x3400 && r <= 0x9fff {
		return false
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc)
}

func isRegional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// decodeWord decodes s if it is one encoded word in a charset that is known.
func decodeWord(s string) (string, bool) {
	if !strings.HasPrefix(s, "=?") {
		return s, false
	}
	d := mime.WordDecoder{CharsetReader: charsetReader}
	if decoded, err := d.Decode(s); err == nil {
		return decoded, true
	}
	return s, false
}

// charsetReader knows the charsets of Chinese mail; WordDecoder itself knows
// UTF-8, ASCII and Latin-1.
func charsetReader(charset string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "gb2312", "gbk", "gb18030":
		return simplifiedchinese.GB18030.NewDecoder().Reader(r), nil
	}
	return nil, errors.New("unknown charset " + charset)
}
