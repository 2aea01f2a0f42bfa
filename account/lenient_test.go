package account_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/smtp"
)

const faulty = `version = 1
default = "bad"

# the one that works
[account.qq]
from = "me@qq.com"
fallback = "bad"

[account.bad]
from = "me@corp.test"

[account.late]
from = "me@163.com"
timeout = "soon"
`

func loadFaulty(t *testing.T, text string) *account.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := account.Load(path); err == nil {
		t.Fatal("Load takes it")
	}
	f, err := account.LoadLenient(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFaultsOfAccounts(t *testing.T) {
	t.Parallel()
	f := loadFaulty(t, faulty)
	var keys []string
	for _, p := range f.Faults() {
		keys = append(keys, p.Key)
		if p.Line == 0 || p.Path != f.Path() {
			t.Errorf("%s has no place: %+v", p.Key, p)
		}
	}
	if got := strings.Join(keys, " "); got != "account.late.timeout account.bad.server" {
		t.Errorf("faults %q", got)
	}
	if f.FaultOf("qq") != nil || f.FaultOf("bad") == nil || f.FaultOf("late") == nil || f.FaultOf("ba") != nil {
		t.Error("the faults are not those of their accounts")
	}
	from, err := smtp.ParseAddress("me@qq.com")
	if err != nil {
		t.Fatal(err)
	}
	if a, err := f.Choose("", from); err != nil || a.Name != "qq" {
		t.Errorf("%v, %v", a, err)
	}
}

// Only the result of the changes must be valid; other faults remain.
func TestFaultyIsPutRight(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*account.File) error
		left   int // number of faults
		fault  string
	}{
		"remove":              {func(f *account.File) error { return f.Remove("late") }, 1, ""},
		"set":                 {func(f *account.File) error { return f.Set("bad", "server", "smtps://mail.corp.test") }, 1, ""},
		"unset":               {func(f *account.File) error { return f.Unset("late", "timeout") }, 1, ""},
		"another account":     {func(f *account.File) error { return f.Set("qq", "signature", "Yours") }, 2, ""},
		"a new account":       {func(f *account.File) error { return f.Put(account.Account{Name: "x", From: "x@qq.com"}) }, 2, ""},
		"the default":         {func(f *account.File) error { return f.SetDefault("qq") }, 2, ""},
		"still wrong":         {func(f *account.File) error { return f.Set("late", "timeout", "later") }, 2, "account.late.timeout"},
		"no help":             {func(f *account.File) error { return f.Set("bad", "signature", "Yours") }, 2, "account.bad.server"},
		"wrong elsewhere":     {func(f *account.File) error { return f.Set("qq", "server", "?") }, 2, "account.qq.server"},
		"a dangling fallback": {func(f *account.File) error { return f.Remove("bad") }, 2, "account.qq.fallback"},
		"in two steps": {func(f *account.File) error {
			return f.Together("bad", func(f *account.File) error {
				if err := f.Set("bad", "tls_cert", "cert.pem"); err != nil {
					return err
				}
				if err := f.Set("bad", "tls_key", "key.pem"); err != nil {
					return err
				}
				return f.Set("bad", "server", "smtps://mail.corp.test")
			})
		}, 1, ""},
		"half of two steps": {func(f *account.File) error {
			return f.Together("bad", func(f *account.File) error { return f.Set("bad", "tls_cert", "cert.pem") })
		}, 2, "account.bad.server"},
	} {
		f := loadFaulty(t, faulty)
		err := tt.change(f)
		var p *account.ParseError
		switch {
		case tt.fault == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.fault != "" && (!errors.As(err, &p) || p.Key != tt.fault || string(f.Bytes()) != faulty):
			t.Errorf("%s: %v, want a fault of %s and nothing changed:\n%s", name, err, tt.fault, f.Bytes())
		}
		if got := len(f.Faults()); got != tt.left {
			t.Errorf("%s: %d faults are left, want %d", name, got, tt.left)
		}
		if err := f.Save(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file that holds only comments gets its version with the first account.
func TestPutIntoComments(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		"":         "version = 1\n\n[account.x]\nfrom = \"x@qq.com\"\n",
		"# mine\n": "# mine\nversion = 1\n\n[account.x]\nfrom = \"x@qq.com\"\n",
	} {
		f, err := account.Parse("config.toml", []byte(before))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Put(account.Account{Name: "x", From: "x@qq.com"}); err != nil || string(f.Bytes()) != want {
			t.Errorf("%v\n%s\nwant\n%s", err, f.Bytes(), want)
		}
	}
}
