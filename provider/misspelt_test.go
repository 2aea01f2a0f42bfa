package provider_test

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/provider"
)

func TestMisspelt(t *testing.T) {
	t.Parallel()
	for domain, want := range map[string]string{
		"163.con": "163.com", "qq.co": "qq.com", "qq": "qq.com", "QQ": "qq.com", "163": "163.com", "gmial.com": "gmail.com", "gmail.co": "gmail.com",
		"gmai.com": "gmail.com", "hotmial.com": "hotmail.com", "foxmai.com": "foxmail.com", "outlok.com": "outlook.com", "yahooo.com": "yahoo.com",
		"company.con": "company.com", "qq.con.": "qq.com", "vip.qq.con": "vip.qq.com", "gmail.cm": "gmail.com",
		// These may be right.
		"mail.com": "", "126.com": "", "136.com": "", "188.com": "", "max.com": "", "company.co": "", "company.cm": "", "yahoo.be": "", "love.com": "",
		"example.org": "", "localhost": "", "": "", ".": "", "con": "", ".con": "", "hotmail.de": "", "xn--fiqs8s": "",
	} {
		if got := provider.Misspelt(domain); got != want {
			t.Errorf("Misspelt(%q) = %q, want %q", domain, got, want)
		}
	}
}

// No domain of a provider is a slip of another's.
func TestKnownDomainsAreNotMisspelt(t *testing.T) {
	t.Parallel()
	known := 0
	for _, p := range provider.All() {
		for _, domain := range p.Domains {
			domain = strings.NewReplacer("{cc}", "jp", "{tenant}", "contoso").Replace(domain)
			known++
			if got := provider.Misspelt(domain); got != "" {
				t.Errorf("%s: treated as a slip of %s", domain, got)
			}
		}
	}
	if known < 50 {
		t.Errorf("only %d domains", known)
	}
}

func FuzzMisspelt(f *testing.F) {
	f.Add("163.con")
	f.Fuzz(func(t *testing.T, domain string) {
		if right := provider.Misspelt(domain); right != "" && provider.Misspelt(right) != "" {
			t.Errorf("Misspelt returns %q for %q, which is misspelt itself", right, domain)
		}
	})
}
