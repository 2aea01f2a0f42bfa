package cli

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/secrettest"
	"github.com/yanmail/yan/sandboxtest"
)

// sealedIn stores a password of an account in the encrypted file next to the configuration.
func sealedIn(t *testing.T, path, name, phrase string) {
	t.Helper()
	f, err := account.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	acc, ok := f.Account(name)
	if !ok {
		t.Fatalf("no account %s", name)
	}
	vault := &secret.Vault{WorkFactor: secrettest.WorkFactor, File: filepath.Join(filepath.Dir(path), "secrets.age"), Getenv: func(string) string { return "" },
		Passphrase: func(context.Context, bool) (string, error) { return phrase, nil }}
	if _, err := accounts.NewSecrets(vault).KeepPassword(t.Context(), acc, clitest.Marker); err != nil {
		t.Fatal(err)
	}
}

// The error for a secret in the encrypted file does not mention the keyring, and a wrong passphrase
// is reported with the file's name.
func TestSecretInEncryptedFile(t *testing.T) {
	t.Parallel()
	w, out, errs, path := machineWith(t, qqAndWork, "", nil)
	sealedIn(t, path, "work", "right")
	if code := Run(t.Context(), []string{"--lang", "zh", "account", "list"}, w); code != command.ExitOK {
		t.Fatal(code, errs)
	}
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, "work ") && !strings.Contains(line, "加密文件") || strings.Contains(line, "密钥环") && !strings.Contains(line, "qq ") {
			t.Errorf("%s", line)
		}
	}
	w.StdinTTY = 80
	w.ReadSecret = func(context.Context) (string, error) { return "wrong", nil }
	if code := Run(t.Context(), []string{"--lang", "zh", "account", "test", "work"}, w); code != command.ExitConfig {
		t.Errorf("exit status %d", code)
	}
	for _, want := range []string{"账号 work：加密文件 " + filepath.Join(filepath.Dir(path), "secrets.age") + " 的口令不对", "yan login work --new-encrypted-file"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("%q is not said:\n%s", want, errs)
		}
	}
	if strings.Count(errs.String(), "加密文件") != strings.Count(errs.String(), "加密文件的口令（不显示）")+1 {
		t.Errorf("the file is named twice:\n%s", errs)
	}
}

// The failure of a secret command is reported once, with its exit status and output.
func TestSecretCommandFailed(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a shell is needed")
	}
	for line, want := range map[string]string{"exit 3": "账号 work：命令 exit … 执行失败（退出码 3）", "echo oops >&2; exit 4": "账号 work：命令 echo … 执行失败（退出码 4：oops）"} {
		w, _, errs, _ := machineWith(t, qqAndWork+"secret = { command = \""+line+"\" }\n", "", nil)
		if code := Run(t.Context(), []string{"--lang", "zh", "account", "test", "work"}, w); code != command.ExitConfig || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: exit status %d, want %q:\n%s", line, code, want, errs)
		}
	}
}

// The reported time of a test starts at the connection: typing a passphrase is slow.
func TestAccountTestTime(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	config := "version = 1\n[account.qq]\nfrom = \"me@qq.com\"\nserver = \"" + s.URL() + "\"\ntls_ca = \"" + filepath.ToSlash(s.CAFile()) + "\"\n"
	w, out, errs, path := machineWith(t, config, "", nil)
	now := time.Now()
	w.Now = func() time.Time { return now }
	w.StdinTTY = 80
	w.ReadSecret = func(context.Context) (string, error) {
		now = now.Add(time.Hour)
		return "right", nil
	}
	sealedIn(t, path, "qq", "right")
	Run(t.Context(), []string{"account", "test", "--json"}, w)
	if !strings.Contains(out.String(), `"stage":"auth"`) || !strings.Contains(out.String(), `"took_ms":0`) || time.Until(now) < 30*time.Minute {
		t.Errorf("%s%s", out, errs)
	}
}

// An empty configuration is valid, and the output says how to add an account.
func TestCheckOfEmptyConfiguration(t *testing.T) {
	t.Parallel()
	w, out, errs, path := machineWith(t, "version = 1\n", "", nil)
	if code := Run(t.Context(), []string{"--lang", "zh", "config", "check"}, w); code != command.ExitOK {
		t.Fatal(code, errs)
	}
	if _, err := os.Stat(path); err != nil || !strings.Contains(out.String(), "还没有账号") || strings.Contains(out.String(), "账号：\n") {
		t.Errorf("%v\n%s", err, out)
	}
}
