package sandboxcmd

import (
	"regexp"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/sandbox"
)

// The demo shows the refused password, the program's message through the listener, the login with a
// token, and the message with what the program left out. No secret is shown.
func TestRelayDemo(t *testing.T) {
	t.Parallel()
	for lang, words := range map[i18n.Language][]string{
		i18n.English: {"✗ The password is right", "(10 lines, with AUTH LOGIN XOAUTH2)", "✓ The message was on the disk", "friend@163.com  handed over"},
		i18n.Chinese: {"✗ 密码没有错，但密码登录已停用", "（共 10 行，含 AUTH LOGIN XOAUTH2）", "✓ 应答之前，邮件已写入磁盘", "friend@163.com  已交给服务器"},
	} {
		a, out, errs := testApp(lang)
		if err := a.runRelayDemo(t.Context()); err != nil {
			t.Fatalf("%s: %v\n%s%s", lang, err, out, errs)
		}
		text := out.String()
		place := 0
		for _, want := range append(words[:1:1], "→ AUTH PLAIN ****", "← 235 2.7.0", "→ MAIL FROM:<scanner@localhost>", "← 250 2.0.0 kept as 1", words[2],
			"→ AUTH XOAUTH2 ****", "← 235 2.7.0 Authentication successful", "→ MAIL FROM:<me@contoso.onmicrosoft.com>", words[3],
			"│ From: Scanner <me@contoso.onmicrosoft.com>", "│ Subject: 扫描件 scan-0042.pdf", "│ Date: ", "│ Message-ID: <", "yan serve --smtp 2525") {
			at := strings.Index(text[place:], want)
			if at < 0 {
				t.Fatalf("%s: no %q after octet %d of\n%s", lang, want, place, text)
			}
			place += at
		}
		for _, want := range append(words, "← 535 5.7.139 Authentication unsuccessful, basic authentication is disabled.\n") {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", lang, want, text)
			}
		}
		if strings.Contains(text, sandbox.Password) || regexp.MustCompile(`yan_[a-z2-7]{5}`).MatchString(text) || strings.Contains(text, "c2Nhbm5lcg") {
			t.Errorf("%s: a secret in\n%s", lang, text)
		}
	}
}

// A client that ends before its last reply leaves an error of the demo, not a panic of the view.
func TestReplyOfNoLines(t *testing.T) {
	t.Parallel()
	a, out, _ := testApp(i18n.English)
	v := &dialogueView{console: a.Console, words: a}
	for _, line := range []string{"250-mail", "250-", "250 AUTH"} {
		v.showReceived(line)
	}
	v.showReceived("250")
	v.showReceived("")
	if got := out.String(); got != "  ← 250 (3 lines, with mail)\n  ← 250\n  ← \n" {
		t.Errorf("%q", got)
	}
}
