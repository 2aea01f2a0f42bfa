package logincmd

import (
	"strings"
	"testing"
)

// A QR code is as wide as it is high, and has its quiet zone.
func TestHalfBlocks(t *testing.T) {
	t.Parallel()
	lines := halfBlocks(3, func(x, y int) bool { return x == 0 || y == 2 })
	want := []string{"       ", "  █▀▀▄▄"[:0] + "  █    ", "  ▀▀▀  ", "       "}
	if got := strings.Join(lines, "|"); got != strings.Join(want, "|") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestShortNames(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp("en")
	for address, want := range map[string]string{"me@qq.com": "qq", "me@foxmail.com": "foxmail", "me@163.com": "163", "me@vip.163.com": "netease_vip",
		"me@vip.qq.com": "qq", "me@hotmail.com": "hotmail", "me@corp.example": "corp", "me@mail.corp.example": "corp", "me@例子.测试": "xn--fsqu00a",
		"me@[192.0.2.1]": "mail"} {
		l := &loginSetup{a: a, s: &loginFlags{}}
		box, err := a.parseMailbox(address)
		if err != nil {
			t.Fatal(err)
		}
		l.login = box
		if got := (accountNaming{l}).shortName(); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

func TestServerURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"smtp.corp.example": "smtps://smtp.corp.example", "smtp.corp.example:587": "smtp://smtp.corp.example:587",
		"smtp.corp.example:465": "smtps://smtp.corp.example:465", "qq": "qq", "smtp://x": "smtp://x", "127.0.0.1:25": "smtp://127.0.0.1:25", "web.de": "web.de"} {
		if got := serverURL(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestNearDomain(t *testing.T) {
	t.Parallel()
	for domain, want := range map[string]string{"gmial.com": "gmail.com", "gamil.com": "gmail.com", "gmail.con": "gmail.com", "qq.con": "qq.com", "qqq.com": "qq.com",
		"163.con": "163.com", "hotmial.com": "hotmail.com", "corp.example": "", "example.com": "", "gmail.example": "", "": ""} {
		if _, got := nearDomain(domain); got != want {
			t.Errorf("%s: %q, want %q", domain, got, want)
		}
	}
}
