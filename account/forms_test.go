package account_test

import (
	"errors"
	"testing"
	"time"

	"github.com/yanmail/yan/account"
)

const inherited = "[defaults]\nheaders = { X-D = \"d\" }\n"

// A key is changed in place in every form that TOML has for it, and nothing else changes.
func TestChangesInEveryForm(t *testing.T) {
	t.Parallel()
	set := func(name, key, value string) func(*account.File) error {
		return func(f *account.File) error { return f.Set(name, key, value) }
	}
	unset := func(name, key string) func(*account.File) error {
		return func(f *account.File) error { return f.Unset(name, key) }
	}
	remove := func(f *account.File) error { return f.Remove("b") }
	slower := func(f *account.File) error {
		a, _ := f.Account("a")
		a.Timeout = time.Minute
		return f.Put(a)
	}
	added := func(f *account.File) error {
		c := f.New("c")
		c.From, c.User = "c@qq.com", "me"
		return f.Put(c)
	}
	const a, b = "[account.a]\nfrom = \"a@qq.com\"\n", "[account.b]\nfrom = \"b@qq.com\"\n"
	for _, test := range []struct {
		name, before string
		do           func(*account.File) error
		after        string
	}{
		{"a header in one line", inherited + a + "headers = { X-A = \"1\", X-B = \"\" } # c\n", set("a", "headers.X-C", "3"),
			inherited + a + "headers = { X-A = \"1\", X-B = \"\", X-C = \"3\" } # c\n"},
		{"its name has no case", a + "headers = { X-A = \"1\" } # c\n", set("a", "headers.x-a", "2"), a + "headers = { X-A = \"2\" } # c\n"},
		{"the first", inherited + a + "headers = { X-A = \"1\", X-B = \"\" } # c\n", unset("a", "headers.X-A"), inherited + a + "headers = { X-B = \"\" } # c\n"},
		{"the last", inherited + a + "headers = { X-A = \"1\", X-B = \"\" } # c\n", unset("a", "headers.x-b"), inherited + a + "headers = { X-A = \"1\" } # c\n"},
		{"the only one", inherited + a + "headers = { X-A = \"1\" } # c\n", unset("a", "headers.X-A"), inherited + a},
		{"one that is only inherited", inherited + a, unset("a", "headers.X-D"), inherited + a},
		{"none yet", a, set("a", "headers.X-A", "1"), a + "headers.X-A = \"1\"\n"},
		{"an empty table", a + "headers = {}\n", set("a", "headers.X-A", "1"), a + "headers = { X-A = \"1\" }\n"},
		{"one line in several", a + "oauth2 = {\n  client_id = \"x\", # of the app\n  tenant = \"t\", # ours\n}\n", set("a", "oauth2.client_secret", "s"),
			a + "oauth2 = {\n  client_id = \"x\", # of the app\n  tenant = \"t\", client_secret = \"s\", # ours\n}\n"},
		{"out of several", a + "oauth2 = {\n  client_id = \"x\", # of the app\n  tenant = \"t\", # ours\n}\n", unset("a", "oauth2.tenant"),
			a + "oauth2 = {\n  client_id = \"x\", # of the app\n   # ours\n}\n"},
		{"the last of a table of its own", a + "[account.a.oauth2]\nclient_id = \"x\"\n", unset("a", "oauth2.client_id"), a},
		{"a table of its own", a + "[account.a.headers]\nX-A = \"1\"\n" + b, set("a", "headers.X-B", "2"), a + "[account.a.headers]\nX-A = \"1\"\nX-B = \"2\"\n" + b},
		{"a secret where it stands", a + "secret = { command = \"x\" } # c\nuser = \"u\"\n", set("a", "secret.env", "E"), a + "secret = { env = \"E\" } # c\nuser = \"u\"\n"},

		{"all in one line", "account = { a = { from = \"a@qq.com\" }, b = { from = \"b@qq.com\" } }\n", slower,
			"account = { a = { from = \"a@qq.com\", timeout = \"1m0s\" }, b = { from = \"b@qq.com\" } }\n"},
		{"all in one line, another", "account = { b = { from = \"b@qq.com\" } }\n", added,
			"account = { b = { from = \"b@qq.com\" }, c.from = \"c@qq.com\", c.user = \"me\" }\n"},
		{"all in one line, removed", "account = { a = { from = \"a@qq.com\" }, b = { from = \"b@qq.com\" } }\n", remove, "account = { a = { from = \"a@qq.com\" } }\n"},
		{"dotted in one line", "account = { a.from = \"a@qq.com\", b.from = \"b@qq.com\" }\n", set("a", "user", "u"),
			"account = { a.from = \"a@qq.com\", b.from = \"b@qq.com\", a.user = \"u\" }\n"},
		{"an account in one line", "[account]\na = { from = \"a@qq.com\", timeout = \"5m\" }\n", unset("a", "timeout"), "[account]\na = { from = \"a@qq.com\" }\n"},
		{"an account in one line, set", "[account]\na = { from = \"a@qq.com\" }\n", set("a", "oauth2.client_id", "x"), "[account]\na = { from = \"a@qq.com\", oauth2.client_id = \"x\" }\n"},

		{"dotted below a header", "[account]\na.from = \"a@qq.com\"\nb.from = \"b@qq.com\"\n", set("a", "oauth2.client_id", "x"),
			"[account]\na.from = \"a@qq.com\"\na.oauth2.client_id = \"x\"\nb.from = \"b@qq.com\"\n"},
		{"dotted", "account.a.from = \"a@qq.com\"\naccount.a.oauth2.client_id = \"x\"\n", set("a", "oauth2.tenant", "t"),
			"account.a.from = \"a@qq.com\"\naccount.a.oauth2.client_id = \"x\"\naccount.a.oauth2.tenant = \"t\"\n"},
		{"a dotted header", "account.a.from = \"a@qq.com\"\n", set("a", "headers.X-A", "1"), "account.a.from = \"a@qq.com\"\naccount.a.headers.X-A = \"1\"\n"},
		{"dotted, removed", "account.a.from = \"a@qq.com\"\naccount.b.from = \"b@qq.com\"\n", remove, "account.a.from = \"a@qq.com\"\n"},
		{"dotted, another", "account.a.from = \"a@qq.com\"\n", added, "account.a.from = \"a@qq.com\"\n\n[account.c]\nfrom = \"c@qq.com\"\nuser = \"me\"\n"},

		{"with a byte order mark, set", "\ufeff" + a + "timeout = \"5m\"\n", set("a", "timeout", "1m"), "\ufeff" + a + "timeout = \"1m\"\n"},
		{"with a byte order mark, unset", "\ufeff" + a + "timeout = \"5m\"\n", unset("a", "timeout"), "\ufeff" + a},
		{"with a byte order mark, put", "\ufeff" + a + "timeout = \"5m\"\n", slower, "\ufeff" + a + "timeout = \"1m0s\"\n"},
		{"with a byte order mark, another", "\ufeff" + a, added, "\ufeff" + a + "\n[account.c]\nfrom = \"c@qq.com\"\nuser = \"me\"\n"},
		{"with a byte order mark, removed", "\ufeff" + a + b, remove, "\ufeff" + a},
		{"with a byte order mark, default", "\ufeff" + a + b, func(f *account.File) error { return f.SetDefault("b") }, "\ufeffdefault = \"b\"\n" + a + b},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := parse(t, test.before)
			if err := test.do(f); err != nil || string(f.Bytes()) != test.after {
				t.Errorf("%v, got\n%s\nwant\n%s", err, f.Bytes(), test.after)
			}
		})
	}
}

