package message

import (
	"strings"
	"testing"
)

func TestParseMailboxList(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want []string // "name|address"
	}{
		{"a@b.c", []string{"|a@b.c"}},
		{" <a@b.c> ", []string{"|a@b.c"}},
		{"Name <a@b.c>", []string{"Name|a@b.c"}},
		{"张三<a@b.c>", []string{"张三|a@b.c"}},
		{`"Name, x" <a@b.c>`, []string{"Name, x|a@b.c"}},
		{`"a \"b\" \\ c" <a@b.c>`, []string{`a "b" \ c|a@b.c`}},
		{`John "Joe"  Q. Smith <a@b.c>`, []string{"John Joe Q. Smith|a@b.c"}},
		{"a@b.c (John Smith)", []string{"John Smith|a@b.c"}},
		{"<a@b.c> (John)", []string{"John|a@b.c"}},
		{"张三(销售) <a@b.c>", []string{"张三(销售)|a@b.c"}},
		{"x@y.z <a@b.c>", []string{"x@y.z|a@b.c"}},
		{"=?utf-8?B?5L2g?= =?UTF-8?q?=E5=A5=BD?= x <a@b.c>", []string{"你好 x|a@b.c"}},
		{"=?GB2312?B?xOO6ww==?= <a@b.c>", []string{"你好|a@b.c"}},
		{"=?x-unknown?B?xOO6ww==?= <a@b.c>", []string{"=?x-unknown?B?xOO6ww==?=|a@b.c"}},
		{`"=?utf-8?B?5L2g?=" <a@b.c>`, []string{"=?utf-8?B?5L2g?=|a@b.c"}}, // RFC 2047 section 5: not in quotes
		{"a@b.c,d@e.f;g@h.i", []string{"|a@b.c", "|d@e.f", "|g@h.i"}},
		{"a@b.c，d@e.f；g@h.i、j@k.l", []string{"|a@b.c", "|d@e.f", "|g@h.i", "|j@k.l"}},
		{",a@b.c,, ;d@e.f；", []string{"|a@b.c", "|d@e.f"}},
		{`"a,b;c"@d.e, x@y.z`, []string{`|"a,b;c"@d.e`, "|x@y.z"}},
		{"a@[IPv6:::1], b@[127.0.0.1]", []string{"|a@[IPv6:::1]", "|b@[127.0.0.1]"}},
		{"=?utf-8?q?Smith,_J:=C3=BC?= <a@b.c>, d@e.f", []string{"Smith, J:ü|a@b.c", "|d@e.f"}},
		{`"x < y" <a@b.c>`, []string{"x < y|a@b.c"}},
	}
	for _, tt := range tests {
		list, err := ParseMailboxList(tt.in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		var got []string
		for _, m := range list {
			got = append(got, m.Name+"|"+m.Address.String())
		}
		if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
			t.Errorf("%q is %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestParseMailboxErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"", "contains no address"},
		{" ;, ", "contains no address"},
		{"nobody", `"nobody": no @`},
		{"<>", `"<>": address is empty`},
		{"x y@z", `"x y@z": ' ' is not allowed before the @`},
		{"Name a@b.c", `' ' is not allowed before the @`},
		{"Name <a@b.c", "an angle bracket < is not closed"},
		{`"Name <a@b.c>`, `a quote " is not closed`},
		{"a@b.c (x", "a parenthesis ( is not closed"},
		{"Name <a@b.c> <d@e.f>", "text after the >; is a comma missing?"},
		{"<a@b.c, d@e.f>", "is not"},
		{"team: a@b.c, d@e.f;", "address groups (name: address, address;) are not supported"},
		{"a@b.c, Joe <joe>", `"Joe <joe>": address "joe": no @`},
		{"a＠b.c", "full-width ＠"},
		{"<a、b@example.com>", "contains the full-width 、; type the half-width ,"},
		{"friend@163，com", `address "com": no @; the ， before it separates two addresses`},
		{"friend@163,com", `address "com": no @; the , before it separates two addresses`},
		{"Smith, John <j@example.org>", `address "Smith": no @; if the , is part of a name, put the name in quotes: "A, B" <a@example.org>`},
		{"王，五 <j@example.org>", `address "王": no @; if the ， is part of a name, put the name in quotes: "A， B" <a@example.org>`},
		{"张三《friend@163.com", "contains the full-width 《; type the half-width <"},
		{"a@b.c《friend@163.com》", "contains the full-width"},
		{"friend@163.com（", "contains the full-width （"},
		{`"a b"@example.org`, "has a space before the @"},
		{"m\u200be@example.org", "a zero width space (U+200B)"},
		{"a@b.c\n", "contains a line break"},
		{"a@b.c, \xff <d@e.f>", "is not UTF-8"},
		{"=?utf-8?q?=0D=0ABcc:_x?= <a@b.c>", "its name contains a line break"},
	}
	for _, tt := range tests {
		if list, err := ParseMailboxList(tt.in); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %q, error %v lacks %q", tt.in, list, err, tt.want)
		}
	}
	if _, err := ParseMailbox("a@b.c, d@e.f"); err == nil || !strings.Contains(err.Error(), "contains 2 addresses; want one") {
		t.Errorf("two as one: %v", err)
	}
}

