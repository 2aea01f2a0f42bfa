package account_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
)

// slips are typing errors with a Chinese keyboard, and the messages for them.
var slips = []struct {
	source       string
	fault        account.Fault
	line, column int
	says         string
}{
	{"[account.a]\nfrom = “a@qq.com”\n", account.FaultSyntax, 2, 8, `use half-width quotes " "`},
	{"[account.a]\nfrom = \"a@qq.com”\n", account.FaultSyntax, 2, 18, `use half-width quotes " "`},
	{"[account.a]\nfrom ＝ \"a\"\n", account.FaultSyntax, 2, 6, "type the half-width = instead of the full-width ＝"},
	{"[account.a]\nfrom：\"a\"\n", account.FaultSyntax, 2, 5, "type the half-width = instead of the full-width ："},
	{"【account.a】\n", account.FaultSyntax, 1, 1, "type the half-width [ instead"},
	{"[account.a]\nmatch = [\"雁\"， \"b\"]\n", account.FaultSyntax, 2, 13, "type the half-width , instead"},
	{"[account.a]\nfrom = \"雁\"　\n", account.FaultSyntax, 2, 11, "full-width spaces"},
	{"[account.a]\nfrom = 雁\n", account.FaultSyntax, 2, 8, "unexpected character U+96C1 '雁' at start of value"},
	{"[account.a]\n授权码 = \"hunter2\"\n", account.FaultSecret, 2, 1, "account.a.授权码: secrets"},
	{"[account.a]\npassword = “hunter2”\n", account.FaultSecret, 2, 12, "account.a.password: secrets"},
	{"[account.a]\npassword = hunter2\n", account.FaultSecret, 2, 12, "account.a.password: secrets"},
	{"[account.a]\nsecret = { 密码 = \"hunter2\" }\n", account.FaultSecret, 2, 12, "account.a.secret.密码: secrets"},
	{"[account.a]\n服务器 = \"qq\"\n", account.FaultUnknownKey, 2, 1, "account.a.服务器: unknown key"},
	{"[account.工作]\n", account.FaultValue, 1, 10, "account.工作: a name may contain only letters, digits, - and _"},
	{"account.工作.from = \"a@qq.com\"\n", account.FaultValue, 1, 9, "account.工作: a name may"},
	// Other syntax errors keep their message.
	{"[account.a]\nfrom = a@qq.com\n", account.FaultSyntax, 2, 8, "unexpected character U+0061 'a' at start of value"},
	{"[account.a]\nfrom = \"a\nb = 1", account.FaultSyntax, 2, 10, "basic strings cannot have new lines"},
}

func TestSlips(t *testing.T) {
	t.Parallel()
	for _, test := range slips {
		_, err := account.Parse("c.toml", []byte(test.source))
		var p *account.ParseError
		if !errors.As(err, &p) || p.Fault != test.fault || p.Line != test.line || p.Column != test.column || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q: %v, want %s at %d:%d with %s", test.source, err, test.fault, test.line, test.column, test.says)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the secret is shown: %v", test.source, err)
		}
	}
}

// Every file is either read or explained, at a place that exists.
func FuzzParse(f *testing.F) {
	for _, s := range slips {
		f.Add([]byte(s.source))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		_, err := account.Parse("c.toml", source)
		var p *account.ParseError
		if err != nil && !errors.As(err, &p) {
			t.Fatalf("%v is no ParseError", err)
		}
		if p != nil && p.Line > strings.Count(string(source), "\n")+1 {
			t.Fatalf("%v: there is no such line", err)
		}
	})
}
