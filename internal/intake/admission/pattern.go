package admission

import (
	"cmp"
	"path"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// Pattern is a set of addresses: one, all of a domain ("*@example.com"), those that two globs of
// package path match ("sales-*@*.example.com"), or all ("*").
type Pattern struct {
	text    string
	address smtp.Address // "a@b"
	domain  string       // of "*@b", as A-labels in lower case
	globs   [2]string    // of local part and domain, in lower case; "" if it has none
	any     bool
}

// ParsePattern parses "a@b", "*@b", globs like "sales-*@*.b", or "*".
func ParsePattern(s string) (Pattern, error) {
	if s == "*" {
		return Pattern{text: s, any: true}, nil
	}
	domain, whole := strings.CutPrefix(s, "*@")
	if !strings.Contains(s, "@[") && (strings.ContainsAny(domain, "*?[") || !whole && strings.ContainsAny(s, "*?[")) {
		return parseGlobs(s)
	}
	if whole {
		s = "any@" + domain
	}
	address, err := smtp.ParseAddress(s)
	if err != nil {
		return Pattern{}, localerr.Errorf("%w; examples: a@example.com, *@example.com, *", err)
	}
	if whole {
		return Pattern{text: "*@" + domain, domain: domainOf(address)}, nil
	}
	return Pattern{text: s, address: address}, nil
}

func parseGlobs(s string) (Pattern, error) {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 {
		return Pattern{}, localerr.Errorf("%q: want an address, or a pattern like *@example.com", s)
	}
	p := Pattern{text: s, globs: [2]string{withoutSlash(strings.ToLower(s[:at])), strings.ToLower(s[at+1:])}}
	for _, glob := range p.globs {
		if _, err := path.Match(glob, ""); err != nil {
			return Pattern{}, localerr.Errorf("%q: unbalanced brackets in the pattern", s)
		}
	}
	return p, nil
}

// withoutSlash: path.Match would treat a slash as a separator.
func withoutSlash(s string) string { return strings.ReplaceAll(s, "/", "_") }

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// Matches reports whether the pattern has an address. Case does not matter, as at providers.
func (p Pattern) Matches(a smtp.Address) bool {
	switch {
	case a.IsZero():
		return false
	case p.any:
		return true
	case p.globs[0] != "":
		local, _ := path.Match(p.globs[0], withoutSlash(strings.ToLower(a.Local())))
		domain, _ := path.Match(p.globs[1], strings.ToLower(a.ASCIIDomain()))
		written, _ := path.Match(p.globs[1], strings.ToLower(a.Domain()))
		return local && (domain || written)
	case p.domain != "":
		return domainOf(a) == p.domain
	}
	return sameAddress(p.address, a)
}

// sameAddress compares addresses as providers do, without regard to case.
func sameAddress(a, b smtp.Address) bool {
	return strings.EqualFold(a.Local(), b.Local()) && domainOf(a) == domainOf(b)
}

// domainOf returns the domain as A-labels, or the address literal, in lower case.
func domainOf(a smtp.Address) string { return strings.ToLower(cmp.Or(a.ASCIIDomain(), a.Domain())) }
