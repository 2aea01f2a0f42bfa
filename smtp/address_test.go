package smtp_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/yanmail/yan/smtp"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in, wire string
		utf8     bool
	}{
		{"me@qq.com", "me@qq.com", false},
		{"Me.Too+tag@QQ.com", "Me.Too+tag@qq.com", false},
		{"o'brien{}|~!#$%&*/=?^_`-@example.org", "o'brien{}|~!#$%&*/=?^_`-@example.org", false},
		{"-option@example.org", "-option@example.org", false},
		{"user@例子.中国", "user@xn--fsqu00a.xn--fiqs8s", false},
		{"user@例子。中国", "user@xn--fsqu00a.xn--fiqs8s", false},
		{"user@例子．中国", "user@xn--fsqu00a.xn--fiqs8s", false},
		{"user@ｑｑ．ｃｏｍ", "user@qq.com", false},
		{"user@Bücher.example", "user@xn--bcher-kva.example", false},
		{"user@XN--FSQU00A.XN--FIQS8S", "user@xn--fsqu00a.xn--fiqs8s", false},
		{"张三@例子.中国", "张三@xn--fsqu00a.xn--fiqs8s", true},
		{`"a@b"@example.org`, `"a@b"@example.org`, false},
		{`"a\"b\\c"@example.org`, `"a\"b\\c"@example.org`, false},
		{`"张三"@example.org`, `"张三"@example.org`, true},
		{"user@[127.0.0.1]", "user@[127.0.0.1]", false},
		{"user@[IPv6:2001:db8::1]", "user@[IPv6:2001:db8::1]", false},
		{"root@localhost", "root@localhost", false},
		{strings.Repeat("a", 65) + "@example.org", strings.Repeat("a", 65) + "@example.org", false},
		{strings.Repeat("a", 242) + "@example.org", strings.Repeat("a", 242) + "@example.org", false},
		{"me@ex_ample.Org", "me@ex_ample.org", false},
		{"me@_dmarc.例子.中国", "me@_dmarc.xn--fsqu00a.xn--fiqs8s", false},
		{"me@ab--cd.-example-.org", "me@ab--cd.-example-.org", false},
		{`"me too"@example.org`, `"me too"@example.org`, false},
		{"me@faß.example", "me@xn--fa-hia.example", false},
		{"me@l·l.example", "me@xn--ll-0ea.example", false},
	} {
		a, err := smtp.ParseAddress(tc.in)
		if err != nil {
			t.Errorf("%s: %v", tc.in, err)
			continue
		}
		if a.Wire() != tc.wire || a.NeedsSMTPUTF8() != tc.utf8 || a.String() != tc.in || a.IsZero() {
			t.Errorf("%s: wire %q, utf8 %v, string %q", tc.in, a.Wire(), a.NeedsSMTPUTF8(), a)
		}
		if a.Local()+"@"+a.Domain() != tc.in || !strings.HasSuffix(tc.wire, "@"+a.ASCIIDomain()) {
			t.Errorf("%s: local %q, domain %q, ascii %q", tc.in, a.Local(), a.Domain(), a.ASCIIDomain())
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	for name, in := range map[string]string{
		"empty":                   "",
		"no at":                   "example.org",
		"full-width at":           "me＠qq.com",
		"full-width at in local":  "m＠e@qq.com",
		"nothing before":          "@example.org",
		"nothing after":           "me@",
		"two at":                  "a@b@example.org",
		"angles":                  "<me@example.org>",
		"route":                   "@a,@b:me@example.org",
		"parameters behind":       "me@example.org> SIZE=1 RET=FULL",
		"parameters in quotes":    `"me> NOTIFY=NEVER"@example.org`,
		"quoted greater-than":     `"me>"@example.org`,
		"unclosed quote":          `"me@example.org`,
		"escaped closing quote":   `"me\"@example.org`,
		"quote within":            `"m"e"@example.org`,
		"quote in the middle":     `m"e"@example.org`,
		"empty quotes":            `""@example.org`,
		"backslash elsewhere":     `"m\e"@example.org`,
		"bare backslash":          `m\e@example.org`,
		"comma":                   "a,b@example.org",
		"dot first":               ".me@example.org",
		"dot last":                "me.@example.org",
		"two dots":                "m..e@example.org",
		"domain with dot last":    "me@example.org.",
		"domain with two dots":    "me@example..org",
		"domain with colon":       "me@example.org:25",
		"domain with line break":  "me@example.org\u2028",
		"literal open":            "me@[127.0.0.1",
		"literal of bare v6":      "me@[2001:db8::1]",
		"literal v4 called v6":    "me@[IPv6:127.0.0.1]",
		"literal with zone":       "me@[IPv6:fe80::1%eth0]",
		"literal of words":        "me@[example.org]",
		"literal with tail":       "me@[127.0.0.1]x",
		"long label":              "me@" + label + "a.org",
		"long domain":             "me@" + strings.Repeat(label+".", 4) + "org",
		"too long a local part":   strings.Repeat("a", 243) + "@example.org",
		"long path":               strings.Repeat("a", 64) + "@" + strings.Repeat(label+".", 2) + strings.Repeat("b", 62) + ".org",
		"invisible length":        "me@exam" + strings.Repeat("\u00ad", 1000) + "ple.org",
		"not UTF-8":               "me\xff@example.org",
		"mail bracket left":       "张三《friend@163.com",
		"mail bracket":            "friend@163.com》",
		"lenticular":              "friend@【163】.com",
		"full-width comma":        "friend@163，com",
		"symbol in domain":        "a@i❤.ws",
		"emoji in domain":         "a@😀.example",
		"quotes in domain":        "a@“x”.example",
		"a slash":                 "a@exam/ple.org",
		"full-width greater":      "a@example.org＞",
		"false A-label":           "a@xn--com-c03b",
		"zero-width space":        "m\u200be@example.org",
		"right-to-left override":  "m\u202ee@example.org",
		"no-break space":          "m\u00a0e@example.org",
		"line separator":          "m\u2028e@example.org",
		"next line":               "m\u0085e@example.org",
		"ideographic space":       "m\u3000e@example.org",
		"ideographic space after": "me@exa\u3000mple.org",
	} {
		if a, err := smtp.ParseAddress(in); err == nil {
			t.Errorf("%s: %q gave %q", name, in, a.Wire())
		} else if strings.ContainsAny(err.Error(), "\r\n\x00") || len(err.Error()) > 1000 {
			t.Errorf("%s: the error holds raw input: %q", name, err)
		}
	}
}

// No octet that ends a line, a word or a path is accepted, at any position.
func TestParseAddressRefusesInjectionAtEveryPlace(t *testing.T) {
	t.Parallel()
	cases := 0
	for _, base := range []string{"me@example.org", `"me"@example.org`, "me@[127.0.0.1]", "张三@例子.中国"} {
		for _, bad := range []string{"\r", "\n", "\r\n", "\x00", " ", "<", ">", "\t", "\x7f", "\u2028", "\u00a0", "> X=1\r\nRCPT TO:<a@b"} {
			for at := range base + "." {
				in := base[:at] + bad + base[at:]
				cases++
				inQuotes := bad == " " && in[0] == '"' && at > 0 && at < strings.LastIndexByte(base, '"')+1
				if a, err := smtp.ParseAddress(in); (err == nil) != inQuotes {
					t.Errorf("%q gave %q, %v", in, a.Wire(), err)
				}
			}
		}
	}
	if cases < 500 {
		t.Fatalf("only %d cases", cases)
	}
}

func TestAddressEqualAndText(t *testing.T) {
	t.Parallel()
	a, b, c := address(t, "me@QQ.com"), address(t, "me@qq.COM"), address(t, "Me@qq.com")
	if !a.Equal(b) || a.Equal(c) {
		t.Error("domains are compared without case, local parts with")
	}
	var zero smtp.Address
	if !zero.IsZero() || zero.String() != "" || zero.Wire() != "" || zero.NeedsSMTPUTF8() {
		t.Errorf("the zero Address says %q", zero)
	}
	for _, in := range []smtp.Address{a, c, zero, address(t, "张三@例子.中国")} {
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var back smtp.Address
		if err := json.Unmarshal(text, &back); err != nil || back != in {
			t.Errorf("%s parsed again is %q, %v", text, back, err)
		}
	}
	if err := json.Unmarshal([]byte(`"no at"`), &a); err == nil || a.String() != "me@QQ.com" {
		t.Errorf("a bad text was taken or changed the value: %q, %v", a, err)
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"me@qq.com", "张三@例子。中国", `"a\"b"@[IPv6:::1]`, "a@b>\r\nDATA", "a@xn--fsqu00a", "a@ß.ß", "a@\u00ad.b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := smtp.ParseAddress(s)
		if err != nil {
			return
		}
		wire := a.Wire()
		unquoted := wire
		if wire[0] == '"' { // a blank is safe in quotes
			unquoted = wire[strings.LastIndexByte(wire, '"'):]
		}
		if strings.ContainsAny(wire, "\r\n\x00<>\t") || strings.Contains(unquoted, " ") || len(wire) > 254 || strings.Count(wire, "@") == 0 {
			t.Fatalf("%q gave the unsafe %q", s, wire)
		}
		if a.String() != smtp.TrimInvisible(s) {
			t.Fatalf("%q prints as %q", s, a)
		}
		if again, err := smtp.ParseAddress(s); err != nil || again != a {
			t.Fatalf("%q parses again to %q, %v", s, again, err)
		}
		if back, err := smtp.ParseAddress(wire); err != nil || !back.Equal(a) || back.Wire() != wire {
			t.Fatalf("%q: its wire form %q parses to %q, %v", s, wire, back.Wire(), err)
		}
	})
}

func address(t testing.TB, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
