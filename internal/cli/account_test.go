package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/secrettest"
)

const qqAndWork = `version = 1
default = "qq"

[account.qq]
from = "me@qq.com"
fallback = "work"

[account.work]
from = "me@example.org"
server = "smtps://127.0.0.1:1"
user = "me"
`

// machineWith returns a machine with accounts and a keyring. typed is the user's answer to
// questions; "" means that there is no terminal.
func machineWith(t *testing.T, config, typed string, keyring secret.Keyring) (w Env, out, errs *bytes.Buffer, path string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "config.toml")
	if config != "" {
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w, out, errs = testEnv(map[string]string{"YAN_CONFIG": path, "HOME": dir, "TERM": "dumb"})
	w.Keyring = keyring
	if typed != "" {
		w.Stdin, w.StdinTTY, w.StderrWidth = strings.NewReader(typed), 80, 80
	}
	return w, out, errs, path
}

func contents(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAccountListFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for width, want := range map[int][]string{0: {"SECRET", "smtps://127.0.0.1:1"}, 100: {"SECRET"}, 45: {"SERVER"}, 28: {"SENDER"}, 10: {"NAME"}} {
		w, out, _, _ := machineWith(t, qqAndWork, "", secrettest.New())
		w.StdoutWidth, w.NoColor = width, true
		if code := Run(t.Context(), []string{"account", "list"}, w); code != command.ExitOK {
			t.Fatal(code)
		}
		for _, word := range want {
			if !strings.Contains(out.String(), word) {
				t.Errorf("on %d columns %s is missing:\n%s", width, word, out)
			}
		}
		for line := range strings.Lines(out.String()) {
			if n := console.Columns(strings.TrimRight(line, "\n")); width >= 12 && n > width {
				t.Errorf("on %d columns a line has %d: %s", width, n, line)
			}
		}
	}
}

// Removing an account asks first, deletes the secret, and names the settings that referred to the
// account.
func TestAccountRemoveAsks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		typed, lang string
		code        int
		says        []string
		removed     bool
	}{
		{"n\n", "en", command.ExitOK, []string{"Remove the account work (me@example.org)?", "Accounts that use it as their fallback: qq.", "Nothing changed."}, false},
		{"\n", "en", command.ExitOK, []string{"Nothing changed."}, false},
		{"y\n", "en", command.ExitOK, []string{"Account work removed.", "qq no longer has a fallback account."}, true},
		{"是\n", "zh", command.ExitOK, []string{"删除账号 work（me@example.org）吗？", "以它为备用的账号：qq。", "账号 work 已删除。"}, true},
		{"n\n", "zh", command.ExitOK, []string{"没有任何改动。"}, false},
	} {
		keyring := secrettest.New()
		if err := keyring.Set("yan", "work/password", clitest.Marker); err != nil {
			t.Fatal(err)
		}
		w, out, errs, path := machineWith(t, qqAndWork, tt.typed, keyring)
		code := Run(t.Context(), []string{"account", "remove", "work", "--lang", tt.lang}, w)
		if code != tt.code {
			t.Errorf("%q: exit status %d: %s", tt.typed, code, errs)
		}
		for _, text := range tt.says {
			if !strings.Contains(out.String()+errs.String(), text) {
				t.Errorf("%q: %q is not said:\n%s%s", tt.typed, text, out, errs)
			}
		}
		if gone := !strings.Contains(contents(t, path), "account.work"); gone != tt.removed || !gone && contents(t, path) != qqAndWork {
			t.Errorf("%q: removed %v:\n%s", tt.typed, gone, contents(t, path))
		}
		_, err := keyring.Get("yan", "work/password")
		if forgotten := err != nil; forgotten != tt.removed {
			t.Errorf("%q: the secret is forgotten: %v", tt.typed, forgotten)
		}
	}
}

