package explaincmd

import (
	"strings"
	"testing"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/smtp"
)

// An advice is on its own line below the label; text after a label is aligned
// with its beginning.
func TestFindingAsShown(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"550 User has no permission": "怎么办：请在 设置 → POP3/SMTP/IMAP 中开启服务。\n在哪里：网页版",
		"554 DT:SPM 163 smtp10":      "原因：邮件内容被判为垃圾邮件或违规。\n      内容过于单薄",
	} {
		a, out, _ := testApp(i18n.Chinese)
		if err := a.explainPasted(text, explanation{provider: "163"}); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v\n%s", text, err, out)
		}
	}
}

// Microsoft's refusals of passwords lead to the document and the command, in both languages, as
// the program that pastes them has received them.
func TestPasswordsThatMicrosoftRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"550 5.7.30 Basic authentication is not supported for Client Submission.",
		"535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [LO4P265CA0001.GBRP265.PROD.OUTLOOK.COM 2027-01-04T08:00:00.000Z 08DE0001]",
		"smtplib.SMTPAuthenticationError: (535, b'5.7.139 Authentication unsuccessful, basic authentication is disabled. [A B C]')",
	} {
		for lang, want := range map[i18n.Language][]string{
			i18n.English: {"'yan login'", "docs/relay.md", "Microsoft 365"},
			i18n.Chinese: {"yan login", "docs/relay.zh-CN.md", "Microsoft 365"},
		} {
			a, out, _ := testApp(lang)
			if err := a.explainPasted(text, explanation{}); err != nil {
				t.Errorf("%s: %v", text, err)
			}
			for _, word := range want {
				if !strings.Contains(out.String(), word) {
					t.Errorf("%s, %s: no %q in\n%s", text, lang, word, out)
				}
			}
			if strings.Contains(out.String(), "Active users") || strings.Contains(out.String(), "活跃用户") {
				t.Errorf("%s: the way to another switch:\n%s", text, out)
			}
		}
	}
}

// Postfix lets a client that has not logged in continue up to RCPT.
func TestLoginWantedAtRcptIsAFailedLogin(t *testing.T) {
	t.Parallel()
	to, err := smtp.ParseAddress("a@example.org")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{
		"554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: Access denied":                          command.ExitAuth,
		"550 5.1.1 <a@example.org>: Recipient address rejected: User unknown in virtual mailbox table": command.ExitNoUser,
	} {
		reply, err := parseReply(text)
		if err != nil {
			t.Fatal(err)
		}
		o := smtp.Outcome{Recipient: to, Status: smtp.Refused, Stage: smtp.StageRcpt, Reply: reply}
		if got := verdict.ExitStatus(yan.Result{Recipients: []smtp.Outcome{o}}, ""); got != want {
			t.Errorf("%s: exit status %d, want %d", text, got, want)
		}
	}
}