// Removing a key keeps the rest of the file.
func TestCutsKeepTheRest(t *testing.T) {
	t.Parallel()
	const a = "[account.a]\nfrom = \"a@qq.com\"\n"
	for _, test := range []struct {
		name, before string
		do           func(*account.File) error
		after        string
	}{
		{"blank lines elsewhere", "version = 1\n\n\n" + a + "timeout = \"5m\"\n\n\n\n# x\n\n\n[account.b]\nfrom = \"b@qq.com\"\n",
			func(f *account.File) error { return f.Unset("a", "timeout") },
			"version = 1\n\n\n" + a + "\n\n\n# x\n\n\n[account.b]\nfrom = \"b@qq.com\"\n"},
		{"a comment below a key", a + "timeout = \"5m\"\n# the office has no proxy\n\n[account.b]\nfrom=\"b@qq.com\"\n",
			func(f *account.File) error { return f.Unset("a", "timeout") },
			a + "# the office has no proxy\n\n[account.b]\nfrom=\"b@qq.com\"\n"},
		{"a comment above a key", a + "# slow\n# line\ntimeout = \"5m\" # very\n", func(f *account.File) error { return f.Unset("a", "timeout") }, a},
		{"the head of the file", "# My mail.\ndefault = \"b\"\n" + a + "[account.b]\nfrom = \"b@qq.com\"\n", func(f *account.File) error { return f.Remove("b") },
			"# My mail.\n" + a},
		{"the head of the file is above an account", "# My mail.\n[account.b]\nfrom = \"b@qq.com\"\n\n" + a, func(f *account.File) error { return f.Remove("b") },
			"# My mail.\n\n" + a},
		{"inside of a table", a + "\n# B\n[account.b]\n\n# inside\n\nfrom = \"b@qq.com\"\n# below\n\n# outside\n\n[defaults]\n", func(f *account.File) error { return f.Remove("b") },
			a + "\n# outside\n\n[defaults]\n"},
		{"a table in two places", "[account.b]\nfrom = \"b@qq.com\"\n\n" + a + "\n[account.b.headers]\nX-A = \"1\"\n\n# end\n", func(f *account.File) error { return f.Remove("b") },
			a + "\n# end\n"},
		{"keys that follow each other", a + "\noauth2.client_id = \"x\"\noauth2.tenant = \"t\"\n\nuser = \"u\"\n", func(f *account.File) error { return f.Unset("a", "oauth2") },
			a + "\nuser = \"u\"\n"},
		{"CRLF, a key", "[account.a]\r\nfrom = \"a@qq.com\"", func(f *account.File) error { return f.Set("a", "timeout", "1m") },
			"[account.a]\r\nfrom = \"a@qq.com\"\r\ntimeout = \"1m\"\r\n"},
		{"CRLF, an account", "[account.a]\r\nfrom = \"a@qq.com\"\r\n\r\n# c\r\n", func(f *account.File) error {
			c := f.New("c")
			c.From = "c@qq.com"
			return f.Put(c)
		}, "[account.a]\r\nfrom = \"a@qq.com\"\r\n\r\n# c\r\n\r\n[account.c]\r\nfrom = \"c@qq.com\"\r\n"},
		{"CRLF, the default", "[account.a]\r\nfrom = \"a@qq.com\"\r\n", func(f *account.File) error { return f.SetDefault("a") },
			"default = \"a\"\r\n[account.a]\r\nfrom = \"a@qq.com\"\r\n"},
		{"CRLF, a cut", "version = 1\r\n\r\n[account.b]\r\nfrom = \"b@qq.com\"\r\n\r\n[account.a]\r\nfrom = \"a@qq.com\"\r\n", func(f *account.File) error { return f.Remove("b") },
			"version = 1\r\n\r\n[account.a]\r\nfrom = \"a@qq.com\"\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := parse(t, test.before)
			if err := test.do(f); err != nil || string(f.Bytes()) != test.after {
				t.Errorf("%v, got\n%q\nwant\n%q", err, f.Bytes(), test.after)
			}
		})
	}
}