func TestAccountRemoveKeepsSecret(t *testing.T) {
	t.Parallel()
	keyring := secrettest.New()
	if err := keyring.Set("yan", "work/password", clitest.Marker); err != nil {
		t.Fatal(err)
	}
	w, _, errs, _ := machineWith(t, qqAndWork, "", keyring)
	if code := Run(t.Context(), []string{"account", "remove", "work", "--yes", "--keep-secret"}, w); code != command.ExitOK {
		t.Fatalf("exit status %d: %s", code, errs)
	}
	if kept, err := keyring.Get("yan", "work/password"); err != nil || kept != clitest.Marker {
		t.Errorf("the secret is gone: %v", err)
	}
}

// A locked keyring keeps the secret, and the command says so.
func TestAccountRemoveLockedKeyring(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]string{"en": "nothing was changed, because the secret of work can't be deleted: the keyring is locked", "zh": "没有任何改动，因为 work 的密码无法删除：密钥环已锁定"} {
		w, _, errs, path := machineWith(t, qqAndWork, "", secrettest.Locked())
		code := Run(t.Context(), []string{"account", "remove", "work", "--yes", "--lang", lang}, w)
		if code != command.ExitTemporary || !strings.Contains(errs.String(), want) {
			t.Errorf("exit status %d: %s", code, errs)
		}
		if contents(t, path) != qqAndWork || !strings.Contains(errs.String(), "--keep-secret") {
			t.Errorf("half done: %s%s", contents(t, path), errs)
		}
	}
}

func TestAccountShowKeyring(t *testing.T) {
	t.Parallel()
	full := secrettest.New()
	if err := full.Set("yan", "qq/password", keptFor("me@qq.com (qq)", clitest.Marker)); err != nil {
		t.Fatal(err)
	}
	other := secrettest.New()
	if err := other.Set("yan", "qq/password", keptFor("me@163.com (netease)", clitest.Marker)); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		keyring secret.Keyring
		en, zh  string
		state   string
		check   int
	}{
		"there":  {full, "in the system keyring", "在系统密钥环中", "there", command.ExitConfig}, // the secret of work is missing
		"empty":  {secrettest.New(), "missing; run 'yan login qq' to set it", "不存在；请运行 yan login qq", "missing", command.ExitConfig},
		"other":  {other, "from an earlier login, for another server or user", "属于以前的登录", "unusable", command.ExitConfig},
		"none":   {secrettest.None(), "missing", "不存在", "missing", command.ExitConfig},
		"locked": {secrettest.Locked(), "the keyring: the keyring is locked", "密钥环已锁定", "unusable", command.ExitConfig},
	} {
		for lang, want := range map[string]string{"en": tt.en, "zh": tt.zh} {
			w, out, errs, _ := machineWith(t, qqAndWork, "", tt.keyring)
			if code := Run(t.Context(), []string{"account", "show", "--lang", lang}, w); code != command.ExitOK || !strings.Contains(out.String(), want) {
				t.Errorf("%s: exit status %d, want %q:\n%s%s", name, code, want, out, errs)
			}
		}
		w, out, _, _ := machineWith(t, qqAndWork, "", tt.keyring)
		if Run(t.Context(), []string{"account", "show", "--json"}, w); !strings.Contains(out.String(), `"state":"`+tt.state+`"`) {
			t.Errorf("%s: want the state %s: %s", name, tt.state, out)
		}
		w, out, _, _ = machineWith(t, qqAndWork, "", tt.keyring)
		if code := Run(t.Context(), []string{"config", "check"}, w); code != tt.check {
			t.Errorf("%s: check ends with %d:\n%s", name, code, out)
		}
	}
}

// An invalid configuration can be repaired, and the file keeps its permissions.
func TestAccountEditKeepsTheMode(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the editor is a shell script")
	}
	w, _, errs, path := machineWith(t, "version = 1\nnonsense\n", "", secrettest.New())
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	getenv := w.Getenv
	w.Getenv = func(name string) string {
		if name == "EDITOR" {
			return `sh -c 'echo version = 1 > "$0"'`
		}
		return getenv(name)
	}
	if code := Run(t.Context(), []string{"account", "edit"}, w); code != command.ExitOK {
		t.Fatalf("exit status %d: %s", code, errs)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 || contents(t, path) != "version = 1\n" {
		t.Errorf("%v, %v", info, err)
	}
}

