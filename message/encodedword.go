package message

import (
	"encoding/base64"
	"io"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/charset"
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
	// onlyB is bEncoding where no word may be in Q, even at the price of padding.
	onlyB wordEncoding = 'b'
)

func (e wordEncoding) isB() bool { return e != qEncoding }

// shorterEncoding picks by length, and Q where both are equal: it can be read.
func shorterEncoding(s string) wordEncoding {
	if bEncoding.size(s) < qEncoding.size(s) {
		return bEncoding
	}
	return qEncoding
}

// size is the length of s as the text of one encoded word, frame not counted.
func (e wordEncoding) size(s string) int {
	if e.isB() {
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

// piece is one encoded word of several.
type piece struct {
	text     string
	encoding wordEncoding
}

func (p piece) size() int { return encodedFrame + p.encoding.size(p.text) }

func (p piece) append(dst []byte) []byte {
	if dst = append(dst, "=?UTF-8?"...); p.encoding.isB() {
		dst = append(dst, "B?"...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(p.text))
	} else {
		dst = appendQ(append(dst, "Q?"...), p.text)
	}
	return append(dst, "?="...)
}

// cut takes the next encoded word of at most room characters from s: it ends
// between what readers see as characters, and at least between code points. The
// text of p is "" when s is better continued on the next line, which has whole
// characters.
//
// A word in base64 that is not the last holds a multiple of three octets, and so
// ends without padding.
//
// QUIRK: GMime (notmuch 0.37, for one) decodes neighbours of the same charset
// and encoding as one run of base64, and drops what follows the first padding.
// Where the octets don't come out even, a short word in Q comes first. Another
// charset would do as well, but Python's make_header puts a blank before it.
func (e wordEncoding) cut(s string, room, whole int) (p piece, rest string) {
	fits := func(text string) bool { return encodedFrame+e.size(text) <= room }
	if fits(s) {
		return piece{s, e}, ""
	}
	most, even := 0, 0 // the longest that fits, and the longest of a multiple of three octets
	for end := 0; ; {
		end += clusterLen(s[end:])
		if end > len(s) || !fits(s[:end]) {
			break
		}
		most = end
		if end%3 == 0 {
			even = end
		}
	}
	switch {
	case e == qEncoding && most > 0:
		return piece{s[:most], e}, s[most:]
	case e.isB() && even > 0 && even*2 >= most:
		return piece{s[:even], e}, s[even:]
	case e == onlyB && most > 0:
		return piece{s[:most], e}, s[most:]
	case room < whole:
		return piece{}, s
	case e == bEncoding && most > 0:
		if p := evener(s, most); p.size() <= room {
			return p, s[len(p.text):]
		}
	}
	return e.cutRunes(s, room)
}

// evener is the shortest beginning of s, of whole characters, after which the
// first most octets are a multiple of three.
func evener(s string, most int) piece {
	end := clusterLen(s)
	for end%3 != most%3 {
		end += clusterLen(s[end:])
	}
	return piece{s[:end], qEncoding}
}

// cutRunes is cut for so many marks on one character that it fits nowhere.
func (e wordEncoding) cutRunes(s string, room int) (p piece, rest string) {
	most, even := 0, 0
	for end := 0; end < len(s); {
		_, n := utf8.DecodeRuneInString(s[end:])
		if end += n; encodedFrame+e.size(s[:end]) > room {
			break
		}
		most = end
		if end%3 == 0 {
			even = end
		}
	}
	if e == bEncoding {
		if even == 0 {
			_, n := utf8.DecodeRuneInString(s)
			return piece{s[:n], qEncoding}, s[n:]
		}
		most = even
	}
	return piece{s[:most], e}, s[most:]
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

// charsetReader decodes the charsets that [mime.WordDecoder] does not know.
func charsetReader(name string, r io.Reader) (io.Reader, error) {
	encoding, err := charset.Find(name)
	if err != nil {
		return nil, err
	}
	return encoding.NewDecoder().Reader(r), nil
}
