package secret_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/secrettest"
)

func TestFileIsPrivateAndHoldsNoSecretInClear(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.Keyring = nil
	m.set(t, password, "geheim", secret.InFile)
	folder := filepath.Dir(m.File)
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 3 {
		t.Fatalf("the directory holds %v, %v; want the file, its names and its lock", entries, err)
	}
	for _, name := range []string{"", "secrets.age", "secrets.age.names", "secrets.age.lock"} {
		path := filepath.Join(folder, name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 && onUnix {
			t.Errorf("others can access %s: %v", path, info.Mode())
		}
		if info.IsDir() {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "geheim") {
			t.Errorf("%s shows the secret", name)
		}
	}
}

func TestFileWithoutNames(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(string) error{
		"missing": os.Remove,
		"of another file": func(path string) error {
			return os.WriteFile(path, []byte(`{"sha256":"00","holds":["other/password"]}`), 0o600)
		},
		"no JSON": func(path string) error { return os.WriteFile(path, []byte("{"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.Keyring = nil
			m.set(t, password, "in the file", secret.InFile)
			m.set(t, token, "a token", secret.InFile)
			if err := spoil(m.File + ".names"); err != nil {
				t.Fatal(err)
			}
			m.renew(m.File)
			m.expect(t, password, "in the file")
			m.expectProblem(t, secret.Key{Account: "other", Item: "password"}, secret.NotFound)
			m.set(t, password, "in the keyring", secret.InKeyring)
			m.expect(t, password, "in the keyring")
			if err := m.Delete(t.Context(), password); err != nil {
				t.Fatal(err)
			}
			m.expectProblem(t, password, secret.NotFound)
			m.expect(t, token, "a token")
			if len(m.asked) != 2 {
				t.Errorf("the passphrase was asked for %d times, want once for each vault", len(m.asked))
			}
		})
	}
}

func TestPassphraseComesFromFileOrCredential(t *testing.T) {
	t.Parallel()
	for _, variable := range []string{"YAN_PASSPHRASE_FILE", "CREDENTIALS_DIRECTORY"} {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.Keyring, m.Passphrase = nil, nil
			_, err := m.Set(t.Context(), password, "geheim")
			isProblem(t, "", err, secret.Unavailable)
			path := filepath.Join(m.Home, "yan-passphrase")
			write(t, path, phrase+"\n", 0o600)
			m.env[variable] = path
			if variable == "CREDENTIALS_DIRECTORY" {
				m.env[variable] = m.Home
			}
			m.set(t, password, "geheim", secret.InFile)
			m.renew(m.File)
			m.expect(t, password, "geheim")
			if len(m.asked) != 0 {
				t.Error("the user was asked for a passphrase")
			}
		})
	}
	// A file that is named must exist; a credential need not.
	m := newMachine(t)
	m.Keyring = nil
	m.env["CREDENTIALS_DIRECTORY"] = m.Home
	m.set(t, password, "geheim", secret.InFile)
	m.env["YAN_PASSPHRASE_FILE"] = filepath.Join(m.Home, "nowhere")
	m.renew(m.File)
	e := m.expectProblem(t, password, secret.NotFound)
	if e.Source.Kind != secret.File || e.Path != m.env["YAN_PASSPHRASE_FILE"] {
		t.Errorf("%v is about %+v", e, e.Source)
	}
}

func TestWrongPassphraseChangesNothing(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.Keyring = nil
	m.set(t, password, "geheim", secret.InFile)
	m.set(t, token, "a token", secret.InFile)
	before := readFile(t, m.File)
	m.renew(m.File)
	m.Keyring, m.typed = nil, "wrong"
	m.expectProblem(t, password, secret.Passphrase)
	_, err := m.Set(t.Context(), password, "other")
	if e := isProblem(t, "", err, secret.Passphrase); e.Path != m.File {
		t.Errorf("%v is about %q", e, e.Path)
	}
	isProblem(t, "", m.Delete(t.Context(), password), secret.Passphrase)
	m.typed = " "
	m.expectProblem(t, password, secret.Passphrase)
	if readFile(t, m.File) != before {
		t.Error("the file was changed")
	}
	m.typed = phrase // the wrong one is not remembered
	m.expect(t, password, "geheim")
}

