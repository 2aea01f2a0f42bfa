package message

import (
	"encoding/base64"
	"io"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/text/charset"
)

// An encoded word (RFC 2047) is at most 75 characters long, and a line that contains one at most
// 76.
const (
	maxEncodedWord = 75
	encodedFrame   = len("=?UTF-8?B?") + len("?=")
)

// wordEncoding is the encoding of an encoded word, B or Q.
type wordEncoding byte

const (
	bEncoding wordEncoding = 'B'
	qEncoding wordEncoding = 'Q'
	// onlyB is bEncoding if no word may be in Q, even if that needs padding.
	onlyB wordEncoding = 'b'
)

func (e wordEncoding) isB() bool { return e != qEncoding }

// shorterEncoding returns the shorter encoding, and Q if both are equal, because Q is readable.
func shorterEncoding(s string) wordEncoding {
	if bEncoding.encodedSize(s) < qEncoding.encodedSize(s) {
		return bEncoding
	}
	return qEncoding
}

// encodedSize returns the length of s as the text of one encoded word, without the frame.
func (e wordEncoding) encodedSize(s string) int {
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

// isQLiteral reports whether a character may be unencoded even in a display name, the strictest
// place (RFC 2047 section 5, rule 3).
func isQLiteral(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '!' || c == '*' || c == '+' || c == '-' || c == '/'
}

// piece is one of several encoded words.
type piece struct {
	text     string
	encoding wordEncoding
}

func (p piece) size() int { return encodedFrame + p.encoding.encodedSize(p.text) }

func (p piece) appendTo(dst []byte) []byte {
	if dst = append(dst, "=?UTF-8?"...); p.encoding.isB() {
		dst = append(dst, "B?"...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(p.text))
	} else {
		dst = appendQ(append(dst, "Q?"...), p.text)
	}
	return append(dst, "?="...)
}

// cutWord returns the next encoded word of at most room characters of s: it ends between visible
// characters, or at least between code points. The text of p is "" if s should continue on the
// next line, which has room for whole characters.
//
// A base64 word that is not the last contains a multiple of three octets, so it has no padding.
//
// QUIRK: GMime (notmuch 0.37, for one) decodes neighbours of the same charset and encoding as one
// run of base64, and drops everything after the first padding. If the octets are not a multiple of
// three, a short word in Q comes first. Another charset would work as well, but Python's
// make_header inserts a blank before it.
func (e wordEncoding) cutWord(s string, room, whole int) (p piece, rest string) {
	fits := func(text string) bool { return encodedFrame+e.encodedSize(text) <= room }
	if fits(s) {
		return piece{s, e}, ""
	}
	most, even := 0, 0 // the longest that fits, and the longest multiple of three octets
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
		if p := shortestEven(s, most); p.size() <= room {
			return p, s[len(p.text):]
		}
	}
	return e.cutRunes(s, room)
}

// shortestEven returns the shortest prefix of s, in whole characters, after which the first most octets
// are a multiple of three.
func shortestEven(s string, most int) piece {
	end := clusterLen(s)
	for end%3 != most%3 {
		end += clusterLen(s[end:])
	}
	return piece{s[:end], qEncoding}
}

// cutRunes is cutWord for a character with so many marks that it fits nowhere.
func (e wordEncoding) cutRunes(s string, room int) (p piece, rest string) {
	most, even := 0, 0
	for end := 0; end < len(s); {
		_, n := utf8.DecodeRuneInString(s[end:])
		if end += n; encodedFrame+e.encodedSize(s[:end]) > room {
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

// clusterLen returns the length of the first visible character: a code point with the marks,
// joiners, skin tones and the second half of a flag that follow it. It approximates the grapheme
// clusters of Unicode's UAX 29 without their tables, and stops at a length that no encoded word
// can contain.
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

// isMark decides most characters without a table: Latin letters, and the ideographs of Chinese.
func isMark(r rune) bool {
	if r < 0x300 || r >= 0x3400 && r <= 0x9fff {
		return false
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc)
}

func isRegional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// decodeWord decodes s if it is one encoded word in a known charset.
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

// charsetReader decodes charsets that [mime.WordDecoder] does not support.
func charsetReader(name string, r io.Reader) (io.Reader, error) {
	encoding, err := charset.Find(name)
	if err != nil {
		return nil, err
	}
	return encoding.NewDecoder().Reader(r), nil
}
