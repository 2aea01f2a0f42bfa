package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/secrettest"
	"github.com/yanmail/yan/sandboxtest"
)

// loginDesk is a terminal without forms, with an empty home and a keyring in memory.
type loginDesk struct {
	t       *testing.T
	home    string
	keyring clitest.MemoryKeyring
	ring    secret.Keyring // instead of keyring
	env     map[string]string
	// answers are typed in order; secrets are typed without echo.
	answers, secrets []string
	browse           func(url string) error
	lang             string
	pipe             bool // standard input is a pipe, not a terminal
	// meanwhile is called when a secret is asked for.
	meanwhile func()
	// hushed holds the text on the terminal at each prompt without echo; hidden is set while echo
	// is off.
	hushed []string
	hidden bool
}

func newLoginDesk(t *testing.T) *loginDesk {
	t.Helper()
	home := t.TempDir()
	return &loginDesk{t: t, home: home, keyring: clitest.MemoryKeyring{}, env: map[string]string{"HOME": home, "TERM": "dumb",
		"YAN_CONFIG": filepath.Join(home, "yan", "config.toml")}}
}

// yan runs a command at the desk.
func (d *loginDesk) yan(args ...string) (code int, out, errs string) {
	d.t.Helper()
	var stdout, stderr bytes.Buffer
	w := Env{System: console.System{Stdin: strings.NewReader(strings.Join(d.answers, "\n") + "\n"), Stdout: &stdout, Stderr: &stderr,
		Getenv: func(name string) string { return d.env[name] }, SystemLanguage: func() string { return d.lang },
		StdinTTY: 80, StderrWidth: 80, StdoutWidth: 80, NoColor: true, Now: time.Now,
		After: func(time.Duration) <-chan time.Time { return nil },
		ReadSecret: func(context.Context) (string, error) {
			if d.meanwhile != nil {
				d.meanwhile()
			}
			if !d.hidden {
				d.t.Error("a secret is read while typing is shown")
			}
			if len(d.secrets) == 0 {
				return "", io.EOF
			}
			next := d.secrets[0]
			d.secrets = d.secrets[1:]
			return next, nil
		},
		DisableEcho: func() func() {
			d.hushed, d.hidden = append(d.hushed, stderr.String()), true
			return func() { d.hidden = false }
		}}, FindBrowser: func() func(string) error { return d.browse }, WorkFactor: secrettest.WorkFactor}
	if d.pipe {
		w.StdinTTY, w.ReadSecret = 0, nil
	}
	if d.keyring != nil {
		w.Keyring = d.keyring
	}
	if d.ring != nil {
		w.Keyring = d.ring
	}
	code = Run(d.t.Context(), args, w)
	if all := stdout.String() + stderr.String(); strings.Contains(all, sandboxPassword) || strings.Contains(all, wrongSecret) {
		d.t.Errorf("a secret is shown:\n%s", all)
	}
	return code, stdout.String(), stderr.String()
}

// A password for Microsoft 365 is asked for with the date from which it is refused, and the way
// that stays.
func TestLoginWithAPasswordThatEnds(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string][]string{
		"en": {"Microsoft switches passwords for SMTP off by default", "end of December 2026", "docs/relay.md"},
		"zh": {"微软将于 2026 年 12 月底默认停用", "docs/relay.zh-CN.md"},
	} {
		d := newLoginDesk(t)
		d.lang, d.secrets = lang, []string{sandboxPassword}
		s := sandboxtest.Start(t, "microsoft365")
		code, out, errs := d.login(s, s.Login())
		if code != command.ExitOK {
			t.Fatalf("exit status %d\n%s%s", code, out, errs)
		}
		flat := strings.Join(strings.Fields(errs), " ")
		for _, words := range want {
			if lang == "zh" {
				flat = strings.ReplaceAll(errs, "\n    ", "")
			}
			if !strings.Contains(flat, words) {
				t.Errorf("%s: no %q in\n%s", lang, words, errs)
			}
		}
	}
}

// login runs yan login for a sandbox.
func (d *loginDesk) login(s *sandboxtest.Server, args ...string) (code int, out, errs string) {
	d.t.Helper()
	return d.yan(append([]string{"login", "--server", "smtps://" + s.TLSAddr(), "--tls-ca", s.CAFile()}, args...)...)
}

// config returns the configuration, or "" if there is none.
func (d *loginDesk) config() string {
	d.t.Helper()
	b, err := os.ReadFile(d.env["YAN_CONFIG"])
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		d.t.Fatal(err)
	}
	if strings.Contains(string(b), sandboxPassword) {
		d.t.Errorf("the configuration holds the secret:\n%s", b)
	}
	return string(b)
}

