package tokens_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/intake/tokens"
)

// newToken adds a token to a file.
func newToken(t *testing.T, path string, token tokens.ProgramToken) (secret string) {
	t.Helper()
	secret, err := tokens.New(t.Context(), path, path, token, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// A token is found by its name and its secret, with everything that was set, and the file has no
// secret and can be read by its owner only.
func TestNewToken(t *testing.T) {
	t.Parallel()
	path := tokens.Path(filepath.Join(t.TempDir(), "yan", "config.toml"))
	want := tokens.ProgramToken{Name: "gitea", Account: "work", From: []string{"*@example.com"}, PerHour: 200, MaxRecipients: 20, Created: time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)}
	secret, other := newToken(t, path, want), newToken(t, path, tokens.ProgramToken{Name: "scanner@example.com", Account: "shop"})
	f, err := tokens.Load(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := f.Check("gitea", secret)
	got.Created = got.Created.UTC()
	if list := f.List(); len(list) != 2 || list[0].Name != "gitea" || list[1].Account != "shop" {
		t.Errorf("the list is %+v", list)
	}
	if !ok || !reflect.DeepEqual(withoutHash(got), want) {
		t.Errorf("got %+v, %v", got, ok)
	}
	for _, wrong := range [][2]string{{"gitea", other}, {"gitea", ""}, {"gitea", secret[:len(secret)-1]}, {"Gitea", secret}, {"", ""}, {"nobody", secret}, {"nobody", ""}} {
		if _, ok := f.Check(wrong[0], wrong[1]); ok {
			t.Errorf("%q logs in with a wrong secret", wrong[0])
		}
	}
	b, err := os.ReadFile(path)
	if err != nil || bytes.Contains(b, []byte(secret)) || bytes.Contains(b, []byte(secret[4:])) {
		t.Errorf("%v, the file is\n%s", err, b)
	}
	if len(secret) != 36 || !strings.HasPrefix(secret, "yan_") || strings.ToLower(secret) != secret {
		t.Errorf("the secret has %d characters", len(secret))
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := tokens.New(t.Context(), path, path, want, rand.Reader); !errors.Is(err, tokens.ErrExists) {
		t.Errorf("a second token of that name: %v", err)
	}
	if err := tokens.Remove(t.Context(), path, "gitea"); err != nil {
		t.Error(err)
	}
	if err := tokens.Remove(t.Context(), path, "gitea"); !errors.Is(err, tokens.ErrUnknown) {
		t.Errorf("removed twice: %v", err)
	}
	if f, err = tokens.Load(t.Context(), path); err != nil || len(f.List()) != 1 {
		t.Errorf("%v, %v", f, err)
	}
}

// withoutHash copies what can be compared outside of the package.
func withoutHash(t tokens.ProgramToken) tokens.ProgramToken {
	return tokens.ProgramToken{Name: t.Name, Account: t.Account, From: t.From, PerHour: t.PerHour, MaxRecipients: t.MaxRecipients, Created: t.Created}
}

func TestNamesOfTokens(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"gitea", "a.b_c-d", "scanner+2@example.com"} {
		if err := tokens.CheckName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "-a", "a b", "a\n", "日", "a\"", "a/b", strings.Repeat("a", 65)} {
		if tokens.CheckName(name) == nil {
			t.Errorf("%q is a name", name)
		}
	}
}

// A file that is not one of tokens is refused with its name and, where known, the line.
func TestFaultyFile(t *testing.T) {
	t.Parallel()
	const hash = "sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\n"
	for source, line := range map[string]int{
		"version = 9\n":                             0,
		"version = 1\nsecret = 1\n":                 2,
		"[token.a]\n" + hash + "per_hour = \"1\"\n": 3,
		"[token.a]\n" + hash + "per_hour = -1\n":    0,
		"[token.a]\nsha256 = \"00\"\n":              0,
		"[token.a]\nsha256 = \"" + "g" + hash[11:]:  0,
		"[token.\"a b\"]\n" + hash:                  0,
		"[token.a]\n" + hash + "[token.a]\n" + hash: 3,
		"not toml": 1,
		"[token.a]\n" + hash + "password = \"x\"\n":   3,
		"version = 1\n[token.a]\naccount = [\"a\"]\n": 3,
	} {
		path := filepath.Join(t.TempDir(), "tokens.toml")
		if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		var wrong *tokens.FileError
		if _, err := tokens.Load(t.Context(), path); !errors.As(err, &wrong) || wrong.Line != line || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", source, err)
		}
		if _, err := tokens.New(t.Context(), path, path, tokens.ProgramToken{Name: "b"}, rand.Reader); err == nil {
			t.Errorf("%q was replaced", source)
		}
	}
}

func TestFileThatOthersWrite(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes have no meaning on Windows")
	}
	path := filepath.Join(t.TempDir(), "tokens.toml")
	newToken(t, path, tokens.ProgramToken{Name: "a"})
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	var untrusted *atomicfile.UntrustedError
	if _, err := tokens.Load(t.Context(), path); !errors.As(err, &untrusted) {
		t.Errorf("%v", err)
	}
}

