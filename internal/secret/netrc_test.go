package secret_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/secret"
)

func entry(name, login, password string) secret.NetrcEntry {
	return secret.NetrcEntry{Name: name, Login: login, Password: password, HasPassword: true}
}

func TestParseNetrc(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []secret.NetrcEntry
		err  string
	}{
		"empty":              {},
		"one line":           {text: "machine a login b password c", want: []secret.NetrcEntry{entry("a", "b", "c")}},
		"several lines":      {text: "machine a\r\n\tlogin b\r\n\tpassword c\r\n", want: []secret.NetrcEntry{entry("a", "b", "c")}},
		"byte order mark":    {text: "\ufeffmachine a password c", want: []secret.NetrcEntry{entry("a", "", "c")}},
		"default":            {text: "machine a password c default login me password d", want: []secret.NetrcEntry{entry("a", "", "c"), entry("", "me", "d")}},
		"account and port":   {text: "machine a port 587 account x user b passwd c", want: []secret.NetrcEntry{entry("a", "b", "c")}},
		"no password":        {text: "machine a login b", want: []secret.NetrcEntry{{Name: "a", Login: "b"}}},
		"quotes":             {text: `machine a login "b c" password "d \"e\" \\ # f"`, want: []secret.NetrcEntry{entry("a", "b c", `d "e" \ # f`)}},
		"empty quotes":       {text: `machine a password ""`, want: []secret.NetrcEntry{entry("a", "", "")}},
		"backslash":          {text: `machine a password c\ d\\e\"`, want: []secret.NetrcEntry{entry("a", "", `c d\e"`)}},
		"backslash at end":   {text: "machine a password c\\\nmachine b password d\\", want: []secret.NetrcEntry{entry("a", "", `c\`), entry("b", "", `d\`)}},
		"quote inside":       {text: `machine a password c"d`, want: []secret.NetrcEntry{entry("a", "", `c"d`)}},
		"comments":           {text: "# a \"comment\nmachine a # another\n#login x\nlogin b password c#d#\n#end", want: []secret.NetrcEntry{entry("a", "b", "c#d#")}},
		"hash at beginning":  {text: "machine a password #c", want: []secret.NetrcEntry{entry("a", "", "#c")}},
		"macro":              {text: "machine a password c\nmacdef init\ncd /pub\nmachine x password y\n\nmachine b password d", want: []secret.NetrcEntry{entry("a", "", "c"), entry("b", "", "d")}},
		"macro to the end":   {text: "machine a password c\r\nmacdef init\r\ncd /pub\r\n", want: []secret.NetrcEntry{entry("a", "", "c")}},
		"macro with CRLF":    {text: "macdef init\r\ncd /pub\r\n\r\nmachine b password d", want: []secret.NetrcEntry{entry("b", "", "d")}},
		"password of words":  {text: "machine a\npassword hunter 2", err: "line 2: a keyword is expected here"},
		"open quote":         {text: "machine a\npassword \"hunter\nlogin b\"", err: "line 2: a quote is not closed"},
		"quote to the end":   {text: `machine a password "hunter`, err: "line 1: a quote is not closed"},
		"glued to a quote":   {text: `machine a password "hunter"2`, err: "line 1: something follows a closing quote"},
		"value missing":      {text: "machine a\nlogin b password", err: "line 2: nothing follows password"},
		"before any machine": {text: "login hunter", err: "line 1: login stands before the first machine"},
		"machine without":    {text: `machine ""`, err: "line 1: the machine has no name"},
		"macro without":      {text: "\nmacdef", err: "line 2: the macro has no name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := secret.ParseNetrc(c.text)
			if c.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), c.err) || strings.Contains(err.Error(), "hunter") {
					t.Errorf("%v, want %q", err, c.err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

func TestNetrcFindsTheEntry(t *testing.T) {
	t.Parallel()
	const all = `
machine smtp.qq.com login other@qq.com password other
machine smtp.qq.com login me@qq.com password mine
machine smtp.qq.com login me@qq.com password second
machine any.example password anyone's
machine some.example login some@example password some
machine bare.example login me@qq.com
machine void.example login me@qq.com password ""
default login guest@example password guest`
	for name, c := range map[string]struct {
		host, user string
		want       string
		problem    secret.Problem
	}{
		"machine and login":   {host: "smtp.qq.com", user: "me@qq.com", want: "mine"},
		"in another case":     {host: "SMTP.QQ.com", user: "me@qq.com", want: "mine"},
		"no login wanted":     {host: "smtp.qq.com", want: "other"},
		"no login there":      {host: "any.example", user: "me@qq.com", want: "anyone's"},
		"another login":       {host: "some.example", user: "me@qq.com", problem: secret.NotFound},
		"default":             {host: "new.example", user: "guest@example", want: "guest"},
		"default of another":  {host: "new.example", user: "me@qq.com", problem: secret.NotFound},
		"without a password":  {host: "bare.example", user: "me@qq.com", problem: secret.NotFound},
		"with an empty one":   {host: "void.example", user: "me@qq.com", problem: secret.Empty},
		"nothing is asked of": {problem: secret.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			path := filepath.Join(m.Home, ".netrc")
			write(t, path, all, 0o600)
			got, err := m.Get(t.Context(), secret.Source{Kind: secret.Netrc}, secret.Key{Account: "a", Item: "password", Host: c.host, User: c.user})
			if c.problem != "" {
				if e := isProblem(t, got, err, c.problem); e.Path != path {
					t.Errorf("%v is about %q", e, e.Path)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestNetrcPlaces(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	source := secret.Source{Kind: secret.Netrc}
	got, err := m.Get(t.Context(), source, password)
	isProblem(t, got, err, secret.NotFound)
	for _, where := range []string{".netrc", "of the variable", "named"} {
		write(t, filepath.Join(m.Home, where), "machine smtp.qq.com login me@qq.com password '"+where[:2]+"'", 0o600)
	}
	expect := func(want string) {
		t.Helper()
		if got, err := m.Get(t.Context(), source, password); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	expect("'.n'")
	m.env["NETRC"] = "~/of the variable"
	expect("'of'")
	source.Value = filepath.Join(m.Home, "named")
	expect("'na'")
	m.Vault.Home = ""
	m.env["NETRC"] = ""
	source.Value = ""
	got, err = m.Get(t.Context(), source, password)
	if e := isProblem(t, got, err, secret.NotFound); !strings.Contains(e.Error(), "HOME is not set") {
		t.Error(e)
	}
	m.env["USERPROFILE"] = filepath.Dir(filepath.Dir(m.File))
	expect("'.n'")
}

func FuzzNetrc(f *testing.F) {
	f.Add("machine a login b password \"c \\\" d\" # e\nmacdef x\nls\n\ndefault password f")
	f.Add("machine a\r\n\tpassword c\\")
	f.Add("\ufeff#")
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := secret.ParseNetrc(text)
		if err != nil {
			if len(err.Error()) > 200 {
				t.Errorf("the error may quote the file: %v", err)
			}
			return
		}
		// The entries can be written and parsed again.
		var b strings.Builder
		value := func(keyword, s string) {
			b.WriteString(keyword + ` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `" `)
		}
		for _, m := range entries {
			if strings.ContainsAny(m.Name+m.Login+m.Password, "\r\n") {
				t.Fatalf("a value holds a line end: %+v", m)
			}
			if m.Name == "" {
				b.WriteString("default ")
			} else {
				value("machine", m.Name)
			}
			value("login", m.Login)
			if m.HasPassword {
				value("password", m.Password)
			}
			b.WriteByte('\n')
		}
		again, err := secret.ParseNetrc(b.String())
		if err != nil || len(again) != len(entries) {
			t.Fatalf("%q: %+v, %v", b.String(), again, err)
		}
		for i := range entries {
			if again[i] != entries[i] {
				t.Fatalf("%+v became %+v", entries[i], again[i])
			}
		}
	})
}
