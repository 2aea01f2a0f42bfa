package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/sandboxtest"
)

// Errors of packages below the command line are printed in Chinese, without an English sentence.
func TestErrorsAreSaidInChinese(t *testing.T) {
	t.Parallel()
	const good = "[account.a]\nfrom = \"a@qq.com\"\n"
	for _, test := range []struct{ config, want string }{
		{"[account.a]\nfrom = 1", "account.a.from 无法使用：类型不对：应为用引号括起的文本"},
		{"[account.a]\nserver = \"qq\"", "缺少发件人：应为地址，可带名字"},
		{"[account.a]\nfrom = \"nobody\"", "不是有效的发件地址：地址“nobody”：缺少 @"},
		{good + "server = \"qqq\"", "服务器“qqq”既不是 URL，也不是已知的服务商；可能是指 qq"},
		{good + "server = \"http://qq.com\"", "协议“http”不是 smtps、smtp、smtp+notls、lmtp、lmtp+unix 之一"},
		{good + "server = \"smtp://smtp.qq.com:465\"", "端口 465 一开始就用 TLS；请把 smtp:// 改为 smtps://"},
		{"default = \"zz\"\n" + good, "default 无法使用：没有账号“zz”"},
		{good + "fallback = \"a\"", "备用账号（fallback）形成循环引用：a, a"},
		{good + "secret = { command = \"x\", file = \"y\" }", "写了多个存放位置"},
		{good + "tls_pin = \"x\"", "证书指纹“x”：应为 sha256: 加 64 位十六进制数字"},
		{good + "timeout = \"30\"", "应为带单位的时间，如 30s 或 5m"},
		{good + "auth = \"MAGIC\"", "没有名为“MAGIC”的登录方式；应为 "},
		{good + "match = [\"x\"]", "“x”：应为地址，或 *@example.com 这样的模式"},
		{good + "imap = \"http://x\"", "应为 URL，如 imaps://imap.example.com；用 STARTTLS 时写 imap://"},
		{good + "proxy = \"ftp://x\"", "应为 URL，如 socks5://127.0.0.1:1080"},
		{good + "headers = { From = \"x\" }", "“From”：不能在这里设置：邮件另有专门的字段设置它"},
		{good + "headers = { X = \"x\\ny\" }", "“X”：其值含有换行"},
		{good + "save_sent = \"yes\"", "“yes”：应为 auto、always 或 never"},
		{good + "oauth2 = { tenant = \"x\" }", "缺少 client_id"},
		{"[account.a\nfrom = \"a\"", "1:11：不是有效的 TOML：这一节的名称没有以 ] 结束"},
		{good + "from = \"a@qq.com\"", "不是有效的 TOML：from 写了两次"},
		{"[account.a]\nfrom = \"\xff\"", "文本中有不是 UTF-8 的字符"},
		{good + "connections = 1__0", "第 3 行不是有效的 TOML（number must have"},
		{"[account.a]\nfrom = “a@qq.com”\n", "引号要用半角 \" \"，不要用全角 “ ”"},
		{"[account.a]\n授权码 = \"hunter2\"\n", "account.a.授权码：密码或授权码不能写在此文件中"},
		{"[account.工作]\nfrom = \"a@qq.com\"\n", "account.工作 无法使用：名称只能由英文字母、数字、- 和 _ 组成"},
	} {
		config := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(config, []byte(test.config), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, errs := run(t.Context(), map[string]string{"YAN_CONFIG": config}, "--lang", "zh", "config", "check")
		errs = strings.ReplaceAll(errs, config, "config.toml")
		if code != command.ExitConfig || !strings.Contains(errs, test.want) {
			t.Errorf("%q: exit status %d\n%swant %s", test.config, code, errs, test.want)
		}
		if found := englishSentence(errs); found != "" && !strings.Contains(test.want, "number must have") {
			t.Errorf("%q: English: %q in\n%s", test.config, found, errs)
		}
		if strings.Contains(errs, "hunter2") {
			t.Errorf("%q: the secret is shown: %s", test.config, errs)
		}
	}
}

// englishSentence returns four English words in a row that are not a command.
func englishSentence(s string) string {
	s = regexp.MustCompile(`\byan [a-z]+( [a-z]+)?`).ReplaceAllString(s, "…")
	return regexp.MustCompile(`\b[A-Za-z']{2,} [a-z']+ [a-z']+ [a-z']+\b`).FindString(s)
}

func TestSettingsAreRefusedInTheUsersLanguage(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "config.toml")
	const text = "[account.qq]\nfrom = \"a@qq.com\"\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ flag, pair, english, chinese string }{
		{"--set", "connections=abc", "--set connections=abc: want a number; nothing was changed", "--set connections=abc：应为数字；没有任何改动"},
		{"--set", "connections=-1", "--set connections=-1: want a number above zero; nothing was changed", "--set connections=-1：应为大于 0 的数；没有任何改动"},
		{"--set", "pipelining=yes", "--set pipelining=yes: want true or false; nothing was changed", "--set pipelining=yes：应为 true 或 false；没有任何改动"},
		{"--set", "match=x", "--set match=x: want a list like [\"a\", \"b\"]; nothing", "--set match=x：应为列表"},
		{"--set", "fallback=zz", `--set fallback=zz: unknown account "zz"; nothing was changed`, "--set fallback=zz：没有账号“zz”；没有任何改动"},
		{"--set", "form=x", "--set form: unknown key account.qq.form; nothing was changed\n     Did you mean from?", "--set form：没有名为 account.qq.form 的配置项；没有任何改动"},
		{"--set", "password=hunter2", "--set password: secrets are not allowed in this file; nothing was changed", "--set password：密码或授权码不能写在此文件中；没有任何改动"},
		{"--unset", "form", "--unset form: unknown key account.qq.form; nothing was changed", "--unset form：没有名为 account.qq.form 的配置项；没有任何改动"},
		{"--unset", "from", "--unset from: the sender is missing: want an address, with or without a name; nothing", "--unset from：缺少发件人"},
	} {
		for lang, want := range map[string]string{"en": test.english, "zh": test.chinese} {
			code, _, errs := run(t.Context(), map[string]string{"YAN_CONFIG": config}, "--lang", lang, "account", "edit", "qq", test.flag, test.pair)
			if code != command.ExitConfig || !strings.Contains(errs, want) || strings.Contains(errs, "config.toml") || strings.Contains(errs, "hunter2") {
				t.Errorf("%s %s: exit status %d\n%swant %s", test.flag, test.pair, code, errs, want)
			}
		}
	}
	if now, err := os.ReadFile(config); err != nil || string(now) != text {
		t.Errorf("the file is changed: %v\n%s", err, now)
	}
}

