package account_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/account"
)

// written is a file as a person keeps it: with comments, in an order of its own.
const written = `# My mail.
version = 1
default = "qq"   # the one I use

[defaults]
signature = "雁"

# For everything private.
[account.qq]
from = "名字 <me@qq.com>"  # must be this one
match = [
  "*@corp.example", # all of them
]
# The keyring has it.

[account.work]
from = "me@work.example"
server = "smtps://smtp.work.example"
secret.command = "pass show work"
fallback = "qq"
  [account.work.oauth2]
  client_id = "x"
  # why not
  scopes = ["a", "b"]

# A relay.
[account.relay]
from = "me@relay.example"
server = "smtp+notls://127.0.0.1"
# The end.
`

func parse(t *testing.T, source string) *account.File {
	t.Helper()
	f, err := account.Parse("config.toml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// change makes a change and says which lines it took away and added.
func change(t *testing.T, f *account.File, do func() error) (gone, came []string) {
	t.Helper()
	before := strings.Split(string(f.Bytes()), "\n")
	if err := do(); err != nil {
		t.Fatal(err)
	}
	after := strings.Split(string(f.Bytes()), "\n")
	for _, line := range before {
		if i := slices.Index(after, line); i >= 0 {
			after = slices.Delete(after, i, i+1)
		} else {
			gone = append(gone, line)
		}
	}
	return gone, after
}

func TestPutChangesOnlyItsLines(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, account string
		edit          func(*account.Account)
		gone, came    []string
	}{
		{"nothing", "qq", func(*account.Account) {}, nil, nil},
		{"a value, its comment stays", "qq", func(a *account.Account) { a.From = "me@qq.com" },
			[]string{`from = "名字 <me@qq.com>"  # must be this one`}, []string{`from = "me@qq.com"  # must be this one`}},
		{"a list", "qq", func(a *account.Account) { a.Match = []string{"b@qq.com"} },
			[]string{`match = [`, `  "*@corp.example", # all of them`, `]`}, []string{`match = ["b@qq.com"]`}},
		{"a key that goes", "work", func(a *account.Account) { a.Fallback = "" }, []string{`fallback = "qq"`}, nil},
		{"a key that comes", "qq", func(a *account.Account) { a.Timeout = time.Minute }, nil, []string{`timeout = "1m0s"`}},
		{"a dotted key becomes a table", "work", func(a *account.Account) { a.Secret = account.Secret{File: "x"} },
			[]string{`secret.command = "pass show work"`}, []string{`secret = { file = "x" }`}},
		{"a secret for the keyring", "work", func(a *account.Account) { a.Secret = account.Secret{} },
			[]string{`secret.command = "pass show work"`}, nil},
		{"a table in lines of its own", "work", func(a *account.Account) { a.OAuth2.Scopes = nil },
			[]string{`  [account.work.oauth2]`, `  client_id = "x"`, `  # why not`, `  scopes = ["a", "b"]`},
			[]string{`oauth2 = { client_id = "x" }`}},
		{"what is inherited, changed", "qq", func(a *account.Account) { a.Signature = "-" }, nil, []string{`signature = "-"`}},
		{"what is inherited, taken away", "qq", func(a *account.Account) { a.Signature = "" }, nil, []string{`signature = ""`}},
		{"a file instead", "qq", func(a *account.Account) { a.Signature, a.SignatureFile = "", "~/.signature" }, nil, []string{`signature_file = "~/.signature"`}},
		{"headers", "qq", func(a *account.Account) { a.Headers = []account.Header{{Name: "X-A", Value: `"1"`}} }, nil, []string{`headers = { X-A = "\"1\"" }`}},
		{"switches", "relay", func(a *account.Account) { a.NoPipelining, a.Connections = true, 3 }, nil, []string{`pipelining = false`, `connections = 3`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := parse(t, written)
			a, ok := f.Account(test.account)
			if !ok {
				t.Fatal("no account")
			}
			test.edit(&a)
			gone, came := change(t, f, func() error { return f.Put(a) })
			if !slices.Equal(gone, test.gone) || !slices.Equal(came, test.came) {
				t.Errorf("took away %q and added %q, want %q and %q\n%s", gone, came, test.gone, test.came, f.Bytes())
			}
		})
	}
}

func TestPutAddsAtTheEnd(t *testing.T) {
	t.Parallel()
	f := parse(t, strings.TrimSuffix(written, "\n")) // without a last line end
	a := f.New("new")
	a.From, a.Server = `"A, B" <new@example.com>`, "smtps://smtp.example.com"
	if err := f.Put(a); err != nil {
		t.Fatal(err)
	}
	want := written + `
[account.new]
from = "\"A, B\" <new@example.com>"
server = "smtps://smtp.example.com"
`
	if got := string(f.Bytes()); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got, _ := f.Account("new"); got.Signature != "雁" {
		t.Errorf("the new account does not inherit: %+v", got)
	}
}

func TestFirstAccountMakesAVersionedFile(t *testing.T) {
	t.Parallel()
	f := parse(t, "")
	a := f.New("qq")
	a.From = "me@qq.com"
	if err := f.Put(a); err != nil {
		t.Fatal(err)
	}
	if got, want := string(f.Bytes()), "version = 1\n\n[account.qq]\nfrom = \"me@qq.com\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRemoveTakesItsCommentsAlong(t *testing.T) {
	t.Parallel()
	f := parse(t, written)
	gone, came := change(t, f, func() error { return f.Remove("relay") })
	want := []string{"# A relay.", "[account.relay]", `from = "me@relay.example"`, `server = "smtp+notls://127.0.0.1"`, "# The end."}
	got := slices.DeleteFunc(gone, func(line string) bool { return line == "" })
	if !slices.Equal(got, want) || len(came) != 0 {
		t.Errorf("took away %q and added %q, want %q", got, came, want)
	}
	if _, still := f.Account("relay"); still {
		t.Error("it is still there")
	}
}

func TestRemoveOfTheDefault(t *testing.T) {
	t.Parallel()
	f := parse(t, "version = 1\ndefault = \"b\"\n[account.a]\nfrom = \"a@qq.com\"\n\n[account.b]\nfrom = \"b@qq.com\"\n")
	if err := f.Remove("b"); err != nil {
		t.Fatal(err)
	}
	if want := "version = 1\n[account.a]\nfrom = \"a@qq.com\"\n\n"; string(f.Bytes()) != want {
		t.Errorf("got %q, want %q", f.Bytes(), want)
	}
	if f.Default() != "a" {
		t.Errorf("the only account is not the default: %q", f.Default())
	}
}

func TestRemoveOfAFallbackIsRefused(t *testing.T) {
	t.Parallel()
	f := parse(t, written)
	var p *account.ParseError
	if err := f.Remove("qq"); !errors.As(err, &p) || p.Fault != account.FaultReference {
		t.Errorf("got %v, want a fault about the reference", err)
	}
	if string(f.Bytes()) != written {
		t.Error("the file was changed all the same")
	}
}

func TestSetDefault(t *testing.T) {
	t.Parallel()
	f := parse(t, written)
	gone, came := change(t, f, func() error { return f.SetDefault("work") })
	if len(gone) != 1 || len(came) != 1 || came[0] != `default = "work"   # the one I use` {
		t.Errorf("took away %q and added %q", gone, came)
	}
	f = parse(t, "# head\n\n# qq\n[account.a]\nfrom = \"a@qq.com\"\n")
	if err := f.SetDefault("a"); err != nil {
		t.Fatal(err)
	}
	if want := "# head\n\ndefault = \"a\"\n# qq\n[account.a]\nfrom = \"a@qq.com\"\n"; string(f.Bytes()) != want {
		t.Errorf("got %q, want %q", f.Bytes(), want)
	}
}

// What stands in one line for all accounts can't be edited, and is left alone.
func TestInlineAccountsAreLeftAlone(t *testing.T) {
	t.Parallel()
	const inline = "account = { a = { from = \"a@qq.com\" }, b = { from = \"b@qq.com\" } }\n"
	f := parse(t, inline)
	a, _ := f.Account("a")
	a.Timeout = time.Minute
	for name, err := range map[string]error{"Put": f.Put(a), "Remove": f.Remove("a")} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if string(f.Bytes()) != inline {
		t.Errorf("it was changed: %s", f.Bytes())
	}
}

// FuzzPut: whatever a valid file looks like, a change either says that it can't
// be made, or makes exactly that change.
func FuzzPut(f *testing.F) {
	f.Add(written, "qq", "-")
	f.Add("account = { a = { from = \"a@qq.com\" } }", "a", "x")
	f.Add("account.a.from = \"a@qq.com\"\naccount.a.signature = '''\nx'''", "a", "\"")
	f.Add("[account.a]\r\nfrom = \"a@qq.com\"\r\n", "a", "\\")
	f.Add("[account]\na.from = \"a@qq.com\"\n[defaults]\nsignature = \"y\"", "b", "\x00é")
	f.Fuzz(func(t *testing.T, source, name, signature string) {
		file, err := account.Parse("f", []byte(source))
		if err != nil {
			return
		}
		before := file.Accounts()
		a, ok := file.Account(name)
		if !ok {
			a = file.New(name)
			a.From = "new@qq.com"
		}
		a.Signature, a.SignatureFile = signature, ""
		if file.Put(a) != nil {
			if !slices.EqualFunc(before, file.Accounts(), account.Account.Same) || string(file.Bytes()) != source {
				t.Fatal("a change that could not be made was made")
			}
			return
		}
		again, err := account.Parse("f", file.Bytes())
		if err != nil {
			t.Fatalf("what was written can't be read: %v\n%s", err, file.Bytes())
		}
		for _, old := range before {
			now, _ := again.Account(old.Name)
			if old.Name == name {
				old = a
			}
			if !now.Same(old) {
				t.Fatalf("account %s became %+v\n%s", old.Name, now, file.Bytes())
			}
		}
	})
}

func TestSaveWritesForTheOwnerAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "config.toml")
	f, err := account.Load(path)
	if err != nil || f.Exists() {
		t.Fatal(err, f.Exists())
	}
	a := f.New("qq")
	a.From = "me@qq.com"
	if err := errors.Join(f.Put(a), f.Save()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 && os.PathSeparator == '/' {
		t.Errorf("got %v, %v", info, err)
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("left behind: %v, %v", names, err)
	}
	a.Timeout = time.Second // a second change of the same file
	if err := errors.Join(f.Put(a), f.Save()); err != nil {
		t.Fatal(err)
	}
}

func TestSaveRefusesWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.toml")
	f, err := account.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	a := f.New("qq")
	a.From = "me@qq.com"
	if err := f.Put(a); err != nil {
		t.Fatal(err)
	}
	const theirs = "# theirs\n"
	if err := os.WriteFile(path, []byte(theirs), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(); !errors.Is(err, account.ErrChanged) {
		t.Errorf("a file that appeared: %v", err)
	}
	g, err := account.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := g.Save(); !errors.Is(err, account.ErrChanged) {
		t.Errorf("a file that went: %v", err)
	}
}

func TestSaveKeepsALinkAndItsMode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	real, link := filepath.Join(dir, "dotfiles.toml"), filepath.Join(dir, "config.toml")
	if err := os.WriteFile(real, []byte(written), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skip("no links here: ", err)
	}
	f, err := account.Load(link)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.SetDefault("work"), f.Save()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	now, err := os.ReadFile(real)
	if err != nil || !strings.Contains(string(now), `default = "work"`) {
		t.Errorf("got %s, %v", now, err)
	}
	if info, err := os.Stat(real); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode became %v, %v", info.Mode(), err)
	}
}

func TestSaveInAFolderThatCantBeWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := parseAt(t, filepath.Join(file, "config.toml"))
	a := f.New("qq")
	a.From = "me@qq.com"
	if err := f.Put(a); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(); err == nil {
		t.Error("no error")
	}
}

func parseAt(t *testing.T, path string) *account.File {
	t.Helper()
	f, err := account.Parse(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
