package message

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkText refuses what must not get into a header: line breaks and NUL, which
// would end the field or the command, and everything else that a terminal or a
// parser may take for more than text. The error completes "… ".
func checkText(s string, allowTab bool) error {
	if !utf8.ValidString(s) {
		return errors.New("is not UTF-8")
	}
	for _, r := range s {
		switch {
		case r == '\r' || r == '\n':
			return errors.New("holds a line break")
		case r == 0:
			return errors.New("holds a NUL character")
		case r == '\t' && allowTab:
		case unicode.IsControl(r):
			return fmt.Errorf("holds the control character %U", r)
		case r == '\u2028' || r == '\u2029':
			return fmt.Errorf("holds the line separator %U", r)
		}
	}
	return nil
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// clip keeps an error readable when somebody pastes a whole file.
func clip(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// maxLine is the most octets in a line, its CRLF not counted (RFC 5322 section
// 2.1.1).
const maxLine = 998

// normalizeLineEnds makes every line end CRLF: LF, a lone CR and CRLF itself.
func normalizeLineEnds(s string) string {
	lf, cr := strings.Count(s, "\n"), strings.Count(s, "\r")
	switch pairs := strings.Count(s, "\r\n"); {
	case lf == pairs && cr == pairs:
		return s
	case cr == 0:
		return strings.ReplaceAll(s, "\n", "\r\n")
	}
	var b strings.Builder
	b.Grow(len(s) + lf + cr)
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
)

// transfer is how one text is to be sent, to a server without 8BITMIME and to
// one with it.
type transfer struct {
	seven, eight encoding
	quoted       quotedPrintable // measured, where seven is quotedText
}

// byteKind is what matters of an octet for its transfer.
type byteKind byte

const (
	nonASCII byteKind = 1 << iota
	control           // but for the tab
)

// byteKinds has the kind of each octet: one look-up, no branch, for every
// octet of a text.
var byteKinds = func() (table [256]byteKind) {
	for c := range table {
		switch {
		case c >= utf8.RuneSelf:
			table[c] = nonASCII
		case c < ' ' && c != '\t', c == 0x7f:
			table[c] = control
		}
	}
	return table
}()

// chooseTransfer goes by the content of a text with CRLF line ends.
func chooseTransfer(text string) transfer {
	var longLine, unsafe bool
	var kinds byteKind
	for rest := text; rest != ""; {
		line, after, _ := strings.Cut(rest, "\r\n")
		rest = after
		longLine = longLine || len(line) > maxLine
		// Mailboxes put a ">" before "From "; "--=_" starts our boundaries,
		// and a text that goes as it is must not hold one by bad luck.
		unsafe = unsafe || strings.HasPrefix(line, "From ") || strings.HasPrefix(line, boundaryStart)
		for i := 0; i < len(line); i++ {
			kinds |= byteKinds[line[i]]
		}
	}
	asIs := !longLine && !unsafe && kinds&control == 0
	if asIs && kinds&nonASCII == 0 {
		return transfer{seven: sevenBit, eight: sevenBit}
	}
	t := transfer{seven: quotedText, quoted: newQuotedPrintable(text)}
	if base64Size(int64(len(text))) < t.quoted.octets {
		t.seven = base64Encoding
	}
	t.eight = t.seven
	if asIs {
		t.eight = eightBit
	}
	return t
}