// A running daemon sees each change without a signal, and keeps its tokens while the file is not
// valid.
func TestLiveTokens(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tokens.toml")
	var faults []error
	live, err := tokens.Open(t.Context(), path, func(err error) { faults = append(faults, err) })
	if err != nil {
		t.Fatal(err)
	}
	check := func(name, secret string, want bool) {
		t.Helper()
		if _, ok := live.Check(context.Background(), name, secret); ok != want {
			t.Errorf("%s: %v", name, ok)
		}
	}
	check("a", "", false)
	a := newToken(t, path, tokens.ProgramToken{Name: "a"})
	check("a", a, true)
	b := newToken(t, path, tokens.ProgramToken{Name: "b"})
	check("b", b, true)
	if err := tokens.Remove(t.Context(), path, "a"); err != nil {
		t.Fatal(err)
	}
	check("a", a, false)
	check("b", b, true)
	valid, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"not toml", string(valid)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		check("b", b, true)
		check("b", b, true)
	}
	if len(faults) != 1 {
		t.Errorf("faults %v", faults)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	check("b", b, false)
}

// A change that leaves size and time of the file as they were is seen while the time is recent.
func TestLiveTokensWithinOneTick(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tokens.toml")
	secret := newToken(t, path, tokens.ProgramToken{Name: "a"})
	recent := time.Now().Add(time.Hour) // however slow the test is
	if err := os.Chtimes(path, recent, recent); err != nil {
		t.Fatal(err)
	}
	live, err := tokens.Open(t.Context(), path, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := live.Check(t.Context(), "a", secret); !ok {
		t.Fatal("the token does not work")
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(before, []byte("[token.a]"), []byte("[token.b]"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, recent, recent); err != nil {
		t.Fatal(err)
	}
	if _, ok := live.Check(t.Context(), "a", secret); ok {
		t.Error("the change is not seen")
	}
}

// Two processes that add tokens at once lose none.
func TestTokensAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tokens.toml")
	done := make(chan error)
	names := []string{"a", "b", "c", "d", "e", "f"}
	for _, name := range names {
		go func() {
			_, err := tokens.New(t.Context(), path, path, tokens.ProgramToken{Name: name}, rand.Reader)
			done <- err
		}()
	}
	for range names {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if f, err := tokens.Load(t.Context(), path); err != nil || len(f.List()) != len(names) {
		t.Errorf("%d tokens, %v", len(f.List()), err)
	}
}

// Every file that is read can be written and read again.
func FuzzTokenFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "tokens.toml")
	if _, err := tokens.New(f.Context(), path, path, tokens.ProgramToken{Name: "a", Account: "b", From: []string{"*"}, PerHour: 1}, bytes.NewReader(make([]byte, 20))); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte("[token.\"a@b\"]\nsha256 = \"\"\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		read, err := tokens.Parse(source)
		if err != nil {
			return
		}
		again, err := tokens.Parse(read.Format())
		if err != nil || len(again.List()) != len(read.List()) {
			t.Errorf("%q: %v", read.Format(), err)
		}
	})
}
