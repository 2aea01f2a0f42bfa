package provider_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/yanmail/yan/provider"
)

func TestByID(t *testing.T) {
	t.Parallel()
	for _, p := range all(t) {
		if got, ok := provider.ByID(p.ID); !ok || got.ID != p.ID {
			t.Errorf("ByID(%q) = %q, %v", p.ID, got.ID, ok)
		}
	}
	for _, id := range []string{"", "QQ", "nobody"} {
		if p, ok := provider.ByID(id); ok {
			t.Errorf("ByID(%q) = %q", id, p.ID)
		}
	}
}

// Every name finds its own provider, so no two share one.
func TestEveryNameFindsItsProvider(t *testing.T) {
	t.Parallel()
	for _, p := range all(t) {
		for _, name := range append([]string{p.ID, p.Names.EN, p.Names.ZH}, p.Aliases...) {
			for _, typed := range []string{name, strings.ToUpper(name), " " + strings.ReplaceAll(name, " ", "") + " "} {
				if got, ok := provider.ByName(typed); !ok || got.ID != p.ID {
					t.Errorf("ByName(%q) = %q, %v, want %s", typed, got.ID, ok, p.ID)
				}
			}
		}
	}
}

func TestByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"163": "netease163", "126": "netease126", "１６３": "netease163", "qq": "qq", "QQ Mail": "qq", "qq邮箱": "qq",
		"QQ 邮箱": "qq", "gmail": "gmail", "outlook": "outlook", "Hotmail": "outlook", "腾讯企业邮箱": "exmail",
		"腾讯企业邮": "exmail", "o365": "office365", "Microsoft 365": "office365", "yeah.net": "yeah", "189": "telecom189",
		"飞书": "feishu", "t-online": "tonline", "web.de": "webde", "foxmail": "qq", "gmx": "gmx", "Amazon SES": "ses",
		"网易": "netease163", "新浪": "sina", "阿里企业邮箱": "alibaba_qiye", "": "", "  ": "", "…": "", "nobody": "",
	} {
		got, ok := provider.ByName(name)
		if got.ID != want || ok != (want != "") {
			t.Errorf("ByName(%q) = %q, %v, want %q", name, got.ID, ok, want)
		}
	}
}

// No domain belongs to two providers, including patterns.
func TestEveryDomainFindsItsProvider(t *testing.T) {
	t.Parallel()
	owner := map[string]string{}
	n := 0
	for _, p := range all(t) {
		for _, d := range p.Domains {
			if other, taken := owner[d]; taken {
				t.Errorf("%s belongs to %s and %s", d, other, p.ID)
			}
			owner[d] = p.ID
			for _, typed := range examples(d) {
				n++
				if got, ok := provider.ByDomain(typed); !ok || got.ID != p.ID {
					t.Errorf("ByDomain(%q) = %q, %v, want %s", typed, got.ID, ok, p.ID)
				}
				if got, _ := provider.ByDomain(strings.ToUpper(typed) + "."); got.ID != p.ID {
					t.Errorf("upper case with a dot: ByDomain(%q) = %q", typed, got.ID)
				}
			}
		}
	}
	if n < 120 {
		t.Errorf("only %d domains", n)
	}
}

// examples returns domains that match a pattern.
func examples(domain string) []string {
	switch {
	case strings.Contains(domain, "{cc}"):
		var out []string
		for _, cc := range []string{"de", "co.uk", "com.au", "jp"} {
			out = append(out, strings.ReplaceAll(domain, "{cc}", cc))
		}
		return out
	case strings.Contains(domain, "{tenant}"):
		return []string{strings.ReplaceAll(domain, "{tenant}", "contoso-1")}
	}
	return []string{domain}
}

func TestByDomain(t *testing.T) {
	t.Parallel()
	for domain, want := range map[string]string{
		"qq.com": "qq", "QQ.COM": "qq", "foxmail.com": "qq", "vip.163.com": "netease_vip", "outlook.co.id": "outlook",
		"hotmail.com.tr": "outlook", "live.cn": "outlook", "posteo.net": "posteo", "posteo.eu": "posteo",
		"contoso.onmicrosoft.com": "office365", "yahoo.co.jp": "yahoojp", "yahoo.co.uk": "yahoo",
		// Full-width letters are the same name (RFC 5895).
		"ｑｑ.com": "qq", "qq。com": "qq",
		// Not the provider's.
		"": "", "qq.com.cn": "", "xqq.com": "", "mail.qq.com": "", "outlook.evil.com": "", "outlook.com.evil": "",
		"outlook.info": "", "notoutlook.de": "", "a.b.onmicrosoft.com": "", "-.onmicrosoft.com": "",
		"例え.jp": "", "a b.com": "", "[127.0.0.1]": "", "qq.com@qq.com": "",
	} {
		got, ok := provider.ByDomain(domain)
		if got.ID != want || ok != (want != "") {
			t.Errorf("ByDomain(%q) = %q, %v, want %q", domain, got.ID, ok, want)
		}
	}
}

func TestByHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"smtp.qq.com": "qq", "SMTP.QQ.com.": "qq", "smtp.exmail.qq.com": "exmail", "hwsmtp.exmail.qq.com": "exmail",
		"smtp.vip.163.com": "netease_vip", "smtp.188.com": "netease_vip", "email-smtp.eu-west-1.amazonaws.com": "ses",
		"smtpdm-ap-southeast-1.aliyun.com": "aliyun_dm", "smtpdm.aliyun.com": "aliyun_dm", "smtp.zoho.eu": "zoho",
		"smtppro.zoho.com": "zoho", "mail.gmx.com": "gmx", "mail.gmx.net": "gmx", "smtp-relay.gmail.com": "gmail",
		"posteo.de": "posteo",
		// A bridge or a test server may listen there.
		"127.0.0.1": "", "localhost": "", "": "", "smtp.qq.com.evil.example": "", "email-smtp.a.b.amazonaws.com": "",
	} {
		got, ok := provider.ByHost(host)
		if got.ID != want || ok != (want != "") {
			t.Errorf("ByHost(%q) = %q, %v, want %q", host, got.ID, ok, want)
		}
	}
	for _, p := range all(t) {
		for _, h := range append([]string{p.SMTP.Host}, p.SMTP.AltHosts...) {
			if strings.Contains(h, "{") || h == "127.0.0.1" {
				continue
			}
			if got, ok := provider.ByHost(h); !ok || got.ID != p.ID {
				t.Errorf("ByHost(%q) = %q, %v, want %s", h, got.ID, ok, p.ID)
			}
		}
	}
}

func TestByMX(t *testing.T) {
	t.Parallel()
	rules := provider.MXRules()
	if len(rules) != 14 {
		t.Fatalf("%d rules", len(rules))
	}
	for _, r := range rules {
		host := r.Suffix
		if host[0] == '.' {
			host = "Mx1" + host + "."
		}
		if got, ok := provider.ByMX(host); !ok || got.ID != r.Provider {
			t.Errorf("ByMX(%q) = %q, %v, want %s", host, got.ID, ok, r.Provider)
		}
		if strings.ToLower(r.Suffix) != r.Suffix {
			t.Errorf("suffix %q is not lower case", r.Suffix)
		}
		p, _ := provider.ByID(r.Provider)
		if !slices.Contains(p.MXHints, r.Suffix) {
			t.Errorf("%s does not hint at %q: %v", p.ID, r.Suffix, p.MXHints)
		}
	}
	for _, mx := range []string{"", "google.com", "xmxbiz1.qq.com", "mx.example.com"} {
		if p, ok := provider.ByMX(mx); ok {
			t.Errorf("ByMX(%q) = %q", mx, p.ID)
		}
	}
	rules[0].Provider = "nobody"
	if provider.MXRules()[0].Provider == "nobody" {
		t.Error("a caller changed the rules")
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{"qq": "qq", "me@163.com": "netease163", "163.com": "netease163",
		"smtp.office365.com": "office365", " Gmail ": "gmail", "outlook.jp": "outlook", "": "", "@": "", "nobody@example.com": ""} {
		got, ok := provider.Lookup(typed)
		if got.ID != want || ok != (want != "") {
			t.Errorf("Lookup(%q) = %q, %v, want %q", typed, got.ID, ok, want)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{"gmial": "gmail", "gmal": "gmail", "outlok": "outlook", "hotmial": "hotmail",
		"iclod": "icloud", "腾讯企业油": "腾讯企业邮", "sendgird": "sendgrid", "netease613": "netease163", "yadnex": "yandex"} {
		got := provider.Nearest(typed)
		if len(got) == 0 || got[0] != want {
			t.Errorf("Nearest(%q) = %q, want %q first", typed, got, want)
		}
		if len(got) > 3 {
			t.Errorf("Nearest(%q) returns %d names", typed, len(got))
		}
		for _, name := range got {
			if _, ok := provider.ByName(name); !ok {
				t.Errorf("Nearest(%q) suggests %q, which is not found", typed, name)
			}
		}
	}
	for _, typed := range []string{"", "x", "zzzzzzzzzz", strings.Repeat("q", 10_000)} {
		if got := provider.Nearest(typed); len(got) != 0 {
			t.Errorf("Nearest(%.20q) = %q", typed, got)
		}
	}
}

// FuzzLookup uses any strings: names come from users and hosts from URLs.
func FuzzLookup(f *testing.F) {
	for _, s := range []string{"qq", "ｑｑ.com", "腾讯", "a@b", "{cc}", "outlook.{cc}", "\x00", "xn--", strings.Repeat("a", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, ok := provider.Lookup(s); ok && p.ID == "" || !ok && p.ID != "" {
			t.Errorf("Lookup(%q) = %q, %v", s, p.ID, ok)
		}
		if p, ok := provider.ByDomain(s); ok {
			if host := p.HostFor(s); strings.ContainsFunc(host, unicode.IsSpace) || strings.ContainsAny(host, "{}") {
				t.Errorf("HostFor(%q) = %q", s, host)
			}
		}
		for _, name := range provider.Nearest(s) {
			if _, ok := provider.ByName(name); !ok {
				t.Errorf("Nearest(%q) suggests %q", s, name)
			}
		}
	})
}

func TestTextIn(t *testing.T) {
	t.Parallel()
	text := provider.Text{EN: "yes", ZH: "是"}
	for language, want := range map[string]string{"zh": "是", "zh_CN.UTF-8": "是", "ZH-cn": "是", "en": "yes", "": "yes", "de": "yes"} {
		if got := text.In(language); got != want {
			t.Errorf("In(%q) = %q, want %q", language, got, want)
		}
	}
}
