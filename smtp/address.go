package smtp

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/yanmail/yan/internal/sentence"
)

// Limits of RFC 5321 section 4.5.3.1, in octets.
const (
	maxLocalPart = 64
	maxDomain    = 255
	maxPath      = 254 // 256 less the angle brackets
)

// Address is a mailbox as it stands in MAIL and RCPT: a local part and a
// domain (RFC 5321 section 4.1.2, with the UTF-8 of RFC 6531). The zero
// Address is the null reverse-path "<>" of bounces; every other value comes
// from [ParseAddress] and is safe to write into a command.
type Address struct {
	local  string // as on the wire, quotes included
	domain string // as given, may hold U-labels
	ascii  string // the domain as A-labels, or the address literal
}

// ParseAddress reads a bare address, local@domain. It accepts a quoted local
// part, an address literal ("user@[127.0.0.1]"), UTF-8 in the local part and
// an internationalised domain; it refuses white space, control characters,
// angle brackets and anything longer than RFC 5321 section 4.5.3.1 allows.
func ParseAddress(s string) (Address, error) {
	bad := func(what error) (Address, error) {
		return Address{}, sentence.Errorf("address %q: %v", clip(s), what)
	}
	if s == "" {
		return Address{}, sentence.New("address is empty")
	}
	if !utf8.ValidString(s) {
		return bad(sentence.New("not UTF-8"))
	}
	for _, r := range s {
		if r < 0x20 || r == 0x7f || unicode.IsControl(r) {
			return bad(sentence.Errorf("holds the control character %U", r))
		}
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		if strings.ContainsRune(s, '＠') {
			return bad(sentence.New("holds the full-width ＠; type the half-width @"))
		}
		return bad(sentence.New("no @"))
	}
	local, domain := s[:at], s[at+1:]
	if err := checkLocalPart(local); err != nil {
		return bad(err)
	}
	ascii, err := domainToASCII(domain)
	if err != nil {
		return bad(err)
	}
	if len(local)+1+len(ascii) > maxPath {
		return bad(sentence.Errorf("longer than %d octets", maxPath))
	}
	return Address{local: local, domain: domain, ascii: ascii}, nil
}

// Local is the part before the @, with its quotes if it has any.
func (a Address) Local() string { return a.local }

// Domain is the part after the @ as it was given.
func (a Address) Domain() string { return a.domain }

// ASCIIDomain is the domain in A-labels (RFC 5890), lower case, or the
// address literal unchanged.
func (a Address) ASCIIDomain() string { return a.ascii }

// IsZero reports whether a is the null reverse-path.
func (a Address) IsZero() bool { return a.domain == "" }

// NeedsSMTPUTF8 reports whether the local part is not ASCII, the only case in
// which a server must offer SMTPUTF8 (RFC 6531): a domain always has an ASCII
// form.
func (a Address) NeedsSMTPUTF8() bool { return !isASCII(a.local) }

// String is the address as it was given; "" for the zero Address.
func (a Address) String() string {
	if a.IsZero() {
		return ""
	}
	return a.local + "@" + a.domain
}

// Wire is the address as it is sent in a command or a header: the domain in
// A-labels. It is "" for the zero Address.
func (a Address) Wire() string {
	if a.IsZero() {
		return ""
	}
	return a.local + "@" + a.ascii
}

// AppendWire appends what Wire gives.
func (a Address) AppendWire(b []byte) []byte {
	if a.IsZero() {
		return b
	}
	b = append(append(b, a.local...), '@')
	return append(b, a.ascii...)
}

// Equal reports whether two addresses name the same mailbox as far as one can
// tell without asking its server: domains are compared without case, local
// parts exactly (RFC 5321 section 2.4).
func (a Address) Equal(b Address) bool { return a.local == b.local && a.ascii == b.ascii }

