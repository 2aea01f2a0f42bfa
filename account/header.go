package account

import (
	"slices"
	"strings"
)

// withHeaders puts fields over those that are inherited; an empty value takes
// one away. They are in the order of their names, which TOML does not keep.
func withHeaders(inherited []Header, own map[string]string) []Header {
	if len(own) == 0 {
		return inherited
	}
	var all []Header
	for _, h := range inherited {
		if !slices.ContainsFunc(names(own), func(n string) bool { return strings.EqualFold(n, h.Name) }) {
			all = append(all, h)
		}
	}
	for name, value := range own {
		if value != "" {
			all = append(all, Header{name, value})
		}
	}
	slices.SortFunc(all, func(a, b Header) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return all
}

func names(m map[string]string) []string {
	var list []string
	for name := range m {
		list = append(list, name)
	}
	return list
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
