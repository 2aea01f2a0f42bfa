package account

import (
	"path"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/text/spelling"
	"github.com/yanmail/yan/smtp"
)

// Choose picks the account with the given name. Without a name it picks, in this order: the
// account whose From is the sender, with or without +detail; the account whose Match fits, whole
// addresses before patterns; the default. from may be zero. The error is an
// [*UnknownAccountError], an [*AmbiguousError], or [ErrNone] if no account fits.
func (f *File) Choose(name string, from smtp.Address) (Account, error) {
	if name != "" {
		if a, ok := f.Account(name); ok {
			return a, nil
		}
		return Account{}, f.unknownAccount(name)
	}
	if !from.IsZero() {
		for closeness := closest; closeness < stranger; closeness++ {
			var fit []string
			for _, a := range f.accounts {
				if a.closenessTo(from) == closeness {
					fit = append(fit, a.Name)
				}
			}
			switch len(fit) {
			case 0:
			case 1:
				a, _ := f.Account(fit[0])
				return a, nil
			default:
				return Account{}, &AmbiguousError{From: from, Names: fit}
			}
		}
	}
	if a, ok := f.Account(f.Default()); ok {
		return a, nil
	}
	if len(f.accounts) > 1 && from.IsZero() {
		e := &AmbiguousError{}
		for _, a := range f.accounts {
			e.Names = append(e.Names, a.Name)
		}
		return Account{}, e
	}
	return Account{}, ErrNone
}

// How closely an account fits a sender; less is closer.
const (
	closest    = iota // its From
	withDetail        // its From with a +detail (RFC 5233)
	listed            // an address of Match
	matched           // a pattern of Match
	stranger
)

func (a Account) closenessTo(from smtp.Address) int {
	own, err := a.Address()
	if err != nil {
		return stranger
	}
	switch {
	case sameMailbox(own, from):
		return closest
	case sameMailbox(own, withoutDetail(from)):
		return withDetail
	}
	best := stranger
	for _, m := range a.Match {
		p, err := newPattern(m)
		if err != nil || !p.matches(from) && !p.matches(withoutDetail(from)) {
			continue
		}
		if p.whole {
			best = min(best, listed)
		} else {
			best = min(best, matched)
		}
	}
	return best
}

// sameMailbox compares as providers do: without regard to case in the local part, although RFC
// 5321 section 2.4 leaves that to the host.
func sameMailbox(a, b smtp.Address) bool {
	return strings.EqualFold(a.Local(), b.Local()) && a.ASCIIDomain() == b.ASCIIDomain()
}

// withoutDetail returns user@domain for user+detail@domain.
func withoutDetail(a smtp.Address) smtp.Address {
	user, _, found := strings.Cut(a.Local(), "+")
	if !found || user == "" {
		return a
	}
	bare, err := smtp.ParseAddress(user + "@" + a.Domain())
	if err != nil {
		return a
	}
	return bare
}

// pattern is one entry of Match.
type pattern struct {
	local, domain string // globs of package path, lower case
	whole         bool   // it is an address, not a pattern
}

// newPattern reads "*@example.com", "sales-*@example.com", "*@*.example.com" or
// an address.
func newPattern(s string) (pattern, error) {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 {
		return pattern{}, localerr.Errorf("%q: want an address, or a pattern like *@example.com", s)
	}
	p := pattern{local: strings.ToLower(s[:at]), domain: strings.ToLower(s[at+1:]), whole: !strings.ContainsAny(s, "*?[")}
	for _, glob := range []string{p.local, p.domain} {
		if _, err := path.Match(glob, ""); err != nil {
			return pattern{}, localerr.Errorf("%q: unbalanced brackets in the pattern", s)
		}
	}
	if p.whole {
		if _, err := smtp.ParseAddress(s); err != nil {
			return pattern{}, localerr.Errorf("%q: %w", s, err)
		}
	}
	return p, nil
}

func (p pattern) matches(a smtp.Address) bool {
	// A local part may contain a slash, which path.Match treats as a separator.
	local := strings.ReplaceAll(strings.ToLower(a.Local()), "/", "_")
	localFits, _ := path.Match(strings.ReplaceAll(p.local, "/", "_"), local)
	for _, domain := range []string{strings.ToLower(a.Domain()), a.ASCIIDomain()} {
		if fits, _ := path.Match(p.domain, domain); fits && localFits {
			return true
		}
	}
	return false
}

// unknownAccount returns the error for an unknown account, with the names that resemble it.
func (f *File) unknownAccount(name string) *UnknownAccountError {
	e := &UnknownAccountError{Name: name}
	distance := func(known string) int {
		return spelling.Distance([]rune(strings.ToLower(name)), []rune(strings.ToLower(known)))
	}
	for _, a := range f.accounts {
		if distance(a.Name) <= max(1, len(name)/3) || strings.HasPrefix(a.Name, name) && name != "" {
			e.Near = append(e.Near, a.Name)
		}
	}
	slices.SortStableFunc(e.Near, func(a, b string) int { return distance(a) - distance(b) })
	return e
}

// Serves reports whether the account serves a sender: its From, with or without +detail, or an
// address that Match covers.
func (a Account) Serves(from smtp.Address) bool { return a.closenessTo(from) < stranger }