// If the edited configuration is invalid, the user can edit it again.
func TestAccountEditAgain(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the editor is a shell script")
	}
	for _, tt := range []struct {
		typed, lang, says string
		code              int
		changed           bool
	}{
		{"y\n", "en", "Edit it again?", command.ExitOK, true},
		{"n\n", "en", "the configuration was not changed", command.ExitConfig, false},
		{"n\n", "zh", "再改一次吗？", command.ExitConfig, false},
	} {
		w, out, errs, path := machineWith(t, qqAndWork, tt.typed, secrettest.New())
		// The first call breaks a key, the second repairs it.
		script := filepath.Join(filepath.Dir(path), "editor.sh")
		if err := os.WriteFile(script, []byte("#!/bin/sh\nif grep -q form \"$1\"; then sed 's/form/from/; s/me@qq/you@qq/' \"$1\" > \"$1.new\"; "+
			"else sed 's/^from = \"me@qq/form = \"me@qq/' \"$1\" > \"$1.new\"; fi\nmv \"$1.new\" \"$1\"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		before := w.Getenv
		w.Getenv = func(name string) string {
			if name == "VISUAL" {
				return "sh " + script
			}
			return before(name)
		}
		code := Run(t.Context(), []string{"account", "edit", "--lang", tt.lang}, w)
		text := out.String() + errs.String()
		if code != tt.code || !strings.Contains(text, tt.says) {
			t.Errorf("%q: exit status %d:\n%s", tt.typed, code, text)
		}
		if now := contents(t, path); strings.Contains(now, "you@qq.com") != tt.changed || !tt.changed && now != qqAndWork {
			t.Errorf("%q: changed %v:\n%s", tt.typed, tt.changed, now)
		}
		left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "edit-*"))
		if err != nil || (len(left) == 0) != tt.changed {
			t.Errorf("%q: left over: %q, %v", tt.typed, left, err)
		}
	}
}

func TestAccountNamesComplete(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"account", "show", ""}, "qq work"},
		{[]string{"account", "remove", ""}, "qq work"},
		{[]string{"account", "default", ""}, "qq work"},
		{[]string{"account", "edit", ""}, "qq work"},
		{[]string{"account", "test", ""}, "qq work"},
		{[]string{"account", "test", "qq", ""}, "work"},
		{[]string{"account", "show", "qq", ""}, ""},
		{[]string{"account", "import", "--from", ""}, "msmtp mutt git ssmtp"},
		{[]string{"send", "-A", ""}, "qq work"},
		{[]string{"send", "--account", ""}, "qq work"},
		{[]string{"queue", "--account", ""}, "qq work"},
	} {
		w, out, _, _ := machineWith(t, qqAndWork, "", secrettest.New())
		Run(t.Context(), append([]string{"__complete"}, tt.args...), w)
		words := strings.Join(strings.Fields(strings.Split(out.String(), "\n:")[0]), " ")
		if strings.TrimPrefix(words, ":4") != tt.want && words != tt.want {
			t.Errorf("%q completes %q, want %q", tt.args, words, tt.want)
		}
	}
	w, out, _, _ := machineWith(t, "nonsense", "", secrettest.New())
	if Run(t.Context(), []string{"__complete", "account", "show", ""}, w); strings.Contains(out.String(), "qq") {
		t.Errorf("a broken file completes %s", out)
	}
}