// A change that would change anything else is refused.
func TestMistakesAreRefused(t *testing.T) {
	t.Parallel()
	const source = "\ufeffdefault = \"a\"\n[account.a]\nfrom = \"a@qq.com\"\nsecret = { keyring = true }\n"
	for _, mistake := range []string{
		"default = \"a\"\n[account.a]\nfrom = \"a@qq.com\"\nsecret = { keyring = true }\n[account.evil]\nfrom = \"e@qq.com\"\n",
		"[account.a]\nfrom = \"a@qq.com\"\nsecret = { keyring = true }\n",
		"default = \"a\"\n[account.a]\nfrom = \"a@qq.com\"\n",
		"default = \"a\"\n[account.a]\nfrom = \"a@qq.com\"\nsecret = { keyring = true }\n[defaults]\nuser = \"u\"\n",
		"default = \"a\"\n[account.a]\nfrom = \"a@qq.com\"\nsecret = { keyring = true }\n[account.a]\n",
		"default = \"a\"\n[account.a]\nfrom = \"a@qq.com\"\nsecret = { keyring = true }\nu = 1\n",
	} {
		f := parse(t, source)
		var wrong *account.ParseError
		if err := f.Mistake([]byte(mistake)); !errors.As(err, &wrong) || wrong.Fault != account.FaultValue || wrong.Key != "account.a.user" || string(f.Bytes()) != source {
			t.Errorf("%q: %v, and the file is %q", mistake, err, f.Bytes())
		}
	}
	f := parse(t, source)
	if err := f.Mistake([]byte("default = 'a'\naccount = { a = { from = 'a@qq.com', secret.keyring = true } }\n[defaults]\n")); err != nil {
		t.Errorf("it says the same: %v", err)
	}
}
