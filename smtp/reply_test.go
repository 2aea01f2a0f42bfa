package smtp_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/smtp"
)

func TestReplyParser(t *testing.T) {
	t.Parallel()
	none := smtp.EnhancedCode{}
	for _, tc := range []struct {
		name     string
		in       []string
		code     int
		enhanced smtp.EnhancedCode
		lines    []string
		text     string
	}{
		{"one line", []string{"250 OK"}, 250, none, []string{"OK"}, "250 OK"},
		{"code alone", []string{"250"}, 250, none, []string{""}, "250"},
		{"code and space", []string{"250 "}, 250, none, []string{""}, "250"},
		{"several lines", []string{"250-a", "250-", "250 b"}, 250, none, []string{"a", "", "b"}, "250 a  b"},
		{"code alone ends", []string{"250-a", "250"}, 250, none, []string{"a", ""}, "250 a "},
		{"enhanced", []string{"550 5.1.1 no such user"}, 550, smtp.EnhancedCode{Class: 5, Subject: 1, Detail: 1}, []string{"no such user"}, "550 5.1.1 no such user"},
		{"enhanced on every line", []string{"550-5.7.26 a", "550-5.7.26 b", "550 5.7.26 c"}, 550, smtp.EnhancedCode{Class: 5, Subject: 7, Detail: 26}, []string{"a", "b", "c"}, "550 5.7.26 a b c"},
		{"another enhanced later", []string{"550-5.7.1 a", "550 5.7.2 b"}, 550, smtp.EnhancedCode{Class: 5, Subject: 7, Detail: 1}, []string{"a", "5.7.2 b"}, "550 5.7.1 a 5.7.2 b"},
		{"enhanced of another class", []string{"250 5.1.1 odd"}, 250, none, []string{"5.1.1 odd"}, "250 5.1.1 odd"},
		{"an address is none", []string{"550 5.1.1.1 is blocked"}, 550, none, []string{"5.1.1.1 is blocked"}, "550 5.1.1.1 is blocked"},
		{"GBK", []string{"550 \xb4\xed\xce\xf3"}, 550, none, []string{"错误"}, "550 错误"},
		{"UTF-8", []string{"550 错误"}, 550, none, []string{"错误"}, "550 错误"},
		{"neither", []string{"550 a\xff\xffb"}, 550, none, []string{"a\uFFFD\uFFFDb"}, "550 a\uFFFD\uFFFDb"},
		{"control characters", []string{"550 a\x1b[31mb\x00c\td\u009b\u202e"}, 550, none, []string{"a\uFFFD[31mb\uFFFDc d\uFFFD\uFFFD"}, "550 a\uFFFD[31mb\uFFFDc d\uFFFD\uFFFD"},
		{"CR within is the text's", []string{"250 a\rb"}, 250, none, []string{"a\uFFFDb"}, "250 a\uFFFDb"},
		{"longest line", []string{"250 " + strings.Repeat("x", smtp.MaxReplyLine-4)}, 250, none, []string{strings.Repeat("x", smtp.MaxReplyLine-4)}, "250 " + strings.Repeat("x", smtp.MaxReplyLine-4)},
	} {
		r, err := parse(tc.in...)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if r.Code != tc.code || r.Enhanced != tc.enhanced || !slices.Equal(r.Lines, tc.lines) || r.String() != tc.text {
			t.Errorf("%s: %d %v %q; %q", tc.name, r.Code, r.Enhanced, r.Lines, r)
		}
	}
}

func TestReplyParserRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 4000)
	for name, in := range map[string][]string{
		"empty":            {""},
		"two digits":       {"25"},
		"letters":          {"OK"},
		"tab behind code":  {"250\tOK"},
		"text behind code": {"250OK"},
		"four digits":      {"2500 OK"},
		"class one":        {"150 OK"},
		"class six":        {"650 OK"},
		"QQ's frame":       {"\x00\x00\x00\x1a\x00\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x00221 Bye."},
		"mixed codes":      {"250-a", "550 b"},
		"mixed last digit": {"250-a", "251 b"},
		"text in between":  {"250-a", "b", "250 c"},
		"long line":        {"250 " + strings.Repeat("x", smtp.MaxReplyLine-3)},
		"never ends":       slices.Repeat([]string{"250-a"}, smtp.MaxReplyLines+1),
		"too many bytes":   slices.Repeat([]string{"250-" + long}, smtp.MaxReplyBytes/4000+1),
		"TLS":              {"\x16\x03\x01\x02"},
		"HTTP":             {"HTTP/1.1 400 Bad Request"},
	} {
		if r, err := parse(in...); !errors.Is(err, smtp.ErrMalformedReply) {
			t.Errorf("%s: %v, %v", name, r, err)
		} else if len(err.Error()) > 500 || strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Errorf("%s: the error holds raw input: %q", name, err)
		}
	}
	if _, err := parse(append(slices.Repeat([]string{"250-a"}, smtp.MaxReplyLines-1), "250 end")...); err != nil {
		t.Errorf("a reply of exactly MaxReplyLines: %v", err)
	}
}

