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
		{"", "holds no address"},
		{" ;, ", "holds no address"},
		{"nobody", `"nobody": no @`},
		{"<>", `"<>": address is empty`},
		{"x y@z", `"x y@z": ' ' is not allowed before the @`},
		{"Name a@b.c", `' ' is not allowed before the @`},
		{"Name <a@b.c", "an angle bracket < is not closed"},
		{`"Name <a@b.c>`, `a quote " is not closed`},
		{"a@b.c (x", "a parenthesis ( is not closed"},
		{"Name <a@b.c> <d@e.f>", "something follows the >; is a comma missing?"},
		{"<a@b.c, d@e.f>", "is not"},
		{"team: a@b.c, d@e.f;", "a group (name: address, address;) can't be used"},
		{"a@b.c, Joe <joe>", `"Joe <joe>": address "joe": no @`},
		{"a＠b.c", "full-width ＠"},
		{"a@b.c\n", "holds a line break"},
		{"a@b.c, \xff <d@e.f>", "is not UTF-8"},
		{"=?utf-8?q?=0D=0ABcc:_x?= <a@b.c>", "its name holds a line break"},
	}
	for _, tt := range tests {
		if list, err := ParseMailboxList(tt.in); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %q, error %v lacks %q", tt.in, list, err, tt.want)
		}
	}
	if _, err := ParseMailbox("a@b.c, d@e.f"); err == nil || !strings.Contains(err.Error(), "holds 2 addresses, not one") {
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
		"<a、b@example.com>":                 "<a、b@example.com>",
		"=?utf-8?q?=E2=80=8F_x?= <a@b.c>":   "\u200f x <a@b.c>",
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
