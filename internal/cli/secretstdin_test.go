package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/sandboxtest"
)

// yan login --secret-stdin prints success or the reason of a failure in both languages. It stores
// nothing unless the login worked, and shows no secret.
func TestLoginSecretStdinSays(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	address, repeat := "me@qq.com", "yan login me@qq.com --secret-stdin < code.txt"
	for what, c := range map[string]struct {
		stdin  []string
		args   []string
		code   int
		en, zh []string
	}{
		"worked": {[]string{sandboxPassword}, nil, command.ExitOK, []string{"Logged in; me@qq.com may send"}, []string{"登录成功，me@qq.com 可以发信"}},
		"empty line": {[]string{""}, nil, command.ExitConfig,
			[]string{"no password for me@qq.com on standard input", repeat}, []string{"标准输入中没有 me@qq.com 的密码", repeat}},
		"refused": {[]string{wrongSecret}, nil, command.ExitAuth, []string{"535", "Nothing was saved."}, []string{"535", "没有保存任何内容。"}},
		"endless": {[]string{strings.Repeat("x", 70_000)}, nil, command.ExitIO,
			[]string{"yan: can't read the answer: a line is longer than 65536 octets"}, []string{"yan: 无法读取回答：一行超过了 65536 字节"}},
		"two places": {[]string{sandboxPassword}, []string{"--secret-file", "code"}, command.ExitUsage,
			[]string{"use either --secret-stdin or --secret-file"}, []string{"--secret-stdin 和 --secret-file 只能用一个"}},
		"no address": {[]string{sandboxPassword}, []string{"qq"}, command.ExitUsage,
			[]string{`unknown account "qq"`, "Set it with yan login ADDRESS."}, []string{"没有账号", "yan login"}},
	} {
		for lang, says := range map[string][]string{"en": c.en, "zh": c.zh} {
			t.Run(what+" "+lang, func(t *testing.T) {
				t.Parallel()
				d := newLoginDesk(t)
				d.pipe, d.answers = true, c.stdin
				args := append([]string{"--lang", lang, "--secret-stdin"}, c.args...)
				if what != "no address" {
					args = append(args, address, "--from", address)
				}
				code, _, errs := d.login(s, args...)
				if code != c.code {
					t.Errorf("exit status %d, want %d", code, c.code)
				}
				clitest.Wants(t, "the terminal", errs, says...)
				_, err := os.Stat(filepath.Join(d.home, "yan", "config.toml"))
				if kept := d.kept() != "" || err == nil; kept != (c.code == command.ExitOK) {
					t.Errorf("kept %q, configuration: %v", d.kept(), err)
				}
			})
		}
	}
}
