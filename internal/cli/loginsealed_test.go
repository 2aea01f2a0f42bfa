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

// sealedDesk returns a desk without a keyring, with two accounts whose secrets are in the encrypted
// file, and the file's path.
func sealedDesk(t *testing.T) (d *loginDesk, s *sandboxtest.Server, file string) {
	t.Helper()
	s = sandboxtest.Start(t, "qq", sandboxtest.WithAccount("me@qq.com", sandboxPassword), sandboxtest.WithAccount("you@qq.com", sandboxPassword))
	d = newLoginDesk(t)
	d.keyring = nil
	for i, address := range []string{"me@qq.com", "you@qq.com"} {
		d.answers, d.secrets = []string{"1"}, [][]string{{sandboxPassword, "correct horse", "correct horse"}, {sandboxPassword, "correct horse"}}[i]
		if code, _, errs := d.login(s, address, "--from", address); code != command.ExitOK {
			t.Fatalf("%d %s", code, errs)
		}
	}
	return d, s, filepath.Join(d.home, "yan", "secrets.age")
}

func folder(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// A damaged file does not send the user in circles between "log in again" and "damaged".
func TestLoginSetsADamagedFileAside(t *testing.T) {
	t.Parallel()
	d, s, file := sealedDesk(t)
	if err := os.WriteFile(file, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	for lang, parts := range map[string][]string{"en": {"secrets.age: damaged", "yan login qq --new-encrypted-file"}, "zh": {"已损坏", "移到一边", "yan login qq --new-encrypted-file"}} {
		code, _, errs := d.yan("send", "-t", "a@163.com", "-s", "x", "-b", "x", "--lang", lang)
		clitest.Wants(t, "sending", errs, parts...)
		if code != command.ExitConfig {
			t.Errorf("exit status %d", code)
		}
	}

	d.answers, d.secrets = []string{"n"}, []string{sandboxPassword}
	code, _, errs := d.login(s, "qq")
	clitest.Wants(t, "no", errs, "is damaged. Set it aside and start a new one?", "must log in again: qq-2", "Nothing was saved.", "yan login qq --new-encrypted-file")
	if code != command.ExitConfig || strings.Contains(folder(t, filepath.Dir(file)), "secrets.age.damaged") {
		t.Errorf("no: %d, %s", code, folder(t, filepath.Dir(file)))
	}

	d.answers, d.secrets = []string{"y", "1"}, []string{sandboxPassword, "new", "new"}
	code, _, errs = d.login(s, "qq", "--lang", "zh")
	clitest.Wants(t, "yes", errs, "已损坏。要把它移到一边", "需要重新登录：qq-2", "secrets.age.damaged-")
	if code != command.ExitOK || !strings.Contains(folder(t, filepath.Dir(file)), "secrets.age.damaged-20") {
		t.Errorf("yes: %d, %s", code, folder(t, filepath.Dir(file)))
	}
	d.secrets = []string{"new"}
	if code, _, errs := d.yan("send", "-t", "a@163.com", "-s", "x", "-b", "x"); code != command.ExitOK {
		t.Errorf("sending: %d %s", code, errs)
	}
}

// Without a terminal a flag gives consent. If the secret can't be stored, the file stays as it was.
func TestLoginBeginsANewFile(t *testing.T) {
	t.Parallel()
	d, s, file := sealedDesk(t)
	phrase := filepath.Join(d.home, "phrase.txt")
	if err := os.WriteFile(phrase, []byte("another\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.pipe = true
	d.env["YAN_PASSPHRASE_FILE"], d.env["YAN_PASSWORD"] = phrase, sandboxPassword
	code, _, errs := d.login(s, "qq")
	clitest.Wants(t, "a wrong passphrase", errs, "the passphrase of the encrypted file ", " is wrong", "Nothing was saved.", "yan login qq --new-encrypted-file")
	if code != command.ExitConfig {
		t.Errorf("exit status %d", code)
	}

	before := folder(t, filepath.Dir(file))
	if err := os.Remove(phrase); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := d.login(s, "qq", "--new-encrypted-file"); code != command.ExitConfig || folder(t, filepath.Dir(file)) != before {
		t.Errorf("%d %s\nfolder: %s\nbefore: %s", code, errs, folder(t, filepath.Dir(file)), before)
	}
	if err := os.WriteFile(phrase, []byte("another\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs = d.login(s, "qq", "--new-encrypted-file")
	clitest.Wants(t, "the terminal", errs, "secrets.age.forgotten-20", "must log in again: qq-2")
	if code != command.ExitOK {
		t.Fatalf("%d %s", code, errs)
	}
	if code, _, errs := d.yan("send", "-t", "a@163.com", "-s", "x", "-b", "x"); code != command.ExitOK {
		t.Errorf("sending: %d %s", code, errs)
	}
}

// A mistyped passphrase does not discard the login.
func TestPassphraseMistyped(t *testing.T) {
	t.Parallel()
	d, s, _ := sealedDesk(t)
	d.secrets = []string{sandboxPassword, "a", "b", "correct horse"}
	code, _, errs := d.login(s, "qq")
	if code != command.ExitOK || strings.Count(errs, "Wrong passphrase.") != 2 {
		t.Errorf("login: %d %s", code, errs)
	}
	d.secrets = []string{"a", "correct horse"}
	code, _, errs = d.yan("send", "-t", "a@163.com", "-s", "x", "-b", "x", "--lang", "zh")
	if code != command.ExitOK || strings.Count(errs, "口令不对。") != 1 {
		t.Errorf("sending: %d %s", code, errs)
	}
	d.secrets = []string{sandboxPassword, "a", "b", "c", "correct horse"}
	code, _, errs = d.login(s, "qq")
	clitest.Wants(t, "three wrong ones", errs, "the passphrase of the encrypted file ", " is wrong", "Nothing was saved.", "If you forgot it")
	if code != command.ExitConfig || len(d.secrets) != 1 {
		t.Errorf("%d, %d secrets left", code, len(d.secrets))
	}
}

// If the encrypted file can't be written, one message says so, and what to do.
func TestEncryptedFileCantBeWritten(t *testing.T) {
	t.Parallel()
	for lang, says := range map[string][]string{"en": {"can't be written (", "Free disk space", "Nothing was saved."}, "zh": {"无法写入", "请清理磁盘空间", "没有保存"}} {
		s := sandboxtest.Start(t, "qq")
		d := newLoginDesk(t)
		d.keyring = nil
		// A folder in place of the lock file: permissions would not stop root.
		if err := os.MkdirAll(filepath.Join(d.home, "yan", "secrets.age.lock"), 0o700); err != nil {
			t.Fatal(err)
		}
		d.answers, d.secrets = []string{"1"}, []string{sandboxPassword, "correct horse", "correct horse"}
		code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com", "--lang", lang)
		clitest.Wants(t, "the terminal", errs, says...)
		if code != command.ExitCantCreate || strings.Count(errs, "secrets.age") != 1 || d.config() != "" {
			t.Errorf("%d %s", code, errs)
		}
	}
}

// An account is removed with its secret, or not at all.
func TestAccountRemoveNeedsThePassphrase(t *testing.T) {
	t.Parallel()
	d, _, _ := sealedDesk(t)
	before := d.config()
	d.secrets = []string{"a", "b", "c"}
	code, _, errs := d.yan("account", "remove", "qq", "--yes")
	clitest.Wants(t, "a wrong one", errs, "nothing was changed", "the passphrase of the encrypted file is wrong", "--keep-secret")
	if code != command.ExitConfig || d.config() != before {
		t.Errorf("a wrong one: %d\n%s", code, d.config())
	}
	d.pipe = true
	code, _, errs = d.yan("account", "remove", "qq", "--yes", "--lang", "zh")
	clitest.Wants(t, "no keyring is available", errs, "没有任何改动", "YAN_PASSPHRASE_FILE", "--keep-secret")
	if code != command.ExitConfig || d.config() != before {
		t.Errorf("no keyring is available: %d\n%s", code, d.config())
	}
	d.pipe, d.secrets = false, []string{"correct horse"}
	if code, _, errs := d.yan("account", "remove", "qq", "--yes"); code != command.ExitOK || strings.Contains(d.config(), "[account.qq]") {
		t.Errorf("the right one: %d %s", code, errs)
	}
	d.pipe = true
	if code, _, errs := d.yan("account", "remove", "qq-2", "--yes"); code != command.ExitOK || strings.Contains(folder(t, filepath.Join(d.home, "yan")), "secrets.age ") {
		t.Errorf("the last one: %d %s; %s", code, errs, folder(t, filepath.Join(d.home, "yan")))
	}
}

// Removing an account deletes a secret file that yan wrote. The user's own file stays, and is
// named.
func TestAccountRemoveDeletesItsOwnFile(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	d := newLoginDesk(t)
	d.keyring = nil
	own, mine := filepath.Join(d.home, "yan", "qq.secret"), filepath.Join(d.home, "mine.txt")
	if err := os.WriteFile(mine, []byte(sandboxPassword), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		d.answers, d.secrets = []string{"2"}, []string{sandboxPassword}
		if code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com"); code != command.ExitOK {
			t.Fatalf("%d %s", code, errs)
		}
		args := []string{"account", "remove", "qq", "--yes"}
		switch i {
		case 1: // another account uses the file
			d.writes(d.config() + "\n[account.other]\nfrom = \"you@qq.com\"\nsecret = { file = \"qq.secret\" }\n")
		case 2:
			args = append(args, "--keep-secret")
		}
		code, out, errs := d.yan(args...)
		_, err := os.Stat(own)
		if code != command.ExitOK || (err == nil) != (i > 0) {
			t.Errorf("%d: %d %s; %v", i, code, errs, err)
		}
		if i == 0 {
			clitest.Wants(t, "the output", out, "Deleted ", "qq.secret with its secret.")
		}
		d.writes("")
	}
	if code, _, errs := d.login(s, "me@qq.com", "--from", "me@qq.com", "--secret-file", mine); code != command.ExitOK {
		t.Fatalf("%d %s", code, errs)
	}
	code, out, errs := d.yan("account", "remove", "qq", "--yes", "--lang", "zh")
	clitest.Wants(t, "the output", out, "它的密码仍在", "mine.txt")
	if _, err := os.Stat(mine); code != command.ExitOK || err != nil {
		t.Errorf("%d %s %v", code, errs, err)
	}
}
