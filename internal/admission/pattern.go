package admission

import (
	"strings"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// Pattern is a set of addresses: one, all of a domain ("*@example.com"), or all ("*").
type Pattern struct {
	text    string
	address smtp.Address // "a@b"
	domain  string       // of "*@b", as A-labels in lower case
	any     bool
}

// ParsePattern parses "a@b", "*@b" or "*".
func ParsePattern(s string) (Pattern, error) {
	if s == "*" {
		return Pattern{text: s, any: true}, nil
	}
	domain, whole := strings.CutPrefix(s, "*@")
	if whole {
		s = "any@" + domain
	}
	address, err := smtp.ParseAddress(s)
	if err != nil {
		return Pattern{}, localerr.Errorf("%w; examples: a@example.com, *@example.com, *", err)
	}
	if whole {
		return Pattern{text: "*@" + domain, domain: strings.ToLower(address.ASCIIDomain())}, nil
	}
	return Pattern{text: s, address: address}, nil
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// Matches reports whether the pattern has an address. Domains are compared without regard to case;
// so are the local parts of ASCII letters, as providers compare them.
func (p Pattern) Matches(a smtp.Address) bool {
	switch {
	case a.IsZero():
		return false
	case p.any:
		return true
	case p.domain != "":
		return strings.EqualFold(a.ASCIIDomain(), p.domain)
	}
	return sameAddress(p.address, a)
}

// sameAddress compares addresses as providers do, without regard to case.
func sameAddress(a, b smtp.Address) bool {
	return strings.EqualFold(a.Local(), b.Local()) && strings.EqualFold(a.ASCIIDomain(), b.ASCIIDomain())
}
