package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/testing/secrettest"
)

// Importing asks about each account.
func TestAccountImportAsks(t *testing.T) {
	t.Parallel()
	const settings = "defaults\ntls on\nauth on\naccount a\nhost mail.example.org\nfrom a@example.org\nuser a\npassword " + clitest.Marker +
		"\naccount b\nhost mail.example.org\nfrom b@example.org\nuser b\npassword " + clitest.Marker + "\n"
	for _, tt := range []struct {
		typed, lang, says string
		kept              []string
	}{
		{"y\nn\n", "en", "Import b (b@example.org)?", []string{"a"}},
		{"n\ny\n", "zh", "导入 a（a@example.org）吗？", []string{"b"}},
		{"\n\n", "en", "Imported into", []string{"a", "b"}},
		{"n\nn\n", "zh", "没有任何改动", nil},
		{"y\n", "en", "no answer to the question", nil},
	} {
		keyring := secrettest.New()
		w, out, errs, path := machineWith(t, "", tt.typed, keyring)
		file := filepath.Join(filepath.Dir(path), ".msmtprc")
		if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
			t.Fatal(err)
		}
		Run(t.Context(), []string{"account", "import", "--lang", tt.lang}, w)
		text := out.String() + errs.String()
		if !strings.Contains(text, tt.says) || strings.Contains(text, clitest.Marker) {
			t.Errorf("%q: want %q:\n%s", tt.typed, tt.says, text)
		}
		for _, name := range []string{"a", "b"} {
			password, err := keyring.Get("yan", name+"/password")
			if kept := err == nil && password == keptFor(name+" (mail.example.org)", clitest.Marker); kept != slices.Contains(tt.kept, name) {
				t.Errorf("%q: the password of %s is kept: %v", tt.typed, name, kept)
			}
		}
		b, err := os.ReadFile(path)
		if (err == nil) != (tt.kept != nil) || strings.Contains(string(b), clitest.Marker) {
			t.Errorf("%q: %v\n%s", tt.typed, err, b)
		}
	}
}

// If the keyring is locked, neither the account nor the password is stored.
func TestAccountImportLockedKeyring(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]string{"en": "the keyring is locked", "zh": "密钥环已锁定"} {
		w, _, errs, path := machineWith(t, "", "", secrettest.Locked())
		file := filepath.Join(filepath.Dir(path), ".msmtprc")
		if err := os.WriteFile(file, []byte("account a\nhost mail.example.org\ntls on\nauth on\nuser a\nfrom a@example.org\npassword "+clitest.Marker+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		code := Run(t.Context(), []string{"account", "import", "--all", "--lang", lang}, w)
		if code != command.ExitConfig || !strings.Contains(errs.String(), want) {
			t.Errorf("exit status %d: %s", code, errs)
		}
		if _, err := os.Stat(path); err == nil {
			t.Error("the configuration is written")
		}
	}
}

// meddlingKeyring is a keyring. While it is used, another program writes the configuration.
type meddlingKeyring struct {
	*secrettest.Keyring
	path string
}

func (m meddlingKeyring) Set(service, user, s string) error {
	if err := os.WriteFile(m.path, []byte("version = 1\n"), 0o600); err != nil {
		return err
	}
	return m.Keyring.Set(service, user, s)
}

// If the configuration was changed meanwhile, the stored password is deleted.
func TestAccountImportTakesBack(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]string{"en": "another program changed it at the same time", "zh": "其他程序"} {
		keyring := secrettest.New()
		w, _, errs, path := machineWith(t, "", "", nil)
		w.Keyring = meddlingKeyring{keyring, path}
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".msmtprc"),
			[]byte("account a\nhost mail.example.org\ntls on\nauth on\nuser a\nfrom a@example.org\npassword "+clitest.Marker+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		code := Run(t.Context(), []string{"account", "import", "--all", "--lang", lang}, w)
		if code != command.ExitTemporary || !strings.Contains(errs.String(), want) {
			t.Errorf("exit status %d: %s", code, errs)
		}
		if _, err := keyring.Get("yan", "a/password"); err == nil {
			t.Error("the password is kept for an account that there is not")
		}
		if now := contents(t, path); now != "version = 1\n" {
			t.Errorf("what the other program wrote is overwritten:\n%s", now)
		}
	}
}

// A password that existed before is restored.
func TestAccountImportPutsBack(t *testing.T) {
	t.Parallel()
	keyring := secrettest.New()
	if err := keyring.Set("yan", "a/password", "old"); err != nil {
		t.Fatal(err)
	}
	w, _, errs, path := machineWith(t, "version = 1\n\n[account.a]\nfrom = \"a@example.org\"\nserver = \"smtps://smtp.example.org\"\n", "", nil)
	w.Keyring = meddlingKeyring{keyring, path}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".msmtprc"),
		[]byte("account a\nhost mail.example.org\ntls on\nauth on\nuser a\nfrom a@example.org\npassword "+clitest.Marker+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := Run(t.Context(), []string{"account", "import", "--all", "--replace"}, w); code != command.ExitTemporary {
		t.Errorf("exit status %d: %s", code, errs)
	}
	if got, err := keyring.Get("yan", "a/password"); err != nil || got != "old" {
		t.Errorf("the password of the account that worked: %v", err)
	}
}
