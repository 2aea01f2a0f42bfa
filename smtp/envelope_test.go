package smtp_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/smtp"
)

func TestNewEnvelope(t *testing.T) {
	t.Parallel()
	from, a, b, again := address(t, "me@qq.com"), address(t, "a@例子.中国"), address(t, "b@x.org"), address(t, "a@xn--fsqu00a.xn--fiqs8s")
	e, err := smtp.NewEnvelope(from, a, b, again, a)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(e.To(), []smtp.Address{a, b}) || e.Len() != 2 || e.From() != from || e.NeedsSMTPUTF8() {
		t.Errorf("to %v, from %v", e.To(), e.From())
	}
	e.To()[0] = b
	if e.To()[0] != a {
		t.Error("the caller could change the recipients")
	}
	if bounce, err := smtp.NewEnvelope(smtp.Address{}, a); err != nil || !bounce.From().IsZero() {
		t.Errorf("the null sender: %v", err)
	}
	for _, e := range []smtp.Envelope{envelope(t, address(t, "张@x.org"), a), envelope(t, from, b, address(t, "张@x.org"))} {
		if !e.NeedsSMTPUTF8() {
			t.Errorf("%v to %v needs SMTPUTF8", e.From(), e.To())
		}
	}
	if _, err := smtp.NewEnvelope(from); err == nil {
		t.Error("an envelope without recipients")
	}
	if _, err := smtp.NewEnvelope(from, a, smtp.Address{}); err == nil {
		t.Error("an empty recipient")
	}
	if _, err := smtp.NewEnvelope(from, slices.Repeat([]smtp.Address{a}, smtp.MaxRecipients+1)...); err == nil {
		t.Error("an unbounded envelope")
	}
}

func TestEnvelopeDSN(t *testing.T) {
	t.Parallel()
	base := envelope(t, address(t, "me@qq.com"), address(t, "a@x.org"))
	if !base.DSN().IsZero() {
		t.Error("a new envelope asks for something")
	}
	for _, tc := range []struct {
		name string
		dsn  smtp.DSN
		ok   bool
	}{
		{"nothing", smtp.DSN{}, true},
		{"everything", smtp.DSN{Return: "HDRS", EnvelopeID: "a b+c=d", Notify: []string{"SUCCESS", "FAILURE", "DELAY"}}, true},
		{"never", smtp.DSN{Return: "FULL", Notify: []string{"NEVER"}}, true},
		{"longest id", smtp.DSN{EnvelopeID: strings.Repeat("x", 100)}, true},
		{"long id", smtp.DSN{EnvelopeID: strings.Repeat("x", 101)}, false},
		{"id with line end", smtp.DSN{EnvelopeID: "a\r\nRCPT TO:<b>"}, false},
		{"id with NUL", smtp.DSN{EnvelopeID: "a\x00"}, false},
		{"id not ASCII", smtp.DSN{EnvelopeID: "雁"}, false},
		{"lower case", smtp.DSN{Return: "full"}, false},
		{"return with more", smtp.DSN{Return: "FULL BODY=X"}, false},
		{"never and more", smtp.DSN{Notify: []string{"NEVER", "DELAY"}}, false},
		{"more and never", smtp.DSN{Notify: []string{"DELAY", "NEVER"}}, false},
		{"twice", smtp.DSN{Notify: []string{"DELAY", "DELAY"}}, false},
		{"unknown", smtp.DSN{Notify: []string{"SUCCESS\r\nDATA"}}, false},
	} {
		e, err := base.WithDSN(tc.dsn)
		if (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err != nil && !e.DSN().IsZero() {
			t.Errorf("%s: refused and yet there", tc.name)
		}
	}
	notify := []string{"SUCCESS"}
	e, err := base.WithDSN(smtp.DSN{Notify: notify})
	if err != nil {
		t.Fatal(err)
	}
	notify[0] = "a\r\nDATA"
	e.DSN().Notify[0] = "b\r\nDATA"
	if got := e.DSN().Notify[0]; got != "SUCCESS" {
		t.Errorf("a checked value was changed from outside to %q", got)
	}
	if got := smtp.XText("a b+c=d\x7f雁~!"); got != "a+20b+2Bc+3Dd+7F+E9+9B+81~!" {
		t.Errorf("xtext %q", got)
	}
}

func envelope(t testing.TB, from smtp.Address, to ...smtp.Address) smtp.Envelope {
	t.Helper()
	e, err := smtp.NewEnvelope(from, to...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