// TestNoCommandPrintsASecret runs every command on accounts that store the same password in every
// possible place, and searches the output for it.
func TestNoCommandPrintsASecret(t *testing.T) {
	t.Parallel()
	keyring := secrettest.New()
	for _, name := range []string{"kept", "oauth"} {
		for _, item := range []string{"password", "oauth2"} {
			if err := keyring.Set("yan", name+"/"+item, clitest.Marker); err != nil {
				t.Fatal(err)
			}
		}
	}
	const config = `version = 1
default = "kept"
[account.kept]
from = "kept@example.org"
server = "smtps://127.0.0.1:1"
user = "me"
[account.oauth]
from = "oauth@gmail.com"
oauth2 = { client_id = "id", client_secret = "` + clitest.Marker + `" }
[account.command]
from = "command@example.org"
server = "smtps://127.0.0.1:1"
secret = { command = "echo ` + clitest.Marker + `" }
[account.env]
from = "env@example.org"
server = "smtps://127.0.0.1:1"
secret = { env = "YAN_TEST_CODE" }
[account.file]
from = "file@example.org"
server = "smtps://127.0.0.1:1"
secret = { file = "code.txt" }
[account.several]
from = "several@example.org"
server = "smtps://127.0.0.1:1"
secret = { file = "several.txt" }
[account.netrc]
from = "netrc@example.org"
server = "smtps://127.0.0.1:1"
user = "me"
secret = { netrc = "netrc" }
`
	files := map[string]string{"code.txt": clitest.Marker, "several.txt": clitest.Marker + "\nmore\n", "netrc": "machine 127.0.0.1 login me password " + clitest.Marker + "\n",
		".msmtprc":   "account m\nhost 127.0.0.1\nport 1\ntls on\nauth on\nuser me\nfrom m@example.org\npassword " + clitest.Marker + "\n" + clitest.Marker + "\n",
		".muttrc":    "set smtp_url=smtps://me:" + clitest.Marker + "@127.0.0.1:1 from=u@example.org smtp_pass=" + clitest.Marker + "\nset smtp_pas=" + clitest.Marker + "\n",
		".gitconfig": "[sendemail]\nsmtpServer=127.0.0.1\nfrom=g@example.org\nsmtpEncryption=ssl\nsmtpUser=me\nsmtpPass=" + clitest.Marker + "\nsmtpPas=" + clitest.Marker + "\n",
		"bad.muttrc": "set smtp_url=me:" + clitest.Marker + "@127.0.0.1:1\n", "bad.gitconfig": "[sendemail]\nsmtpPass = \"" + clitest.Marker + "\n"}
	names := []string{"kept", "oauth", "command", "env", "file", "several", "netrc"}
	lines := [][]string{{"account", "list"}, {"account", "list", "--json"}, {"config", "show"}, {"config", "show", "--json"}, {"config", "check"},
		{"config", "check", "--json"}, {"config", "path"}, {"account", "import", "--dry-run"}, {"account", "import", "--dry-run", "--json"},
		{"account", "import", "--all"}, {"account", "import", "--all"}, {"account", "import", "bad.muttrc", "--all"}, {"account", "import", "bad.gitconfig", "--all"},
		{"account", "test", "--all", "-v"}, {"account", "test", "--all", "--json"}, {"account", "edit", "kept", "--set", "password=" + clitest.Marker},
		{"account", "edit", "kept", "--set", "secret.comand=" + clitest.Marker}}
	for _, name := range names {
		lines = append(lines, []string{"account", "show", name}, []string{"account", "show", name, "--json"})
	}
	for _, name := range names {
		lines = append(lines, []string{"account", "remove", name, "--yes"})
	}
	for _, lang := range []string{"en", "zh"} {
		w, out, errs, path := machineWith(t, config, "", keyring)
		dir := filepath.Dir(path)
		for name, content := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before := w.Getenv
		w.Getenv = func(name string) string {
			if name == "YAN_TEST_CODE" {
				return clitest.Marker
			}
			return before(name)
		}
		for _, line := range lines {
			for i, word := range line {
				if strings.HasPrefix(word, "bad.") {
					line[i] = filepath.Join(dir, word)
				}
			}
			code := Run(t.Context(), append(slices.Clone(line), "--lang", lang), w)
			text := out.String() + errs.String()
			if strings.Contains(text, clitest.Marker) {
				t.Errorf("%q prints the secret:\n%s", line, text)
			}
			if text == "" || code == command.ExitInternal {
				t.Errorf("%q: exit status %d, printed %q", line, code, text)
			}
			out.Reset()
			errs.Reset()
		}
	}
}