// kept returns the contents of the keyring.
func (d *loginDesk) kept() string {
	var all []string
	for key, value := range d.keyring {
		all = append(all, key[1]+"="+value)
	}
	return strings.Join(all, " ")
}

// empty checks that neither configuration nor secrets are left.
func (d *loginDesk) empty() {
	d.t.Helper()
	if d.config() != "" || len(d.keyring) > 0 {
		d.t.Errorf("left over: %q, in the keyring %d", d.config(), len(d.keyring))
	}
}

func TestLoginKeepsAndSends(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	d := newLoginDesk(t)
	d.answers = []string{"me@qq.com", "小雁"}
	d.secrets = []string{" " + sandboxPassword + "\u200b "}
	code, out, errs := d.login(s)
	if code != command.ExitOK {
		t.Fatalf("exit status %d: %s", code, errs)
	}
	clitest.Wants(t, "the output", out, "Account qq is ready; its secret is in the system keyring", `yan send -t me@qq.com -s "Hello"`)
	clitest.Wants(t, "the terminal", errs, "Authorization code", "help.mail.qq.com/detail/108/1023", "me@qq.com may send")
	clitest.Wants(t, "the configuration", d.config(), `from = "小雁 <me@qq.com>"`, "[account.qq]", `default = "qq"`)
	if kept := d.kept(); kept != "qq/password="+keptFor("me@qq.com (127.0.0.1)", sandboxPassword) {
		t.Errorf("the keyring holds %q", kept)
	}
	if code, _, errs := d.yan("send", "-t", "friend@163.com", "-s", "hi", "-b", "x"); code != command.ExitOK {
		t.Errorf("sending: %d %s", code, errs)
	}
	if n := len(s.WaitMessages(1)); n != 1 {
		t.Errorf("%d messages", n)
	}
}

// A second account of the same provider is added, and the first stays the default.
func TestLoginSecondAccount(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq", sandboxtest.WithAccount("me@qq.com", sandboxPassword), sandboxtest.WithAccount("you@qq.com", sandboxPassword))
	d := newLoginDesk(t)
	for i, address := range []string{"me@qq.com", "you@qq.com"} {
		d.secrets = []string{sandboxPassword}
		code, out, errs := d.login(s, address, "--from", address, "--json")
		var got jsonout.AccountAdded
		if err := json.Unmarshal([]byte(out), &got); code != command.ExitOK || err != nil {
			t.Fatalf("%d %v\n%s%s", code, err, out, errs)
		}
		want := jsonout.AccountAdded{Event: "account", Name: []string{"qq", "qq-2"}[i], From: address, Server: "smtps://" + s.TLSAddr(), User: address,
			Secret: "keyring", Checked: true, Default: i == 0, Config: d.env["YAN_CONFIG"]}
		if got != want {
			t.Errorf("%+v\nwant %+v", got, want)
		}
	}
	clitest.Wants(t, "the configuration", d.config(), `default = "qq"`, "[account.qq-2]")
	if len(d.keyring) != 2 {
		t.Errorf("the keyring holds %q", d.kept())
	}
}

// An existing account is changed only after confirmation; other settings stay.
func TestLoginReplaces(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	d := newLoginDesk(t)
	before := "# mine\nversion = 1\n\n[account.qq] # the best\nfrom = \"Me <me@qq.com>\"\nserver = \"smtps://127.0.0.1:1\"\nuser = \"me@qq.com\"\nsignature = \"Yours\"\n"
	d.writes(before)
	d.answers = []string{"n"}
	if code, _, errs := d.login(s, "me@qq.com"); code != command.ExitUsage || d.config() != before || len(d.keyring) > 0 {
		t.Errorf("no: %d %s\n%s", code, errs, d.config())
	}
	for name, args := range map[string][]string{"yes": {"me@qq.com"}, "--replace": {"me@qq.com", "--replace"}, "by name": {"qq"}} {
		d.writes(before)
		d.answers, d.secrets = []string{"y"}, []string{sandboxPassword}
		code, _, errs := d.login(s, args...)
		if code != command.ExitOK {
			t.Errorf("%s: %d %s", name, code, errs)
		}
		clitest.Wants(t, name, d.config(), "# mine\n", "# the best", `signature = "Yours"`, `"Me <me@qq.com>"`, s.TLSAddr())
	}
}

