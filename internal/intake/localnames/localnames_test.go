package localnames

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/yanmail/yan/smtp"
)

func address(t testing.TB, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const aliasesFile = `# See man 5 aliases for format
postmaster:    root
root: admin, ops@example.com
admin : "alice"
alice:	alice@example.org,
	alice@example.net   
ALICE: other@example.com
"quoted": bob@example.com
logs: "|/usr/bin/logger -t mail", carol@example.com
pipe: |/bin/false
file: /var/mail/archive, "/var/mail/b c"
list: :include:/etc/mail/list
mixed: :INCLUDE:/x, dave@example.com
self: \self, erin@example.com
loop1: loop2
loop2: loop1
devnull: /dev/null
here: frank@localhost
empty:
no colon here
user@domain: x@example.com
bad: a b@example.com, good@example.com
`

func TestFind(t *testing.T) {
	t.Parallel()
	aliases, notices, err := ParseAliases(strings.NewReader(aliasesFile))
	if err != nil {
		t.Fatal(err)
	}
	configured := map[string][]smtp.Address{"Git": {address(t, "git@example.com")}, "frank": {address(t, "frank@example.com")}}
	table := NewTable(configured, aliases)
	for name, want := range map[string]string{
		"git":        "git@example.com", // the configuration, in any case
		"GIT":        "git@example.com",
		"root":       "alice@example.org alice@example.net ops@example.com", // names lead to names
		"postmaster": "alice@example.org alice@example.net ops@example.com",
		"Alice":      "alice@example.org alice@example.net", // the first line
		"quoted":     "bob@example.com",
		"logs":       "carol@example.com", // without the command
		"mixed":      "dave@example.com",
		"self":       "erin@example.com",
		"here":       "frank@example.com",
		"bad":        "good@example.com",
		"root+cron":  "alice@example.org alice@example.net ops@example.com",
	} {
		list, err := table.Find(name)
		var got []string
		for _, a := range list {
			got = append(got, a.String())
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	for name, want := range map[string]error{"nobody": ErrUnknown, "": ErrUnknown, "*": ErrUnknown, "user@domain": ErrUnknown, "a+b": ErrUnknown,
		"pipe": errNoAddress, "file": errNoAddress, "list": errNoAddress, "loop1": errNoAddress, "devnull": errNoAddress, "empty": errNoAddress} {
		if list, err := table.Find(name); !errors.Is(err, want) || len(list) > 0 {
			t.Errorf("%s: %v, %v; want %v", name, list, err, want)
		}
	}
	var lines []int
	for _, n := range notices {
		lines = append(lines, n.Line)
		if n.Err == nil {
			t.Errorf("line %d has no reason", n.Line)
		}
	}
	if want := []int{7, 9, 10, 11, 11, 12, 13, 17, 20, 21, 22}; !slices.Equal(lines, want) {
		t.Errorf("notices for the lines %v, want %v", lines, want)
	}
}

// The configuration counts before the file, and "*" after it.
func TestOrderOfTables(t *testing.T) {
	t.Parallel()
	aliases, _, err := ParseAliases(strings.NewReader("root: file@example.com\r\nbin: root\r\npipe: |x\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	table := NewTable(map[string][]smtp.Address{"*": {address(t, "all@example.com")}}, aliases)
	for name, want := range map[string]string{"root": "file@example.com", "bin": "file@example.com", "other": "all@example.com", "pipe": "all@example.com"} {
		if list, err := table.Find(name); err != nil || len(list) != 1 || list[0].String() != want {
			t.Errorf("%s: %v, %v; want %s", name, list, err, want)
		}
	}
	table = NewTable(map[string][]smtp.Address{"root": {address(t, "mine@example.com")}}, aliases)
	if list, err := table.Find("bin"); err != nil || len(list) != 1 || list[0].String() != "mine@example.com" {
		t.Errorf("bin leads to root of the configuration: %v, %v", list, err)
	}
	if list, err := new(Table).Find("root"); !errors.Is(err, ErrUnknown) {
		t.Errorf("the zero table: %v, %v", list, err)
	}
}

// A list that grows with each step ends.
func TestLargeAliases(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 2000 {
		b.WriteString("n" + strings.Repeat("x", i%50) + string(rune('a'+i%26)) + ": ")
		for j := range 20 {
			b.WriteString("n" + strings.Repeat("x", (i+j)%50) + string(rune('a'+(i+j)%26)) + ", u" + strings.Repeat("y", i%60+j) + "@example.com, ")
		}
		b.WriteString("\n")
	}
	b.WriteString("long: " + strings.Repeat("a@example.com,", maxEntry/10) + "\n")
	aliases, notices, err := ParseAliases(strings.NewReader(b.String()))
	if err != nil || len(notices) == 0 || !errors.Is(notices[len(notices)-1].Err, errLongEntry) {
		t.Fatal(len(notices), err)
	}
	if list, err := NewTable(nil, aliases).Find("na"); err != nil || len(list) == 0 || len(list) > maxAddresses {
		t.Errorf("%d addresses, %v", len(list), err)
	}
}

func TestReadErrorsAreReturned(t *testing.T) {
	t.Parallel()
	if _, _, err := ParseAliases(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

// No file makes the parser fail, and no address comes out that is not one.
func FuzzParseAliases(f *testing.F) {
	f.Add(aliasesFile)
	f.Add("a:\\\n b\"c:,,#\n")
	f.Fuzz(func(t *testing.T, text string) {
		aliases, _, err := ParseAliases(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		table := NewTable(nil, aliases)
		for name := range aliases.names {
			list, err := table.Find(name)
			if (err == nil) != (len(list) > 0) {
				t.Fatalf("%q: %v, %v", name, list, err)
			}
			for _, a := range list {
				if again, err := smtp.ParseAddress(a.String()); err != nil || !again.Equal(a) {
					t.Fatalf("%q: %v is no address: %v", name, a, err)
				}
			}
		}
	})
}
