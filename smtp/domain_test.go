package smtp_test

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/yanmail/yan/smtp"
)

// Every character is tried in a domain. After the mapping, an accepted one is a letter, a mark or
// a digit, or one of the few that RFC 5892 names; punctuation, symbols and invisible characters
// are refused, including brackets of East Asian text.
func TestEveryCharacterInADomain(t *testing.T) {
	t.Parallel()
	named := map[rune]bool{0xb7: true, 0xf0b: true, 0x375: true, 0x5f3: true, 0x5f4: true, 0x30fb: true, 0x3007: true, 0x6fd: true, 0x6fe: true,
		0x200c: true, 0x200d: true}
	category := categories()
	accepted, refused := 0, map[string]int{}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		unused := category[r] == "" || category[r] == "Co"
		if r >= 0xd800 && r < 0xe000 || unused && r%64 != 0 {
			continue
		}
		a, err := smtp.ParseAddress("a@x" + string(r) + "x.example")
		if err != nil {
			refused[category[r]]++
			continue
		}
		accepted++
		shown, err := idna.Punycode.ToUnicode(a.ASCIIDomain())
		if err != nil {
			t.Fatalf("%U: %v", r, err)
		}
		for _, c := range shown {
			ok := c < 0x80 && (strings.ContainsRune("-_.", c) || unicode.IsDigit(c) || unicode.IsLower(c)) || named[c]
			switch category[c] {
			case "Ll", "Lo", "Lm", "Mn", "Mc", "Nd":
				ok = ok || c >= 0x80
			}
			if !ok {
				t.Errorf("%U became %q, which holds %U (%s)", r, shown, c, category[c])
			}
		}
		if cat := category[r]; cat != "" && strings.Contains("PSZC", cat[:1]) && !named[r] && norm.NFKC.String(string(r)) == string(r) && !strings.ContainsRune("-_.。", r) {
			t.Errorf("%U (%s) was taken: %q", r, cat, a.ASCIIDomain())
		}
	}
	t.Logf("%d accepted, refused by category: %v", accepted, refused)
	if accepted < 100_000 || refused["Ps"] < 70 || refused["Pe"] < 70 || refused["So"] < 5000 || refused["Cf"] < 100 {
		t.Errorf("%d accepted, refused: %v", accepted, refused)
	}
}

// categories returns the category of every character, "" if unassigned.
func categories() []string {
	of := make([]string, unicode.MaxRune+1)
	for name, table := range unicode.Categories {
		if len(name) != 2 || name == "LC" || name == "Cn" {
			continue
		}
		for _, r := range table.R16 {
			for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
				of[c] = name
			}
		}
		for _, r := range table.R32 {
			for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
				of[c] = name
			}
		}
	}
	return of
}

// Every invisible character is dropped at the ends, and refused inside unless it is part of a
// letter.
func TestInvisibleCharacters(t *testing.T) {
	t.Parallel()
	tried := 0
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if !smtp.IsInvisible(r) {
			continue
		}
		tried++
		c := string(r)
		a, err := smtp.ParseAddress(c + c + "me@example.org" + c)
		if err != nil || a.String() != "me@example.org" {
			t.Errorf("%U at the ends: %q, %v", r, a, err)
		}
		for _, in := range []string{"m" + c + "e@example.org", "me" + c + "@example.org", "me@" + c + "example.org", "me@exam" + c + "ple.org", "me@example." + c + "org"} {
			a, err := smtp.ParseAddress(in)
			if err == nil && !unicode.Is(unicode.Variation_Selector, r) {
				t.Errorf("%U: %+q gave %q", r, in, a.Wire())
			}
		}
	}
	if tried < 150 {
		t.Errorf("%d tried", tried)
	}
	for in, want := range map[string]string{
		"m\u200be@example.org": "a zero width space (U+200B)",
		"me@exa\u202emple.org": "a mark for the direction of text (U+202E)",
		"me@exa\u00admple.org": "a soft hyphen (U+00AD)",
		"m\u200ce@example.org": "a zero width non-joiner (U+200C)",
		"me@exa\u200cmple.org": "a zero width non-joiner (U+200C)",
		"me@例\u200d子.com":      "a zero width joiner (U+200D)",
		"me@例\u00a0子.com":      "contains the special space U+00A0",
		"m\u3000e@example.org": "contains the special space U+3000",
		"ｍe@example.org":       "contains the full-width ｍ; type the half-width m",
		"１２３@qq.com":           "contains the full-width １; type the half-width 1",
		"zhang。san@qq.com":     "contains the full-width 。; type the half-width .",
		"a＿b@example.org":      "contains the full-width ＿; type the half-width _",
		"me＠example.org":       "contains the full-width ＠; type the half-width @",
		"张三《friend@163.com》":   "contains the full-width 《; type the half-width <",
		"friend@163，com":       "contains the full-width ，; type the half-width ,",
	} {
		if _, err := smtp.ParseAddress(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+q: %v, want %s", in, err, want)
		}
	}
}
