package smtp

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/text/excerpt"

	"github.com/yanmail/yan/internal/localerr"
)

// Limits of RFC 5321 section 4.5.3.1, in octets. The limit of 64 for a local part is not
// enforced: addresses for answers and confirmations are longer, servers accept them, and the
// section allows clients to try.
const (
	maxDomain = 255
	maxPath   = 254 // 256 minus the angle brackets
)

// Address is a mailbox as in MAIL and RCPT: a local part and a domain (RFC 5321 section 4.1.2,
// with the UTF-8 of RFC 6531). The zero Address is the null reverse-path "<>" of bounces; every
// other value comes from [ParseAddress] and is safe in a command.
type Address struct {
	local  string // as sent, with quotes
	domain string // as given, may contain U-labels
	ascii  string // the domain as A-labels, or the address literal
}

// ParseAddress parses a bare address, local@domain. It accepts a quoted local part, an address
// literal ("user@[127.0.0.1]"), UTF-8 in the local part and an internationalised domain, and
// drops invisible characters at both ends, which come with pasted text. It refuses white space
// outside of quotes, control and invisible characters, angle brackets, brackets and marks of East
// Asian text, and anything longer than RFC 5321 section 4.5.3.1 allows, except for the 64 octets
// of a local part.
func ParseAddress(s string) (Address, error) {
	bad := func(what error) (Address, error) {
		return Address{}, localerr.Errorf("address %q: %v", excerpt.Runes(s, maxQuoted), what)
	}
	s = TrimInvisible(s)
	if s == "" {
		return Address{}, localerr.New("address is empty")
	}
	if !utf8.ValidString(s) {
		return bad(localerr.New("not UTF-8"))
	}
	for i, r := range s {
		if r < 0x20 || r == 0x7f || unicode.IsControl(r) {
			return bad(localerr.Errorf("contains the control character %U", r))
		}
		if r >= utf8.RuneSelf && IsInvisible(r) && !isPartOfLetter(s[:i], r) {
			return bad(localerr.Errorf("contains an invisible character, %v (%U); type the address again", nameOf(r), r))
		}
		if r >= utf8.RuneSelf && unicode.IsSpace(r) {
			return bad(localerr.Errorf("contains the special space %U; remove it", r))
		}
	}
	at := strings.LastIndexByte(s, '@')
	if wide, ascii := eastAsian(s); wide != 0 {
		return bad(localerr.Errorf("contains the full-width %c; type the half-width %c", wide, ascii))
	}
	if at < 0 {
		return bad(localerr.New("no @"))
	}
	local, domain := s[:at], s[at+1:]
	if wide, ascii := fullWidth(local); wide != 0 {
		return bad(localerr.Errorf("contains the full-width %c; type the half-width %c", wide, ascii))
	}
	if err := checkLocalPart(local); err != nil {
		return bad(err)
	}
	ascii, err := domainToASCII(domain)
	if err != nil {
		return bad(err)
	}
	if len(local)+1+len(ascii) > maxPath {
		return bad(localerr.Errorf("longer than %d octets", maxPath))
	}
	return Address{local: local, domain: domain, ascii: ascii}, nil
}

// Local returns the part before the @, with its quotes if it has any.
func (a Address) Local() string { return a.local }

// Domain returns the part after the @ as given.
func (a Address) Domain() string { return a.domain }

// ASCIIDomain returns the domain in A-labels (RFC 5890), in lower case, or the address literal
// unchanged.
func (a Address) ASCIIDomain() string { return a.ascii }

// IsZero reports whether a is the null reverse-path.
func (a Address) IsZero() bool { return a.domain == "" }

// NeedsSMTPUTF8 reports whether the local part is not ASCII, the only case in
// which a server must offer SMTPUTF8 (RFC 6531): a domain always has an ASCII
// form.
func (a Address) NeedsSMTPUTF8() bool { return !isASCII(a.local) }

// String returns the address as given; "" for the zero Address.
func (a Address) String() string {
	if a.IsZero() {
		return ""
	}
	return a.local + "@" + a.domain
}

// Wire returns the address as sent in a command or a header: the domain in A-labels. It is "" for
// the zero Address.
func (a Address) Wire() string {
	if a.IsZero() {
		return ""
	}
	return a.local + "@" + a.ascii
}

// AppendWire appends the result of Wire.
func (a Address) AppendWire(b []byte) []byte {
	if a.IsZero() {
		return b
	}
	b = append(append(b, a.local...), '@')
	return append(b, a.ascii...)
}

// Equal reports whether two addresses name the same mailbox, as far as that is known without
// asking its server: domains are compared without case, local parts exactly (RFC 5321 section
// 2.4).
func (a Address) Equal(b Address) bool { return a.local == b.local && a.ascii == b.ascii }

// MarshalText encodes an Address as a string in JSON.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText decodes the result of MarshalText.
func (a *Address) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*a = Address{}
		return nil
	}
	parsed, err := ParseAddress(string(b))
	if err == nil {
		*a = parsed
	}
	return err
}

func checkLocalPart(s string) error {
	switch {
	case s == "":
		return localerr.New("nothing before the @")
	case s[0] == '"':
		return checkQuoted(s)
	case s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, ".."):
		return localerr.New("the local part needs quotes: it starts or ends with a dot, or has two in a row")
	}
	for _, r := range s {
		if !isAtext(r) && r != '.' {
			return localerr.Errorf("%q is not allowed before the @", r)
		}
	}
	return nil
}

// checkQuoted accepts the printable content of a Quoted-string, including blanks. Angle brackets
// are legal there, but no mailbox uses one, and servers that search for the first > are common,
// so they are refused.
func checkQuoted(s string) error {
	if len(s) < 3 || s[len(s)-1] != '"' {
		return localerr.New("the quoted local part is not closed")
	}
	body := s[1 : len(s)-1]
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '<' || c == '>':
			return localerr.Errorf("%q is not allowed before the @, not even in quotes", rune(c))
		case c == '"':
			return localerr.New("the quoted local part contains a quote")
		case c == '\\':
			i++
			if i == len(body) || body[i] != '"' && body[i] != '\\' {
				return localerr.New(`in the local part a backslash must precede " or \`)
			}
		}
	}
	for _, r := range body {
		if r >= utf8.RuneSelf && !isAtext(r) {
			return localerr.Errorf("%q is not allowed before the @", r)
		}
	}
	return nil
}

// isAtext reports atext of RFC 5322 section 3.2.3 with the UTF-8 of RFC 6531 section 3.3, without
// white space and invisible format characters.
func isAtext(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
	}
	return r != utf8.RuneError && !unicode.IsSpace(r) && unicode.IsGraphic(r)
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// maxQuoted limits how much of a text an error quotes, in characters.
const maxQuoted = 80

// PathEnd returns the index of the ">" that ends the path at the beginning of s, as in MAIL
// FROM:<a@b> (RFC 5321 section 4.1.2); -1 if there is none. A ">" within quotes is a part of the
// path.
func PathEnd(s string) int {
	quoted := false
	for i := 1; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && s[i] == '>':
			return i
		}
	}
	return -1
}