func TestMailboxString(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a@b.c":                             "a@b.c",
		"Name  <a@b.c>":                     "Name <a@b.c>",
		`"李四" <a@例子.测试>`:                    "李四 <a@例子.测试>",
		`"Name, x" <a@b.c>`:                 `"Name, x" <a@b.c>`,
		`"a\"b" <a@b.c>`:                    `"a\"b" <a@b.c>`,
		"甲：乙 <a@b.c>":                       "甲：乙 <a@b.c>",
		`"甲、乙" <a@b.c>`:                     `"甲、乙" <a@b.c>`,
		`"=?utf-8?B?5L2g?=" <a@b.c>`:        `"=?utf-8?B?5L2g?=" <a@b.c>`,
		"J. Smith (Sales) <a@b.c>":          `"J. Smith (Sales)" <a@b.c>`,
		`" leading" <a@b.c>`:                `" leading" <a@b.c>`,
		"=?utf-8?q?a=22=2C_b?= <a@b.c>":     `"a\", b" <a@b.c>`,
		"=?utf-8?q?=E2=80=8F_x?= <a@b.c>":   "\"\u200f x\" <a@b.c>",
		"=?utf-8?q?=C2=A0x?= <a@b.c>":       "\"\u00a0x\" <a@b.c>",
		"=?iso-8859-1?q?J=FCrgen?= <a@b.c>": "Jürgen <a@b.c>",
	} {
		m, err := ParseMailbox(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if got := m.String(); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
		if again, err := ParseMailbox(m.String()); err != nil || again != m {
			t.Errorf("%q read back as %q, %v", m, again, err)
		}
	}
}

// Brackets of a Chinese or Japanese keyboard around an address or a name are accepted; each pair
// is tested.
func TestEastAsianBrackets(t *testing.T) {
	t.Parallel()
	open, closing := []rune(openingBrackets), []rune(closingBrackets)
	if len(open) != len(closing) || len(open) < 11 {
		t.Fatal(len(open), len(closing))
	}
	for i := range open {
		o, c := string(open[i]), string(closing[i])
		for in, want := range map[string]string{
			"张三" + o + "friend@163.com" + c:                       "张三 <friend@163.com>",
			"张三 " + o + " friend@163.com " + c + "，b@example.org": "张三 <friend@163.com>, b@example.org",
			"friend@163.com" + o + "张三" + c:                       "张三 <friend@163.com>",
			o + "friend@163.com" + c:                              "friend@163.com",
			"甲" + o + "乙" + c + " <friend@163.com>":               "甲" + o + "乙" + c + " <friend@163.com>",
			"\"甲" + o + "\" <friend@163.com>, " + "b@example.org": "甲" + o + " <friend@163.com>, b@example.org",
		} {
			list, err := ParseMailboxList(in)
			var got []string
			for _, m := range list {
				got = append(got, m.String())
			}
			if err != nil || strings.Join(got, ", ") != want {
				t.Errorf("%q is %q, %v, want %q", in, got, err, want)
			}
		}
		for _, in := range []string{"张三" + o + "friend@163.com", "friend@163.com" + c, "a@b.c" + o + "d@e.f" + c, "a@b" + o + ".c", o + "张三" + c, "friend@163.com" + c + o} {
			if list, err := ParseMailboxList(in); err == nil {
				t.Errorf("%q is %q", in, list)
			}
		}
	}
}

// Invisible characters from pasted text are dropped at both ends of each address.
func TestPastedMailboxes(t *testing.T) {
	t.Parallel()
	for _, unseen := range []string{"\u200b", "\ufeff", "\u202a", "\u202c", "\u2066\u2069", "\u00a0", "\u3000 \u200e"} {
		in := unseen + "a@example.org" + unseen + ", " + unseen + "Name <" + unseen + "b@example.org" + unseen + ">" + unseen + "，" + unseen
		list, err := ParseMailboxList(in)
		if err != nil || len(list) != 2 || list[0].String() != "a@example.org" || list[1].String() != "Name <b@example.org>" {
			t.Errorf("%+q: %q, %v", in, list, err)
		}
	}
}
