package message

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/localerr"
)

// checkText refuses characters that must not get into a header: line breaks and NUL, which would
// end the field or the command, and everything that a terminal or a parser may interpret. The
// error completes "… ".
func checkText(s string, allowTab bool) error {
	if isPrintableASCII(s) {
		return nil
	}
	if !utf8.ValidString(s) {
		return localerr.New("is not UTF-8")
	}
	for _, r := range s {
		switch {
		case r == '\r' || r == '\n':
			return localerr.New("contains a line break")
		case r == 0:
			return localerr.New("contains a NUL character")
		case r == '\t' && allowTab:
		case unicode.IsControl(r):
			return localerr.Errorf("contains the control character %U", r)
		case r == '\u2028' || r == '\u2029':
			return localerr.Errorf("contains the line separator %U", r)
		}
	}
	return nil
}

func isPrintableASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// maxQuoted is the number of characters of a text that an error quotes.
const maxQuoted = 80

// maxLine is the maximum number of octets in a line without its CRLF (RFC 5322 section 2.1.1).
const maxLine = 998

// maxPlainLine is the longest line of an ASCII text that is sent unencoded, as RFC 5322 section
// 2.1.1 recommends. QUIRK: GMX breaks longer ones.
//
// maxEightBitLine is the same in octets above 127, and of an attached message.
// QUIRK: Haraka cuts lines from 991 octets on, although the standard allows 998.
const (
	maxPlainLine    = 78
	maxEightBitLine = 900
)

// normalizeLineEnds converts every line end to CRLF: LF, a lone CR and CRLF itself.
func normalizeLineEnds(s string) string {
	if !strings.Contains(s, "\r") {
		return strings.ReplaceAll(s, "\n", "\r\n")
	}
	var b strings.Builder
	b.Grow(len(s) + strings.Count(s, "\n"))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\r':
			b.WriteString("\r\n")
			if i+1 < len(s) && s[i+1] == '\n' {
				i++
			}
		case '\n':
			b.WriteString("\r\n")
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// encoding is a Content-Transfer-Encoding (RFC 2045 section 6.1).
type encoding string

const (
	sevenBit       encoding = "7bit"
	eightBit       encoding = "8bit"
	quotedText     encoding = "quoted-printable"
	base64Encoding encoding = "base64"
	binaryEncoding encoding = "binary" // RFC 3030 section 3; for attachments only
)

// transfer says how a text is sent, to servers without and with 8BITMIME.
type transfer struct {
	seven, eight encoding
	quoted       quotedPrintable // measured if seven is quotedText
}

// textFacts are the properties that decide the transfer of a text.
type textFacts struct {
	kinds   byteKind
	longest int // octets of the longest line
	// lookalike reports a line that begins like a boundary of this package, or with the "From "
	// before which mailboxes put a ">".
	lookalike bool
}

// byteKind is a set of kinds of octets.
type byteKind byte

const (
	nonASCII   byteKind = 1 << iota
	control             // except the tab
	oddLineEnd          // a CR or an LF that is not part of a CRLF
)

func kindOf(c byte) byteKind {
	switch {
	case c >= utf8.RuneSelf:
		return nonASCII
	case c == '\r':
		return oddLineEnd // in the midst of a line
	case c < ' ' && c != '\t', c == 0x7f:
		return control
	}
	return 0
}

// factsOf reads a text once, line by line.
func factsOf(text string) (f textFacts) {
	for rest := text; rest != ""; {
		line, after, ended := strings.Cut(rest, "\n")
		rest = after
		if ended {
			unix := line
			if line = strings.TrimSuffix(line, "\r"); len(line) == len(unix) {
				f.kinds |= oddLineEnd
			}
		}
		f.kinds |= kindsIn(line)
		f.longest = max(f.longest, len(line))
		f.lookalike = f.lookalike || strings.HasPrefix(line, "From ") || strings.HasPrefix(line, boundaryStart)
	}
	return f
}

// kindsIn inspects eight octets at a time as one word, and single octets only if the word is
// neither all printable ASCII nor all above ASCII. The last word overlaps the one before it.
func kindsIn(line string) (kinds byteKind) {
	if len(line) < 8 {
		for i := range len(line) {
			kinds |= kindOf(line[i])
		}
		return kinds
	}
	for at := 0; at < len(line); at += 8 {
		eight := line[min(at, len(line)-8):][:8]
		switch word := wordAt(eight); {
		case isPrintableWord(word):
		case word&topBits == topBits:
			kinds |= nonASCII
		default:
			for i := range 8 {
				kinds |= kindOf(eight[i])
			}
		}
	}
	return kinds
}

// wordAt returns the first eight octets of s; the compiler makes one load of it.
func wordAt(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// isPrintableWord reports whether eight octets are all from space to tilde. For ASCII,
// subtracting 0x20 from a lower octet, or adding 1 to 0x7f, sets its top bit; a borrow from one
// octet to the next comes only from an octet that has set its own.
func isPrintableWord(word uint64) bool {
	const each = 0x0101010101010101
	return (word|(word-each*' ')|(word+each))&topBits == 0
}

// topBits are the top bits of eight octets.
const topBits = 0x8080808080808080

// leastQuoted returns a lower bound of the size in quoted-printable. It shows that Chinese is
// shorter in base64 without encoding it.
func leastQuoted(text string) int64 {
	n := len(text)
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			n += len("=XX") - 1
		}
	}
	return int64(n)
}

// prepareText converts a text to CRLF line ends and chooses its transfer.
func prepareText(text string) (string, transfer) {
	facts := factsOf(text)
	if facts.kinds&oddLineEnd != 0 {
		text = normalizeLineEnds(text)
		facts = factsOf(text) // a lone CR has become a line end, perhaps before a "From "
	}
	asIs := facts.longest <= maxEightBitLine && !facts.lookalike && facts.kinds&control == 0
	isASCII := facts.kinds&nonASCII == 0
	if asIs && isASCII && facts.longest <= maxPlainLine {
		return text, transfer{seven: sevenBit, eight: sevenBit}
	}
	t := transfer{seven: base64Encoding}
	if encoded := base64Size(int64(len(text))); leastQuoted(text) <= encoded {
		if quoted := newQuotedPrintable(text); quoted.octets <= encoded {
			t = transfer{seven: quotedText, quoted: quoted}
		}
	}
	t.eight = t.seven
	if asIs && !isASCII {
		t.eight = eightBit
	}
	return text, t
}