func TestReplyClassesAndStatus(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		code                    int
		pos, inter, trans, perm bool
		status                  smtp.Status
	}{
		{250, true, false, false, false, smtp.Accepted},
		{354, false, true, false, false, smtp.Refused},
		{421, false, false, true, false, smtp.Deferred},
		{552, false, false, false, true, smtp.Refused},
	} {
		r := smtp.Reply{Code: tc.code}
		if r.Positive() != tc.pos || r.Intermediate() != tc.inter || r.Transient() != tc.trans || r.Permanent() != tc.perm || smtp.StatusOf(r) != tc.status {
			t.Errorf("%d: %v", tc.code, smtp.StatusOf(r))
		}
	}
	if (smtp.Reply{}).String() != "" || !(smtp.Reply{}).IsZero() {
		t.Error("the zero reply says something")
	}
	if len(smtp.Statuses()) != 5 || len(smtp.Stages()) != 12 {
		t.Errorf("%v %v", smtp.Statuses(), smtp.Stages())
	}
}

func TestOutcomeAndErrorNameTheirStage(t *testing.T) {
	t.Parallel()
	reply, _ := parse("550 5.1.1 no such user")
	o := smtp.Outcome{Recipient: address(t, "a@x.org"), Status: smtp.Refused, Stage: smtp.StageRcpt, Reply: reply}
	if got, want := o.String(), "a@x.org: refused at rcpt: 550 5.1.1 no such user"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	cause := errors.New("connection reset")
	o = smtp.Outcome{Recipient: o.Recipient, Status: smtp.Unknown, Stage: smtp.StageBody, Err: cause}
	if got, want := o.String(), "a@x.org: unknown at body: connection reset"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	e := &smtp.Error{Stage: smtp.StageAuth, Reply: reply, Err: cause}
	if got, want := e.Error(), "auth: 550 5.1.1 no such user: connection reset"; got != want || !errors.Is(e, cause) {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzReply(f *testing.F) {
	for _, s := range []string{"250 OK", "250-a\n250 b", "550 \xb4\xed\xce\xf3", "550-5.1.1 a\n550 5.1.1 b", "\x00\x00\x00\x1a", "250-a\n550 b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parse(strings.Split(string(data), "\n")...)
		if err != nil {
			if !errors.Is(err, smtp.ErrMalformedReply) && !errors.Is(err, errNotEnded) {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		total := 0
		for _, line := range r.Lines {
			total += len(line)
			if !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) {
				t.Fatalf("%q gave the line %q", data, line)
			}
		}
		if r.Code < 200 || r.Code > 599 || len(r.Lines) == 0 || len(r.Lines) > smtp.MaxReplyLines || total > 4*smtp.MaxReplyBytes {
			t.Fatalf("%q gave code %d, %d lines, %d bytes", data, r.Code, len(r.Lines), total)
		}
		if !r.Enhanced.IsZero() && r.Enhanced.Class != r.Code/100 {
			t.Fatalf("%q gave %d with %v", data, r.Code, r.Enhanced)
		}
		_ = smtp.ParseCapabilities(r).Keywords()
	})
}

var errNotEnded = errors.New("the reply did not end")

// parse feeds lines until the reply ends.
func parse(lines ...string) (smtp.Reply, error) {
	var p smtp.ReplyParser
	for _, line := range lines {
		r, last, err := p.Line([]byte(line))
		if err != nil || last {
			return r, err
		}
	}
	return smtp.Reply{}, errNotEnded
}