// yan login stops after three wrong passwords, because providers lock accounts.
func TestLoginStopsAfterThree(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	d := newLoginDesk(t)
	d.secrets = []string{wrongSecret, wrongSecret, wrongSecret, sandboxPassword}
	code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com")
	if code != command.ExitAuth || len(d.secrets) != 1 {
		t.Errorf("exit status %d, %d secrets left", code, len(d.secrets))
	}
	clitest.Wants(t, "the terminal", errs, "535", "Why: ", "What to do: ", "3 logins were refused", "Nothing was saved.")
	if n := strings.Count(s.Transcript(), "AUTH PLAIN"); n != 3 {
		t.Errorf("%d logins", n)
	}
	d.empty()
}

// Each failure asks only for the wrong value.
func TestLoginCorrects(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	wrongName := sandboxtest.Start(t, "qq", sandboxtest.WithCertificate("wrong-name"))
	right := "smtps://" + s.TLSAddr()
	for name, test := range map[string]struct {
		args             []string
		answers, secrets []string
		says             []string
		config           string
	}{
		"code": {[]string{"me@qq.com", "--from", "me@qq.com", "--server", right}, nil, []string{wrongSecret, sandboxPassword},
			[]string{"Login failed", "Press Enter to change"}, `server = "` + right},
		"user": {[]string{"me@qq.com", "--from", "me@qq.com", "--server", right, "--user", "you"}, []string{"1", "me@qq.com"}, []string{sandboxPassword, ""},
			[]string{"What do you want to change?"}, `user = "me@qq.com"`},
		// Enter at the user name changes nothing: yan asks for the code, and does not spend a
		// login.
		"same user": {[]string{"me@qq.com", "--from", "me@qq.com", "--server", right}, []string{"1", ""}, []string{wrongSecret, "", sandboxPassword},
			[]string{"What do you want to change?", "enter it again: Authorization code"}, `server = "` + right},
		"typed again": {[]string{"me@qq.com", "--from", "me@qq.com", "--server", right}, []string{"3"}, []string{wrongSecret, "", sandboxPassword},
			[]string{"What do you want to change?"}, `server = "` + right},
		"sender": {[]string{"me@qq.com", "--from", "X <x@qq.com>", "--server", right}, []string{"me@qq.com"}, []string{sandboxPassword},
			[]string{"refuses the sender x@qq.com"}, `from = "X <me@qq.com>"`},
		"port": {[]string{"me@qq.com", "--from", "me@qq.com", "--server", "smtps://127.0.0.1:1"}, []string{"4", right}, []string{sandboxPassword},
			[]string{"127.0.0.1:465, TLS", "127.0.0.1:587, STARTTLS", "the same one again"}, `server = "` + right},
		"host": {[]string{"me@qq.com", "--from", "me@qq.com", "--server", "smtps://" + wrongName.TLSAddr(), "--tls-ca", wrongName.CAFile()}, []string{""},
			[]string{sandboxPassword}, []string{"can't be used", "Mail server (SMTP)"}, ""},
		"literal": {[]string{"me@[127.0.0.1]", "--from", "me@qq.com", "--user", "me@qq.com"}, []string{s.TLSAddr()}, []string{sandboxPassword},
			[]string{"[127.0.0.1] is not a domain"}, `server = "` + right},
		"server": {[]string{"me@corp.test", "--from", "me@qq.com", "--user", "me@qq.com", "--dns", "127.0.0.1:1"}, []string{s.TLSAddr()}, []string{sandboxPassword},
			[]string{"Looking for the mail server of corp.test", "The network seems to be down"}, `server = "` + right},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newLoginDesk(t)
			d.answers, d.secrets = test.answers, test.secrets
			args := append([]string{"login"}, test.args...)
			if !slices.Contains(args, "--tls-ca") {
				args = append(args, "--tls-ca", s.CAFile())
			}
			code, _, errs := d.yan(args...)
			clitest.Wants(t, "the terminal", errs, test.says...)
			if test.config == "" { // the user gives up
				d.empty()
				return
			}
			if code != command.ExitOK {
				t.Errorf("exit status %d:\n%s", code, errs)
			}
			clitest.Wants(t, "the configuration", d.config(), test.config)
		})
	}
}

