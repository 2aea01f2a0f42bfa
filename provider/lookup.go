package provider

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/width"

	"github.com/yanmail/yan/internal/text/spelling"
)

// All returns every provider, in the order of the file.
func All() []Provider {
	all := make([]Provider, len(index))
	for i := range index {
		all[i], _ = at(i, true)
	}
	return all
}

// ByID finds a provider by its exact ID.
func ByID(id string) (Provider, bool) {
	i := slices.IndexFunc(index, func(e entry) bool { return e.id == id })
	return at(i, i >= 0)
}

// ByName finds a provider by its ID, its name in either language or a common name ("163",
// "hotmail", "腾讯企业邮", "o365"). It ignores case, spaces, punctuation and full-width forms.
func ByName(name string) (Provider, bool) {
	key := normalise(name)
	found, ok := names()[key]
	return at(found.provider, ok && key != "")
}

// ByDomain finds the provider of a mail domain, in A- or U-labels and any case. It knows the
// provider's own domains, not its customers' domains: see [ByMX].
func ByDomain(domain string) (Provider, bool) {
	domain, ok := asciiName(domain)
	if !ok {
		return Provider{}, false
	}
	return at(find(domain, func(e entry) []string { return e.domains }))
}

// ByHost finds the provider of an SMTP host. Loopback addresses have no provider, although a bridge
// may listen there.
func ByHost(host string) (Provider, bool) {
	host, ok := asciiName(host)
	if !ok {
		return Provider{}, false
	}
	return at(find(host, func(e entry) []string { return e.hosts }))
}

// ByMX guesses the provider of a hosted domain from one of its mail exchangers; see [MXRule] for
// how far to trust it.
func ByMX(mx string) (Provider, bool) {
	mx, ok := asciiName(mx)
	if !ok {
		return Provider{}, false
	}
	for _, rule := range mxRules {
		if mx == rule.Suffix || rule.Suffix[0] == '.' && strings.HasSuffix(mx, rule.Suffix) {
			return ByID(rule.Provider)
		}
	}
	return Provider{}, false
}

// Lookup finds a provider by a name, a mail domain, an address or an SMTP host, tried in this
// order.
func Lookup(s string) (Provider, bool) {
	s = strings.TrimSpace(s)
	if p, ok := ByName(s); ok {
		return p, true
	}
	if p, ok := ByDomain(s[strings.LastIndexByte(s, '@')+1:]); ok {
		return p, true
	}
	return ByHost(s)
}

// Nearest suggests at most three names for a name that [ByName] does not find, best first. They
// belong to different providers, and ByName finds each. It returns nil if no name is near.
func Nearest(name string) []string {
	key := []rune(normalise(name))
	if len(key) < 2 || len(key) > 64 {
		return nil
	}
	type hit struct {
		name     string
		provider int
		distance int
	}
	var hits []hit
	for candidate, n := range names() {
		// Up to a third of the letters may differ, but never all of a short name.
		c := []rune(candidate)
		d := spelling.Distance(key, c)
		if d <= max(1, len(key)/3) && d < min(len(key), len(c)) {
			hits = append(hits, hit{n.written, n.provider, d})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		if a.provider != b.provider {
			return a.provider - b.provider
		}
		return strings.Compare(a.name, b.name)
	})
	var best []string
	seen := map[int]bool{}
	for _, h := range hits {
		if !seen[h.provider] && len(best) < 3 {
			seen[h.provider] = true
			best = append(best, h.name)
		}
	}
	return best
}

// find searches the index for the exact name, then for a pattern that matches it. A few hundred
// comparisons cost less than building a map.
func find(name string, in func(entry) []string) (i int, ok bool) {
	for i, e := range index {
		if slices.Contains(in(e), name) {
			return i, true
		}
	}
	for i, e := range index {
		if slices.ContainsFunc(in(e), func(pattern string) bool { return covers(pattern, name) }) {
			return i, true
		}
	}
	return 0, false
}

// covers reports whether a name matches a pattern with one "{…}". A string without one is no
// pattern.
func covers(pattern, name string) bool {
	before, rest, _ := strings.Cut(pattern, "{")
	kind, after, ok := strings.Cut(rest, "}")
	if !ok {
		return false
	}
	middle, ok := strings.CutPrefix(name, before)
	if !ok {
		return false
	}
	middle, ok = strings.CutSuffix(middle, after)
	if !ok {
		return false
	}
	switch kind {
	case "cc":
		return isCountry(middle)
	default: // {region}, {tenant}
		return isLabel(middle)
	}
}

// isCountry reports whether s is a country's top-level domain, alone or after the usual "co" and
// "com": "de", "co.uk", "com.au".
func isCountry(s string) bool {
	if rest, ok := strings.CutPrefix(s, "co."); ok {
		s = rest
	} else if rest, ok := strings.CutPrefix(s, "com."); ok {
		s = rest
	}
	return len(s) == 2 && isLetter(s[0]) && isLetter(s[1])
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }

// isLabel reports whether s is one label of letters, digits and inner hyphens.
func isLabel(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isLetter(c) && (c < '0' || c > '9') && (c != '-' || i == 0 || i == len(s)-1) {
			return false
		}
	}
	return s != "" && len(s) <= 63
}

// asciiName returns a domain or host in lower-case A-labels without a final dot.
func asciiName(name string) (string, bool) {
	name = strings.TrimSuffix(strings.TrimSpace(name), ".")
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil || ascii == "" || len(ascii) > 253 {
		return "", false
	}
	return strings.ToLower(ascii), true
}

// normalise removes case, width, spaces and punctuation from a name.
func normalise(name string) string {
	return strings.Map(func(r rune) rune {
		if narrow := width.LookupRune(r).Folded(); narrow != 0 {
			r = narrow
		}
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
