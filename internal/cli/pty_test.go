//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/testing/ptytest"
	"github.com/yanmail/yan/sandboxtest"
)

// terminalUser is a user at a terminal with an empty home and a mailbox at the sandbox.
type terminalUser struct {
	*ptytest.Terminal
	t      *testing.T
	home   string
	server *sandboxtest.Server
}

func atTerminal(t *testing.T, options ...sandboxtest.Option) *terminalUser {
	t.Helper()
	return &terminalUser{Terminal: ptytest.New(t), t: t, home: t.TempDir(), server: sandboxtest.Start(t, "qq", options...)}
}

// runs returns a command that starts the program; vars are further variables.
func (s *terminalUser) runs(vars []string, args ...string) *exec.Cmd {
	s.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Args = append([]string{"yan"}, args...)
	cmd.Env = append([]string{"HOME=" + s.home, "TERM=xterm-256color", "LANG=en_US.UTF-8", "PATH=" + os.Getenv("PATH"),
		"GORACE=atexit_sleep_ms=0 exitcode=99", "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent", cheapFile()}, vars...)
	s.Start(cmd)
	return cmd
}

// logsIn starts yan login for the sandbox.
func (s *terminalUser) logsIn(vars ...string) *exec.Cmd {
	s.t.Helper()
	return s.runs(vars, "login", "--server", "smtps://"+s.server.TLSAddr(), "--tls-ca", s.server.CAFile())
}