func TestDamagedFileIsNotReplaced(t *testing.T) {
	t.Parallel()
	good, err := secret.Seal(map[string]string{"qq/password": "geheim"}, phrase, 4)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"empty": "", "text": "not age", "cut": string(good[:len(good)-5]), "header": string(good[:40]),
		"flipped": string(good[:len(good)-1]) + "\x00",
		"costly":  strings.Replace(string(good), " 4\n", " 30\n", 1),
		"newer":   encrypted(t, `{"version":2,"secrets":{"qq/password":"geheim"}}`),
		"no list": encrypted(t, `{"version":1}`),
		"no JSON": encrypted(t, `geheim`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.Keyring = nil
			if err := os.MkdirAll(filepath.Dir(m.File), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, m.File, data, 0o600)
			m.expectProblem(t, password, secret.Damaged)
			_, err := m.Set(t.Context(), password, "other")
			isProblem(t, "", err, secret.Damaged)
			isProblem(t, "", m.Delete(t.Context(), password), secret.Damaged)
			if readFile(t, m.File) != data {
				t.Error("the file was changed")
			}
			if !strings.HasPrefix(data, "age-encryption.org/v1\n") && len(m.asked) > 0 {
				t.Error("the passphrase of a damaged file was asked for")
			}
		})
	}
}

func encrypted(t *testing.T, text string) string {
	t.Helper()
	data, err := secret.Encrypt([]byte(text), phrase, 4)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPassphraseChanges(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.Keyring = nil
	m.set(t, password, "geheim", secret.InFile)
	data, err := secret.Seal(map[string]string{"qq/password": "newer"}, "another", 4)
	if err != nil {
		t.Fatal(err)
	}
	write(t, m.File, string(data), 0o600)
	m.expectProblem(t, password, secret.Passphrase)
	m.typed = "another"
	m.expect(t, password, "newer")
}

func TestLastSecretTakesTheFileWithIt(t *testing.T) {
	t.Parallel()
	for name, names := range map[string]bool{"names": true, "no names": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.Keyring = nil
			m.typed = ""
			_, err := m.Set(t.Context(), password, "geheim")
			isProblem(t, "", err, secret.Passphrase)
			m.typed = phrase
			m.set(t, password, "geheim", secret.InFile)
			m.renew(m.File)
			m.Keyring = nil
			m.asked = nil
			if !names {
				if err := os.Remove(m.File + ".names"); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.Delete(t.Context(), password); err != nil {
				t.Fatal(err)
			}
			if pathExists(m.File) || pathExists(m.File+".names") {
				t.Error("the file is still there")
			}
			if names && len(m.asked) > 0 {
				t.Error("the passphrase was asked for without need")
			}
		})
	}
}

func TestLinkStaysALink(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.Keyring = nil
	real := filepath.Join(m.Home, "real.age")
	m.set(t, password, "geheim", secret.InFile)
	if err := os.Rename(m.File, real); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, m.File); err != nil {
		t.Skipf("symbolic links are not available: %v", err)
	}
	m.set(t, token, "a token", secret.InFile)
	if info, err := os.Lstat(m.File); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info.Mode(), err)
	}
	m.renew(m.File)
	m.expect(t, token, "a token")
}

// A Vault with default settings writes files with the full work factor and reads them. This is the
// only test that pays for it.
func TestFileCostsTheFullWorkFactor(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secrets.age")
	open := func() *secret.Vault {
		return &secret.Vault{File: file, Getenv: func(string) string { return "" },
			Passphrase: func(context.Context, bool) (string, error) { return phrase, nil }}
	}
	if _, err := open().Set(t.Context(), password, "geheim"); err != nil {
		t.Fatal(err)
	}
	if got, want := secrettest.FileWork(t, file), 17; got != want || secret.FullWork != want {
		t.Errorf("N is 2^%d, want 2^%d", got, want)
	}
	if got, err := open().Get(t.Context(), kept, password); err != nil || got != "geheim" {
		t.Errorf("%q, %v", got, err)
	}
}
