package message

import (
	"strings"
	"testing"
)

// wireOf returns the addresses of a field as they are sent.
func wireOf(value string) (string, error) {
	boxes, err := mailboxesOf([]rawField{{"to", []byte(value)}}, "to")
	var list []string
	for _, m := range boxes {
		list = append(list, m.Address.Wire())
	}
	return strings.Join(list, " "), err
}

// The address fields of RFC 5322 appendix A, and others that occur in mail.
func TestHeaderList(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"John Doe <jdoe@machine.example>":                                       "jdoe@machine.example",
		"\"Joe Q. Public\" <john.q.public@example.com>":                         "john.q.public@example.com",
		"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>":         "mary@x.test jdoe@example.org one@y.test",
		"<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>": "boss@nil.test sysservices@example.net",
		"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;":      "c@a.test joe@where.test jdoe@one.test",
		"Undisclosed recipients:;":                                              "",
		"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>":        "pete@silly.test",
		"A Group(Some people)\n     :Chris Jones <c@(Chris's host.)public.example>,\n         joe@example.org,\n  John <jdoe@one.test> (my dear friend); (the end of the group)": "c@public.example joe@example.org jdoe@one.test",
		"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;":  "",
		"Joe Q. Public <john.q.public@example.com>":                        "john.q.public@example.com",
		"Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example": "mary@example.net jdoe@test.example",
		"<@a.test,@b.test:x@c.test>, <,@a.test:y@c.test>":                  "x@c.test y@c.test",
		"John Doe <jdoe@machine(comment).  example>":                       "jdoe@machine.example",
		"root@host.example.com (Cron Daemon (vixie))":                      "root@host.example.com",
		"root@host.example.com (a \\( b)":                                  "root@host.example.com",
		"\"me too\"@example.org":                                           "\"me too\"@example.org",
		"\"me\"@example.org":                                               "me@example.org",
		"\"a@b\" . c @ example.org":                                        "\"a@b.c\"@example.org",
		"john..doe.@docomo.example":                                        "\"john..doe.\"@docomo.example",
		"x@[192.0.2.1], y@[ IPv6:2001:db8::1 ]":                            "x@[192.0.2.1] y@[IPv6:2001:db8::1]",
		"a@b.example; c@d.example":                                         "a@b.example c@d.example",
		"a@b.example <c@d.example>":                                        "c@d.example",
		"=?UTF-8?Q?a,b?= <a@b.example>":                                    "a@b.example",
		"雁 <a@例子.中国>":                                                      "a@xn--fsqu00a.xn--fiqs8s",
		"Dr. X [y] <a@b.example>":                                          "a@b.example",
		"":                                                                 "",
		" , ,; ":                                                           "",
	} {
		if got, err := wireOf(in); err != nil || got != want {
			t.Errorf("%q is %q, %v, want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"root (Cron Daemon)":               `"root": no @`,
		"a b@example.org":                  "not of the form name@domain",
		"a@b@example.org":                  "not of the form name@domain",
		"a@example.org b":                  "not of the form name@domain",
		"<a@example.org":                   "an angle bracket < is not closed",
		"x <a@example.org> y":              "text after the >",
		"x <a@example.org, b@example.org>": "not of the form",
		"a@example.org (x (y)":             "a parenthesis ( is not closed",
		"\"x <a@example.org>":              "a quote \" is not closed",
		"a@[192.0.2.1":                     "a square bracket [ is not closed",
		"\"a\rb\"@example.org":             "control character",
		"\"a>b\"@example.org":              "is not allowed before the @",
		"<>":                               "no @",
		"@example.org":                     "nothing before the @",
		"a@":                               "nothing after the @",
		"undisclosed recipients":           "no @",
	} {
		if got, err := wireOf(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %q, %v, want %q", in, got, err, want)
		}
	}
}

// FuzzHeaderList takes any input. Every address that is read is safe in a command.
func FuzzHeaderList(f *testing.F) {
	f.Add("A Group(Some people):Chris <c@(x)y.z>, <@a,@b:c@d.e>;")
	f.Add("\"a b\" . c @ [ 1.2.3.4 ] (x (y\\)) )")
	f.Fuzz(func(t *testing.T, s string) {
		boxes, err := mailboxesOf([]rawField{{"to", []byte(s)}}, "to")
		if err != nil {
			return
		}
		for _, m := range boxes {
			wire := m.Address.Wire()
			if strings.ContainsAny(wire, "\r\n\x00<>") || !strings.Contains(s, m.Address.Domain()) && !strings.ContainsAny(s, " \t\r\n\\(") {
				t.Fatalf("%q gave %q", s, wire)
			}
			again, err := wireOf(wire)
			if err != nil || again != wire {
				t.Fatalf("%q gave %q, which is read as %q, %v", s, wire, again, err)
			}
		}
	})
}

// The envelope of a resent message comes from its first block of Resent fields; sender and
// recipients are available independently.
func TestEnvelopeOfAHeader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ header, from, to string }{
		{"From: a@b.example\nTo: c@d.example\n", "a@b.example", "c@d.example"},
		{"Sender: s@b.example\nFrom: a@b.example\nCc: c@d.example\nBcc: e@d.example\n", "s@b.example", "c@d.example e@d.example"},
		{"From: root (Cron Daemon)\nTo: c@d.example\n", "! header field from", "c@d.example"},
		{"Subject: x\nTo: c@d.example\n", "! neither From nor Sender", "c@d.example"},
		{"From: a@b.example\n", "a@b.example", "! no recipients"},
		{"From: a@b.example\nTo: nobody\nCc: c@d.example\n", "a@b.example", "! header field to"},
		{"Resent-From: r@b.example\nResent-To: new@d.example\nFrom: a@b.example\nTo: old@d.example\n", "r@b.example", "new@d.example"},
		{"From: a@b.example\nTo: old@d.example\nResent-To: new@d.example\nResent-Sender: s@b.example\nResent-From: r@b.example\nResent-Bcc: b@d.example\n", "s@b.example", "new@d.example b@d.example"},
		{"Resent-From: r2@b.example\nResent-To: n2@d.example\nReceived: x\nResent-From: r1@b.example\nResent-To: n1@d.example\nResent-Cc: m1@d.example\nFrom: a@b.example\nTo: old@d.example\n", "r2@b.example", "n2@d.example"},
		{"Resent-From: r2@b.example\nResent-To: n2@d.example\nResent-From: r1@b.example\nResent-To: n1@d.example\nFrom: a@b.example\nTo: old@d.example\n", "r2@b.example", "n2@d.example"},
		{"Resent-From: r@b.example\nResent-Date: x\nFrom: a@b.example\nTo: old@d.example\n", "r@b.example", "! no recipient"},
		{"Resent-To: new@d.example\nFrom: a@b.example\nTo: old@d.example\n", "! has no sender", "new@d.example"},
	} {
		c, err := ReadRaw(strings.NewReader(tt.header + "\nx\n"))
		if err != nil {
			t.Fatal(err)
		}
		check := func(got string, err error, want string) {
			t.Helper()
			if text, fails := strings.CutPrefix(want, "! "); fails {
				if err == nil || !strings.Contains(err.Error(), text) {
					t.Errorf("%q: %q, %v, want %s", tt.header, got, err, want)
				}
			} else if err != nil || got != want {
				t.Errorf("%q: %q, %v, want %s", tt.header, got, err, want)
			}
		}
		from, err := c.From()
		check(from.String(), err, tt.from)
		list, err := c.Recipients()
		var to []string
		for _, a := range list {
			to = append(to, a.String())
		}
		check(strings.Join(to, " "), err, tt.to)
		if _, err := c.Envelope(); (err == nil) != !strings.HasPrefix(tt.from+tt.to, "! ") && !strings.Contains(tt.to, "! ") {
			t.Errorf("%q: envelope %v", tt.header, err)
		}
		if wire := write(t, c); strings.Contains(string(wire), "Bcc") {
			t.Errorf("%s", wire)
		}
	}
}
