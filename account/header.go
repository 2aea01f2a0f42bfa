package account

import (
	"maps"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/sentence"
)

// withHeaders puts fields over those that are inherited; an empty value takes
// one away. They are in the order of their names, which TOML does not keep.
func withHeaders(inherited []Header, own map[string]string) []Header {
	if len(own) == 0 {
		return inherited
	}
	var all []Header
	for _, h := range inherited {
		if _, ok := spelled(own, h.Name); !ok {
			all = append(all, h)
		}
	}
	for name, value := range own {
		if value != "" {
			all = append(all, Header{name, value})
		}
	}
	slices.SortFunc(all, byName)
	return all
}

// byName orders fields, whose names have no case (RFC 5322 section 1.2.2).
func byName(a, b Header) int {
	return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
}

// checkNames refuses one field under two names, of which TOML does not say
// which came last.
func checkNames(own map[string]string) error {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if seen[strings.ToLower(name)] {
			return sentence.Errorf("%q stands there twice: case makes no difference", name)
		}
		seen[strings.ToLower(name)] = true
	}
	return nil
}

// spelled is how a table writes the name of a field.
func spelled[T any](own map[string]T, name string) (string, bool) {
	for n := range own {
		if strings.EqualFold(n, name) {
			return n, true
		}
	}
	return name, false
}

// headersTOML is the table of what differs from what is inherited.
func headersTOML(all, inherited []Header) string {
	var parts []string
	for _, h := range all {
		if !slices.Contains(inherited, h) {
			parts = append(parts, dottedKey([]string{h.Name})+" = "+quote(h.Value))
		}
	}
	for _, h := range inherited {
		if !slices.ContainsFunc(all, func(o Header) bool { return strings.EqualFold(o.Name, h.Name) }) {
			parts = append(parts, dottedKey([]string{h.Name})+` = ""`)
		}
	}
	return inline(parts)
}