// MarshalText makes an Address a string in JSON.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote.
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
		return sentence.New("nothing before the @")
	case len(s) > maxLocalPart:
		return sentence.Errorf("the part before the @ is longer than %d octets", maxLocalPart)
	case s[0] == '"':
		return checkQuoted(s)
	case s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, ".."):
		return sentence.New("a dot at the start or end of the local part, or two in a row, needs quotes")
	}
	for _, r := range s {
		if !isAtext(r) && r != '.' {
			return sentence.Errorf("%q is not allowed before the @", r)
		}
	}
	return nil
}

// checkQuoted allows the printable content of a Quoted-string. A space is
// legal there but no mailbox uses one, and it is what command injection
// through the address starts with, so it is refused.
func checkQuoted(s string) error {
	if len(s) < 3 || s[len(s)-1] != '"' {
		return sentence.New("the quotes of the local part are not closed")
	}
	body := s[1 : len(s)-1]
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == ' ' || c == '<' || c == '>':
			return sentence.Errorf("%q is not allowed before the @, not even in quotes", rune(c))
		case c == '"':
			return sentence.New("a quote inside the quoted local part")
		case c == '\\':
			i++
			if i == len(body) || body[i] != '"' && body[i] != '\\' {
				return sentence.New(`a backslash may only stand before " or \ in the local part`)
			}
		}
	}
	for _, r := range body {
		if r >= utf8.RuneSelf && !isAtext(r) {
			return sentence.Errorf("%q is not allowed before the @", r)
		}
	}
	return nil
}

// isAtext is atext of RFC 5322 section 3.2.3 with the UTF-8 of RFC 6531
// section 3.3, less white space and invisible format characters.
func isAtext(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
	}
	return r != utf8.RuneError && r != '＠' && !unicode.IsSpace(r) && unicode.IsGraphic(r)
}

func domainToASCII(domain string) (string, error) {
	if domain == "" {
		return "", sentence.New("nothing after the @")
	}
	// A U-label is never longer in UTF-8 than four octets for each of its
	// characters; what is longer hides invisible ones.
	if len(domain) > 4*maxDomain {
		return "", sentence.New("the part after the @ is too long")
	}
	if domain[0] == '[' {
		return checkLiteral(domain)
	}
	if isPlainDomain(domain) {
		return domain, nil
	}
	for _, r := range domain {
		if unicode.IsSpace(r) || strings.ContainsRune(`<>()[]\,;:@"`, r) {
			return "", sentence.Errorf("%q is not allowed after the @", r)
		}
	}
	profile := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true),
		idna.StrictDomainName(true), idna.VerifyDNSLength(true))
	ascii, err := profile.ToASCII(domain)
	if err != nil {
		return "", sentence.Errorf("%q is not a domain name", domain)
	}
	if len(ascii) > maxDomain || strings.HasSuffix(ascii, ".") || !isASCII(ascii) {
		return "", sentence.Errorf("%q is not a domain name", domain)
	}
	return strings.ToLower(ascii), nil
}

// isPlainDomain tells names that IDNA leaves as they are: letters in lower case,
// digits, and hyphens within a label but not third and fourth. Most are.
func isPlainDomain(domain string) bool {
	if len(domain) > 253 {
		return false
	}
	start := 0 // of the label
	for i := 0; i <= len(domain); i++ {
		if i == len(domain) || domain[i] == '.' {
			label := domain[start:i]
			if n := len(label); n == 0 || n > 63 || label[0] == '-' || label[n-1] == '-' || n > 3 && label[2:4] == "--" {
				return false
			}
			start = i + 1
			continue
		}
		if c := domain[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// checkLiteral reads an address literal (RFC 5321 section 4.1.3).
func checkLiteral(domain string) (string, error) {
	inner, closed := strings.CutSuffix(domain[1:], "]")
	v6, isV6 := strings.CutPrefix(inner, "IPv6:")
	ip, err := netip.ParseAddr(v6)
	if !closed || err != nil || ip.Zone() != "" || ip.Is4() == isV6 {
		return "", sentence.Errorf("%q is not an address literal like [192.0.2.1] or [IPv6:2001:db8::1]", domain)
	}
	return domain, nil
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
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
