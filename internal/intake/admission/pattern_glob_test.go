package admission_test

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/smtp"
)

// Globs match as those of an account's match do.
func TestGlobs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ pattern, yes, no string }{
		{"sales-*@example.com", "sales-eu@example.com Sales-US@EXAMPLE.com", "sale@example.com sales-eu@mail.example.com"},
		{"*@*.example.com", "a@mail.example.com a/b@x.y.example.com", "a@example.com"},
		{"*@*.例子", "a@邮件.例子", "a@例子"},
		{`a\*b+*@example.com`, "a*b+x@example.com", "aXb+x@example.com a*b@example.com"},
	} {
		p, err := admission.ParsePattern(test.pattern)
		if err != nil || p.String() != test.pattern {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		for want, list := range map[bool]string{true: test.yes, false: test.no} {
			for a := range strings.FieldsSeq(list) {
				if address, err := smtp.ParseAddress(a); err != nil || p.Matches(address) != want {
					t.Errorf("%s, %s: %v, %v", test.pattern, a, !want, err)
				}
			}
		}
	}
	for _, s := range []string{"*", "a*", "@*", "[a@example.com", "*@", "a@b[.com"} {
		if _, err := admission.ParsePattern(s); (err == nil) != (s == "*") {
			t.Errorf("%q: %v", s, err)
		}
	}
}
