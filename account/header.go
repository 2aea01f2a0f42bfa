package account

import (
	"maps"
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
)

// withHeaders adds an account's own fields to the inherited ones; an empty value removes a field.
// The result is sorted by name, because TOML tables have no order.
func withHeaders(inherited []Header, own map[string]string) []Header {
	if len(own) == 0 {
		return inherited
	}
	var all []Header
	for _, h := range inherited {
		if _, ok := spellingIn(own, h.Name); !ok {
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

// byName compares names of fields, which have no case (RFC 5322 section 1.2.2).
func byName(a, b Header) int {
	return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
}

// checkNames refuses two spellings of one field: TOML does not say which came last.
func checkNames(own map[string]string) error {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if seen[strings.ToLower(name)] {
			return localerr.Errorf("%q is set twice: keys are not case-sensitive here", name)
		}
		seen[strings.ToLower(name)] = true
	}
	return nil
}

// spellingIn returns the spelling of a field's name in a table.
func spellingIn[T any](own map[string]T, name string) (string, bool) {
	for n := range own {
		if strings.EqualFold(n, name) {
			return n, true
		}
	}
	return name, false
}

// headersTOML returns the table of the fields that differ from the inherited ones.
func headersTOML(all, inherited []Header) string {
	var parts []string
	for _, h := range all {
		if !slices.Contains(inherited, h) {
			parts = append(parts, dottedKey([]string{h.Name})+" = "+quoteTOML(h.Value))
		}
	}
	for _, h := range inherited {
		if !slices.ContainsFunc(all, func(o Header) bool { return strings.EqualFold(o.Name, h.Name) }) {
			parts = append(parts, dottedKey([]string{h.Name})+` = ""`)
		}
	}
	return inlineTable(parts)
}
