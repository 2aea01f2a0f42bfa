package secret_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/secret"
)

func TestTrim(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"geheim":             "geheim",
		" geheim\r\n":        "geheim",
		"\ufeffgeheim":       "geheim", // byte order mark
		"\u00a0geheim\u3000": "geheim", // no-break space, ideographic space
		"\u200b\u200e geheim \u2060\u200d\u202c\u00ad": "geheim",
		"two words":   "two words",
		"a\u200bb":    "a\u200bb", // inside the secret nothing is removed
		"密码":          "密码",
		" \n\ufeff\t": "",
	} {
		if got := secret.Trim(in); got != want {
			t.Errorf("Trim(%+q) = %+q, want %+q", in, got, want)
		}
	}
}

func TestFilesOfEditors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data    string
		want    string
		problem secret.Problem
	}{
		"plain":              {data: "geheim", want: "geheim"},
		"line":               {data: "geheim\n", want: "geheim"},
		"blank lines":        {data: "\r\ngeheim\r\n\r\n", want: "geheim"},
		"spaces inside":      {data: "abcd efgh ijkl\n", want: "abcd efgh ijkl"},
		"UTF-8 with mark":    {data: "\xef\xbb\xbfgeheim\r\n", want: "geheim"},
		"UTF-16LE":           {data: "\xff\xfe" + "g\x00e\x00\xc6\x5b\r\x00\n\x00", want: "ge密"},
		"UTF-16BE":           {data: "\xfe\xff" + "\x00g\x00e\x5b\xc6\x00\r\x00\n", want: "ge密"},
		"UTF-16 surrogates":  {data: "\xff\xfe\x3d\xd8\x00\xde", want: "😀"},
		"UTF-16 cut":         {data: "\xff\xfeg\x00e", want: "g"},
		"UTF-16 two lines":   {data: "\xff\xfea\x00\n\x00b\x00", problem: secret.SeveralLines},
		"UTF-16 without any": {data: "g\x00e\x00", problem: secret.Unreadable},
		"two lines":          {data: "geheim\nuser: me\n", problem: secret.SeveralLines},
		"old Mac":            {data: "geheim\ruser\r", problem: secret.SeveralLines},
		"empty":              {data: "", problem: secret.Empty},
		"blank":              {data: "\ufeff \r\n", problem: secret.Empty},
		"as long as may be":  {data: strings.Repeat("x", secret.MostOctets), want: strings.Repeat("x", secret.MostOctets)},
		"longer":             {data: strings.Repeat("x", secret.MostOctets+1), problem: secret.Unreadable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			path := filepath.Join(m.Home, "code.txt")
			write(t, path, c.data, 0o600)
			got, err := m.Get(t.Context(), secret.Source{Kind: secret.File, Value: "~/code.txt"}, password)
			if c.problem != "" {
				if e := isProblem(t, got, err, c.problem); e.Path != path || !strings.Contains(e.Error(), path) {
					t.Errorf("%v does not name the file", e)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("%.40q, %v; want %.40q", got, err, c.want)
			}
		})
	}
}

func TestVariablesAndCredentials(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		source  secret.Source
		want    string
		problem secret.Problem
		says    string
	}{
		"variable":           {source: secret.Source{Kind: secret.Env, Value: "CODE"}, want: "geheim"},
		"variable missing":   {source: secret.Source{Kind: secret.Env, Value: "NONE"}, problem: secret.NotFound, says: "variable NONE"},
		"variable blank":     {source: secret.Source{Kind: secret.Env, Value: "BLANK"}, problem: secret.Empty},
		"variable of lines":  {source: secret.Source{Kind: secret.Env, Value: "LINES"}, problem: secret.SeveralLines},
		"credential":         {source: secret.Source{Kind: secret.Credential, Value: "mail"}, want: "geheim"},
		"credential missing": {source: secret.Source{Kind: secret.Credential, Value: "none"}, problem: secret.NotFound, says: "credential none"},
		"credential above":   {source: secret.Source{Kind: secret.Credential, Value: "../mail"}, problem: secret.NotFound, says: "slashes"},
		"credential path":    {source: secret.Source{Kind: secret.Credential, Value: "/etc/passwd"}, problem: secret.NotFound, says: "slashes"},
		"credential dots":    {source: secret.Source{Kind: secret.Credential, Value: ".."}, problem: secret.NotFound, says: "slashes"},
		"credential folder":  {source: secret.Source{Kind: secret.Credential, Value: "folder"}, problem: secret.Unreadable, says: "folder"},
		"no such kind":       {source: secret.Source{Kind: "telepathy"}, problem: secret.NotFound, says: "telepathy"},
		"file without name":  {source: secret.Source{Kind: secret.File}, problem: secret.NotFound, says: "no file"},
		"file of a stranger": {source: secret.Source{Kind: secret.File, Value: "~stranger/code"}, problem: secret.NotFound, says: "~stranger"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.env = map[string]string{"CODE": "geheim\n", "BLANK": " \u200b", "LINES": "a\nb", "CREDENTIALS_DIRECTORY": m.Home}
			write(t, filepath.Join(m.Home, "mail"), "geheim\n", 0o444) // systemd sets the mode
			mkdir(t, filepath.Join(m.Home, "folder"))
			got, err := m.Get(t.Context(), c.source, password)
			if c.problem != "" {
				if e := isProblem(t, got, err, c.problem); !strings.Contains(e.Error(), c.says) || e.Source != c.source || e.Key != password {
					t.Errorf("%v (%+v), want %q in it", e, e.Source, c.says)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
	m := newMachine(t)
	got, err := m.Get(t.Context(), secret.Source{Kind: secret.Credential, Value: "mail"}, password)
	if e := isProblem(t, got, err, secret.NotFound); !strings.Contains(e.Error(), "CREDENTIALS_DIRECTORY is not set") {
		t.Error(e)
	}
}

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]*secret.Error{
		// Not the arguments: they may hold the secret.
		"command echo: failed: exit status 1":           {Problem: secret.CommandFailed, Source: secret.Source{Kind: secret.Command, Value: "echo hunter2"}, Err: errors.New("exit status 1")},
		"password of account qq: the keyring is locked": {Problem: secret.Locked, Key: password},
		"password of account qq: the keyring is locked: nobody unlocked it": {Problem: secret.Locked, Key: password,
			Err: fmt.Errorf("%w: nobody unlocked it", secret.ErrLocked)},
		"encrypted file /x/secrets.age: wrong passphrase": {Problem: secret.Passphrase, Key: password, Path: "/x/secrets.age"},
		"variable CODE: not found":                        {Problem: secret.NotFound, Source: secret.Source{Kind: secret.Env, Value: "CODE"}},
		"credential mail: nothing in it":                  {Problem: secret.Empty, Source: secret.Source{Kind: secret.Credential, Value: "mail"}},
		"netrc file /x: damaged: line 3: why":             {Problem: secret.Damaged, Source: secret.Source{Kind: secret.Netrc}, Path: "/x", Err: errors.New("line 3: why")},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got := fmt.Sprintf("%+v", e); got != want {
			t.Errorf("%%+v: %q, want %q", got, want)
		}
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
}
