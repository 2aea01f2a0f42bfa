package provider

import (
	"slices"
	"strings"

	"github.com/yanmail/yan/internal/text/spelling"
)

// Misspelt returns the domain that was probably meant by a mistyped one: gmail.com for gmial.com,
// 163.com for 163.con, qq.com for qq. It returns "" for a known domain and for one that may well be
// right: three letters and digits form too many domains, and a country may have its own domain of
// any name.
func Misspelt(domain string) string {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	if _, known := ByDomain(domain); known {
		return ""
	}
	dot := strings.LastIndexByte(domain, '.')
	if dot < 0 {
		return domainOf(domain)
	}
	name, ending := domain[:dot], domain[dot+1:]
	for _, p := range All() {
		for _, right := range p.Domains {
			rightName, rightEnding := right[:strings.LastIndexByte(right, '.')], right[strings.LastIndexByte(right, '.')+1:]
			sameEnding := ending == rightEnding || rightEnding == "com" && isNearlyCom(ending)
			switch {
			case name == rightName && sameEnding, name+"."+ending == rightName+rightEnding:
				return right
			case ending == rightEnding && len(rightName) > 4 && !isTaken(domain) && spelling.Distance([]rune(name), []rune(rightName)) == 1:
				return right
			}
		}
	}
	if name != "" && isNearlyCom(ending) && !isCountry(ending) {
		return name + ".com"
	}
	return ""
}

// domainOf returns the domain of a provider whose name is used alone, as in 12345@qq.
func domainOf(name string) string {
	if p, ok := Lookup(name); ok && len(p.Domains) > 0 && !strings.Contains(p.Domains[0], "{") {
		return p.Domains[0]
	}
	return ""
}

// isNearlyCom reports whether ending is a slip of .com. Those of two letters are countries, and
// correct for names that no provider has.
func isNearlyCom(ending string) bool {
	return slices.Contains([]string{"con", "cmo", "ocm", "vom", "xom", "cim", "cpm", "cok", "comm", "coom", "ccom", "c0m", "co", "cm", "om"}, ending)
}

// isTaken reports whether domain is another mail service whose domain is similar to a provider's.
func isTaken(domain string) bool {
	return slices.Contains([]string{"mail.com", "email.com", "tmail.com", "qmail.com", "hmail.com", "fmail.com"}, domain)
}