func (s *terminalUser) config() string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.home, ".config", "yan", "config.toml"))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// keepsNoSecretInClear searches all files for the secret, except the requested file.
func (s *terminalUser) keepsNoSecretInClear(where ...string) {
	s.t.Helper()
	if strings.Contains(s.Raw(), sandboxPassword) || strings.Contains(s.Raw(), wrongSecret) {
		s.t.Errorf("a secret is on the screen:\n%s", s.Text())
	}
	files := 0
	err := filepath.Walk(s.home, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		files++
		if info.Mode().Perm()&0o077 != 0 {
			s.t.Errorf("others can read %s: %v", path, info.Mode())
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), sandboxPassword) && !slices.Contains(where, filepath.Base(path)) {
			s.t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil || files == 0 {
		s.t.Errorf("looked into %d files: %v", files, err)
	}
}

// dialogue holds the expected texts in a language.
type dialogue struct {
	lang                                       string
	address, name, code, refused, ready, where string
	phrase, again                              string
	asked, enter, sent                         string
}

func dialogues() map[string]dialogue {
	return map[string]dialogue{
		"English": {"en_US.UTF-8", "Your e-mail address", "Your name", "Authorization code", "Login failed", "Account qq is ready",
			"Where should the secret be stored?", "New passphrase", "Repeat it", "Passphrase of the encrypted file", "Press Enter to change", "accepted"},
		"Chinese": {"zh_CN.UTF-8", "您的邮箱地址", "您的名字", "授权码", "登录失败", "账号 qq 已就绪",
			"密码或授权码存放在哪里？", "加密文件的新口令", "再输入一次", "加密文件的口令", "直接按回车", "已接收"},
	}
}

// From an empty home to the first message: in both languages, with forms and on a dumb terminal,
// with a wrong code first.
func TestLoginOnTerminal(t *testing.T) {
	t.Parallel()
	for language, d := range dialogues() {
		for _, term := range []string{"xterm-256color", "dumb"} {
			t.Run(language+" "+term, func(t *testing.T) {
				t.Parallel()
				s := atTerminal(t)
				vars := []string{"LANG=" + d.lang, "TERM=" + term}
				cmd := s.logsIn(vars...)
				s.Waits(d.address)
				s.Types("me@qq.com\r")
				s.Waits(d.name)
				s.Types("小雁\r")
				s.Waits("help.mail.qq.com")
				s.Waits(d.code)
				s.Types(wrongSecret + "\r")
				s.Waits(d.refused)
				s.Waits("535")
				s.Waits(d.enter)
				if term == "dumb" {
					s.Waits(d.code + map[string]string{"English": ": ", "Chinese": "："}[language])
				}
				s.checkArguments(cmd)
				if term == "dumb" { // it has no bracketed paste
					s.Types(" " + sandboxPassword + "\u200b\r")
				} else {
					s.Types("\x1b[200~ " + sandboxPassword + "\u200b\n\x1b[201~")
					s.Waits("****")
					s.Types("\r")
				}
				s.Waits(d.where)
				// The encrypted file is tested once only: it takes a second on purpose.
				encrypted := language == "English" && term != "dumb"
				if encrypted {
					s.Types("\r")
					s.Waits(d.phrase)
					s.Types("correct horse\r")
					s.Waits(d.again)
					s.Types("correct horse\r")
				} else if term == "dumb" {
					s.Types("2\r")
				} else {
					s.Types("\x1b[B\r")
				}
				s.Waits(d.ready)
				s.Waits("yan send -t me@qq.com")
				if code := s.Exit(); code != command.ExitOK {
					t.Errorf("exit status %d", code)
				}
				s.Restored()
				s.keepsNoSecretInClear("qq.secret")
				if config := s.config(); !strings.Contains(config, "[account.qq]") || !strings.Contains(config, `"小雁 <me@qq.com>"`) {
					t.Errorf("config.toml:\n%s", config)
				}
				s.sends(d, vars, encrypted)
			})
		}
	}
}

// sends sends a message from the account on a new terminal.
func (s *terminalUser) sends(d dialogue, vars []string, encrypted bool) {
	s.t.Helper()
	next := &terminalUser{Terminal: ptytest.New(s.t), t: s.t, home: s.home, server: s.server}
	next.runs(vars, "send", "-t", "friend@163.com", "-s", "你好", "-b", "Hello World")
	if encrypted {
		next.Waits(d.asked)
		next.Types("correct horse\r")
	}
	next.Waits("friend@163.com  " + d.sent)
	if code := next.Exit(); code != command.ExitOK {
		s.t.Errorf("exit status %d", code)
	}
	next.Restored()
	if strings.Contains(next.Text(), "correct horse") {
		s.t.Error("the passphrase is on the screen")
	}
	messages := s.server.WaitMessages(1)
	if len(messages) != 1 || messages[0].Header("From") == "" || messages[0].From != "me@qq.com" {
		s.t.Errorf("received %+v", messages)
	}
}

// checkArguments searches the list of processes, as other users see it, for the secret.
func (s *terminalUser) checkArguments(cmd *exec.Cmd) {
	s.t.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/cmdline")
	if os.IsNotExist(err) {
		return // not on this system
	}
	if err != nil || len(b) == 0 || strings.Contains(string(b), wrongSecret) {
		s.t.Errorf("arguments %q, %v", b, err)
	}
}

// Ctrl-C and Esc at any question restore the terminal and leave no files.
func TestLoginLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		at   string // the question
		term string
		key  string
	}{
		{"Your e-mail address", "xterm-256color", "\x03"}, {"Your name", "xterm-256color", "\x1b"},
		{"Authorization code", "xterm-256color", "\x03"}, {"Where should the secret be stored?", "xterm-256color", "\x03"},
		{"Your e-mail address", "dumb", "\x03"}, {"Authorization code", "dumb", "\x03"}, {"New passphrase", "dumb", "\x03"},
	} {
		t.Run(test.at+" "+test.term, func(t *testing.T) {
			t.Parallel()
			s := atTerminal(t)
			s.logsIn("TERM=" + test.term)
			for _, step := range []struct{ question, answer string }{{"Your e-mail address", "me@qq.com"}, {"Your name", ""},
				{"Authorization code", sandboxPassword}, {"Where should the secret be stored?", ""}, {"New passphrase", "correct horse"}} {
				s.Waits(step.question)
				if step.question == test.at {
					break
				}
				s.Types(step.answer + "\r")
				if test.term != "dumb" {
					s.Waits("✓")
				}
			}
			s.Types(test.key)
			if code := s.Exit(); code != command.ExitInterrupted {
				t.Errorf("exit status %d", code)
			}
			s.Restored()
			if !strings.Contains(s.Text(), "interrupted; nothing was saved") {
				t.Errorf("not said:\n%s", s.Text())
			}
			if test.term == "dumb" && !strings.Contains(strings.ReplaceAll(s.Text(), "\r", ""), "\nyan: interrupted") {
				t.Errorf("printed after the question:\n%s", s.Text())
			}
			left, err := os.ReadDir(s.home)
			if err != nil || len(left) > 0 {
				t.Errorf("left over: %v, %v", left, err)
			}
		})
	}
}

// A question mark prints the page as a QR code.
func TestLoginShowsQR(t *testing.T) {
	t.Parallel()
	s := atTerminal(t)
	s.runs([]string{"NO_COLOR=1"}, "login", "me@qq.com", "--from", "me@qq.com", "--server", "smtps://"+s.server.TLSAddr(), "--tls-ca", s.server.CAFile())
	s.Waits("Authorization code")
	s.Types("?\r")
	s.Waits("█▀▀▀▀▀█")
	if strings.Contains(s.Text(), "✓ Authorization code") {
		t.Errorf("the question counts as answered:\n%s", s.Text())
	}
	s.Waits("Authorization code")
	s.Types("\x03")
	if code := s.Exit(); code != command.ExitInterrupted {
		t.Errorf("exit status %d", code)
	}
	s.Restored()
	raw := strings.ReplaceAll(s.Raw(), "\x1b[30;107m", "") // remove the colours of the code
	if strings.Contains(raw, "\x1b[3") || strings.Contains(raw, "\x1b[9") {
		t.Errorf("colours in spite of NO_COLOR: %q", s.Raw())
	}
}