func TestAddressesAndMessagesAreRefusedInChinese(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "netease") // without SMTPUTF8
	code := filepath.Join(t.TempDir(), "code.txt")
	if err := os.WriteFile(code, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"-t", "x <a@b.example"}, "尖括号 < 没有闭合"},
		{[]string{"-t", "a b@c.example"}, "@ 之前不能有“ ”"},
		{[]string{"-t", "a@b_c..d"}, "“b_c..d”不是域名"},
		{[]string{"-t", "a@b.example, c"}, "地址“c”：缺少 @"},
		{[]string{"--raw", code}, "无法作为邮件发送：第 1 行不是邮件头字段；这是一封邮件吗？"},
		{[]string{"-t", "三号@163.com"}, "服务器不支持 SMTPUTF8，@ 之前不能有中文等字符"},
	} {
		args := []string{"send", "--lang", "zh", "--server", s.URL(), "--tls-ca", s.CAFile()}
		if test.args[0] != "--raw" {
			args = append(args, "-s", "x", "-b", "x")
		}
		args = append(args, test.args...)
		exit, out, errs := run(t.Context(), login(s), args...)
		if exit == command.ExitOK || !strings.Contains(out+errs, test.want) {
			t.Errorf("%q: exit status %d\n%s%swant %s", test.args, exit, out, errs, test.want)
		}
		if found := englishSentence(errs); found != "" {
			t.Errorf("%q: English: %q in\n%s", test.args, found, errs)
		}
		if strings.Contains(out+errs, "hunter2") {
			t.Errorf("%q: the file is shown: %s%s", test.args, out, errs)
		}
	}
}
