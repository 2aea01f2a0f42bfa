package account_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/account"
)

// written is a file as a person writes it: with comments, in an order of its own.
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

// change makes a change and returns the lines it removed and added.
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
	f := parse(t, strings.TrimSuffix(written, "\n")) // without a final line end
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