// The path of a secret file can be corrected. An unchanged user name costs no login.
func TestLoginCorrectsSecretFile(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq", sandboxtest.WithAccount("me@qq.com", sandboxPassword))
	d := newLoginDesk(t)
	files := map[string]string{}
	for name, secret := range map[string]string{"wrong.txt": wrongSecret, "right.txt": sandboxPassword} {
		files[name] = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(files[name], []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.answers = []string{"1", "", "3", files["right.txt"]}
	code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com", "--secret-file", files["wrong.txt"], "--lang", "zh")
	if n := strings.Count(s.Transcript(), "AUTH PLAIN"); code != command.ExitOK || n != 2 {
		t.Errorf("exit status %d, %d logins: %s", code, n, errs)
	}
	clitest.Wants(t, "the terminal", errs, "要改什么？", "密码文件 "+files["wrong.txt"])
	clitest.Wants(t, "the configuration", d.config(), "right.txt")
}

// If can't write the configuration, no secret remains, and an earlier secret is
// restored.
func TestLoginTakesTheSecretBack(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq", sandboxtest.WithAccount("me@qq.com", sandboxPassword))
	d := newLoginDesk(t)
	other := "version = 1\n# of another program\n"
	d.meanwhile = func() { d.writes(other) }
	d.secrets = []string{sandboxPassword}
	code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com")
	if code != command.ExitTemporary || len(d.keyring) > 0 || d.config() != other {
		t.Errorf("%d %s, kept %q\n%s", code, errs, d.kept(), d.config())
	}
	clitest.Wants(t, "the terminal", errs, "another program changed")

	d.meanwhile, d.secrets = nil, []string{sandboxPassword}
	if code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com"); code != command.ExitOK {
		t.Fatalf("%d %s", code, errs)
	}
	for key := range d.keyring {
		d.keyring[key] = keptFor("me@qq.com (127.0.0.1)", "the one before")
	}
	d.meanwhile, d.secrets = func() { d.writes(d.config() + "# changed\n") }, []string{sandboxPassword}
	if code, _, errs := d.login(s, "me@qq.com", "--replace"); code != command.ExitTemporary || d.kept() != "qq/password="+keptFor("me@qq.com (127.0.0.1)", "the one before") {
		t.Errorf("%d %s, kept %q", code, errs, d.kept())
	}
}

// writes writes the configuration as another program would.
func (d *loginDesk) writes(config string) {
	d.t.Helper()
	if err := os.MkdirAll(filepath.Dir(d.env["YAN_CONFIG"]), 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(d.env["YAN_CONFIG"], []byte(config), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// A single account is the default without a default key; it stays the default.
func TestLoginKeepsTheDefault(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	d := newLoginDesk(t)
	d.writes("version = 1\n\n[account.work]\nfrom = \"me@corp.example\"\nserver = \"smtps://smtp.corp.example\"\n")
	d.secrets = []string{sandboxPassword}
	code, out, errs := d.login(s, "me@qq.com", "--from", "me@qq.com")
	if code != command.ExitOK {
		t.Fatalf("%d %s", code, errs)
	}
	clitest.Wants(t, "the configuration", d.config(), `default = "work"`)
	clitest.Wants(t, "the output", out, "yan send -A qq -t me@qq.com", "yan doctor qq")
	d.secrets = []string{sandboxPassword}
	if code, _, errs := d.login(s, "qq", "--default"); code != command.ExitOK {
		t.Fatalf("%d %s", code, errs)
	}
	clitest.Wants(t, "the configuration", d.config(), `default = "qq"`)
}

// Google shows its app passwords in groups, which are joined.
func TestLoginJoinsGroups(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "gmail", sandboxtest.WithAccount("me@gmail.com", sandboxPassword))
	d := newLoginDesk(t)
	d.secrets = []string{sandboxPassword[:4] + " " + sandboxPassword[4:8] + "\u00a0" + sandboxPassword[8:12] + " " + sandboxPassword[12:] + "\r\n"}
	code, _, errs := d.login(s, "me@gmail.com", "--from", "me@gmail.com")
	if code != command.ExitOK || d.kept() != "gmail/password="+keptFor("me@gmail.com (127.0.0.1)", sandboxPassword) {
		t.Errorf("%d %s, kept %q", code, errs, d.kept())
	}
	clitest.Wants(t, "the terminal", errs, "App password", "myaccount.google.com")
	if len(d.hushed) != 1 || strings.Contains(d.hushed[0], "App password: ") {
		t.Errorf("typing is hidden when the question is shown already: %q", d.hushed)
	}
}

// Without a keyring the secret can go into its own file.
func TestLoginIntoOwnFile(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	d := newLoginDesk(t)
	d.keyring = nil
	d.answers, d.secrets = []string{"2"}, []string{sandboxPassword}
	code, out, errs := d.login(s, "me@qq.com", "--from", "me@qq.com")
	if code != command.ExitOK {
		t.Fatalf("%d %s", code, errs)
	}
	clitest.Wants(t, "the output", out, "qq.secret")
	info, err := os.Stat(filepath.Join(d.home, "yan", "qq.secret"))
	if err != nil || info.Size() != int64(len(sandboxPassword))+1 {
		t.Errorf("%v, %v", info, err)
	}
	if code, _, errs := d.yan("send", "-t", "friend@163.com", "-s", "hi", "-b", "x"); code != command.ExitOK {
		t.Errorf("sending: %d %s", code, errs)
	}
}
