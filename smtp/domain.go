package smtp

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/yanmail/yan/internal/localerr"
)

// mapped maps names. Other code checks the ASCII characters: a DNS name may contain more than a
// host name.
var mapped = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true),
	idna.StrictDomainName(false), idna.VerifyDNSLength(true))

func domainToASCII(domain string) (string, error) {
	if domain == "" {
		return "", localerr.New("nothing after the @")
	}
	// A U-label in UTF-8 is never longer than four octets for each of its characters; a longer
	// one contains invisible characters.
	if len(domain) > 4*maxDomain {
		return "", localerr.New("the domain is too long")
	}
	if domain[0] == '[' {
		return checkLiteral(domain)
	}
	if isASCII(domain) {
		lower := strings.ToLower(domain)
		if err := checkHostOctets(domain); err != nil {
			return "", err
		}
		if !strings.Contains(lower, "xn--") {
			return lower, nil
		}
	}
	for _, r := range domain {
		if unicode.IsSpace(r) || strings.ContainsRune(`<>()[]\,;:@"`, r) {
			return "", localerr.Errorf("%q is not allowed after the @", r)
		}
	}
	ascii, err := mapped.ToASCII(domain)
	if err != nil || !isASCII(ascii) || checkHostOctets(ascii) != nil {
		for _, r := range domain {
			if IsInvisible(r) { // a joiner in a place where no script has one
				return "", localerr.Errorf("contains an invisible character, %v (%U); type the address again", nameOf(r), r)
			}
		}
		return "", localerr.Errorf("%q is not a domain name", domain)
	}
	ascii = strings.ToLower(ascii)
	unicodeForm, err := idna.Punycode.ToUnicode(ascii)
	if err != nil {
		return "", localerr.Errorf("%q is not a domain name", domain)
	}
	for _, r := range unicodeForm {
		if r >= utf8.RuneSelf && !isDomainRune(r) {
			return "", localerr.Errorf("%q is not allowed in a domain name", r)
		}
	}
	return ascii, nil
}

// checkHostOctets accepts the characters of mail domains: letters, digits, hyphens and, in
// company networks, underscores. DNS allows any octet.
func checkHostOctets(domain string) error {
	if len(domain) > 253 {
		return localerr.New("the domain is too long")
	}
	start := 0 // start of the label
	for i := 0; i <= len(domain); i++ {
		if i == len(domain) || domain[i] == '.' {
			if n := i - start; n == 0 || n > 63 {
				return localerr.Errorf("%q is not a domain name", domain)
			}
			start = i + 1
			continue
		}
		if c := domain[i]; (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return localerr.Errorf("%q is not allowed after the @", rune(c))
		}
	}
	return nil
}

// isDomainRune reports whether a non-ASCII character may be in a domain name, after mapping (RFC
// 5892 section 3). The mapping library follows UTS 46, which allows symbols and punctuation: 《
// became a part of domains.
func isDomainRune(r rune) bool {
	switch r {
	case 0xdf, 0x3c2, 0x6fd, 0x6fe, 0xf0b, 0x3007: // section 2.6, PVALID
		return true
	case 0x640, 0x7fa, 0x302e, 0x302f, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303b: // section 2.6, DISALLOWED
		return false
	case 0xb7, 0x375, 0x5f3, 0x5f4, 0x30fb, 0x200c, 0x200d: // CONTEXTO and CONTEXTJ
		return true
	}
	return unicode.In(r, unicode.Ll, unicode.Lo, unicode.Lm, unicode.Mn, unicode.Mc, unicode.Nd)
}

// checkLiteral parses an address literal (RFC 5321 section 4.1.3).
func checkLiteral(domain string) (string, error) {
	inner, closed := strings.CutSuffix(domain[1:], "]")
	v6, isV6 := strings.CutPrefix(inner, "IPv6:")
	ip, err := netip.ParseAddr(v6)
	if !closed || err != nil || ip.Zone() != "" || ip.Is4() == isV6 {
		return "", localerr.Errorf("%q is not an address literal like [192.0.2.1] or [IPv6:2001:db8::1]", domain)
	}
	return domain, nil
}
