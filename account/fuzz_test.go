package account_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/yanmail/yan/account"
)

// forms returns documents of every style as seeds of the fuzzers.
func forms() []string {
	return []string{
		written,
		revised,
		"account = { a = { from = \"a@qq.com\", headers = { X-A = \"1\" } }, b.from = \"b@qq.com\" }",
		"account.a.from = \"a@qq.com\"\naccount.a.signature = '''\nx'''\naccount.a.oauth2.client_id = \"x\"\n",
		"\ufeff# head\r\n[account.a]\r\nfrom = \"a@qq.com\"\r\n\r\n\r\n# b\r\n[account.b]\r\nfrom = \"b@qq.com\"",
		"[account]\na.from = \"a@qq.com\"\nb = { from = \"b@qq.com\", oauth2 = {\n client_id = \"x\", # c\n tenant = \"y\" } }\n[defaults]\nsignature = \"y\"\nfallback = \"b\"",
		"default = \"b\"\n# a\n[account.a.headers]\nX-A = \"\" # 1\n# 2\n[account.a]\nfrom = \"a@qq.com\"\n# 3\n\n# 4\n[account.b]\n# 5\nfrom = \"b@qq.com\"\n# 6\n[defaults.headers]\nX-A = \"d\"",
		"",
	}
}

// FuzzEdit: in any valid file, a change either fails and leaves the file as it was, or makes
// exactly that change.
func FuzzEdit(f *testing.F) {
	for _, source := range forms() {
		for op := range byte(5) {
			f.Add(op, source, "a", "timeout", "5m")
			f.Add(op, source, "b", "headers.x-a", "\"")
			f.Add(op, source, "a", "oauth2.tenant", "\\")
			f.Add(op, source, "work", "secret.file", "x")
			f.Add(op, source, "qq", "signature_file", "x\n")
			f.Add(op, source, "c", "connections", "3\n[account.evil]\nfrom = \"e@qq.com\"")
		}
	}
	f.Fuzz(func(t *testing.T, op byte, source, name, key, value string) { tryEdit(t, op, source, name, key, value) })
}

// tryEdit makes a change and reports whether it succeeded.
func tryEdit(t *testing.T, op byte, source, name, key, value string) bool {
	file, err := account.Parse("f", []byte(source))
	if err != nil {
		return false
	}
	before := parse(t, source)
	put, _ := file.Account(name)
	switch op % 5 {
	case 0:
		if put.Name == "" {
			put = file.New(name)
			put.From = "new@qq.com"
		}
		put.Signature, put.SignatureFile = value, ""
		err = file.Put(put)
	case 1:
		err = file.Set(name, key, value)
	case 2:
		err = file.Unset(name, key)
	case 3:
		err = file.Remove(name)
	case 4:
		err = file.SetDefault(name)
	}
	if err != nil {
		if string(file.Bytes()) != source || !slices.EqualFunc(before.Accounts(), file.Accounts(), account.Account.Same) {
			t.Fatalf("%v, and yet it was made:\n%s", err, file.Bytes())
		}
		return false
	}
	e := edit{before: before, after: parse(t, string(file.Bytes())), name: name, key: key, value: value}
	if !slices.EqualFunc(e.after.Accounts(), file.Accounts(), account.Account.Same) {
		t.Fatalf("what is written is not what is in memory:\n%s", file.Bytes())
	}
	switch op % 5 {
	case 0:
		e.wasPut(t, put)
	case 1:
		e.wasSet(t)
	case 2:
		e.wasUnset(t)
	case 3:
		e.nothingElse(t, "account."+name, "default")
		if _, still := e.after.Account(name); still {
			t.Error("it is still there")
		}
	case 4:
		e.nothingElse(t, "default")
		if e.after.Default() != name {
			t.Errorf("the default is %q", e.after.Default())
		}
	}
	if t.Failed() {
		t.Logf("%s became\n%s", source, file.Bytes())
	}
	return true
}

// edit is a completed change of one key.
type edit struct {
	before, after    *account.File
	name, key, value string
}

func (e edit) wasPut(t *testing.T, want account.Account) {
	table := "account." + e.name
	if got, _ := e.after.Account(e.name); !got.Same(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, existed := e.before.Account(e.name); !existed {
		e.nothingElse(t, table, "version")
		return
	}
	e.nothingElse(t, table+".signature", table+".signature_file")
}

func (e edit) wasSet(t *testing.T) {
	path, table := e.path(), "account."+e.name
	before, after := leaves(t, e.before), leaves(t, e.after)
	got, ok := after[path]
	if !ok && !strings.HasPrefix(e.value, "{") && !strings.HasPrefix(strings.TrimSpace(e.value), "[") {
		t.Errorf("%s is not there: %v", path, after)
	}
	if _, isText := got.(string); isText && got != e.value {
		t.Errorf("%s is %q", path, got)
	}
	switch {
	case strings.HasPrefix(e.key, "secret"):
		e.nothingElse(t, table+".secret")
	case strings.HasPrefix(e.key, "signature"):
		e.nothingElse(t, table+".signature", table+".signature_file")
	default:
		e.nothingElse(t, path)
	}
	if len(after) > len(before)+1 && !strings.HasPrefix(strings.TrimSpace(e.value), "{") {
		t.Errorf("more than one key came: %v", after)
	}
}

func (e edit) wasUnset(t *testing.T) {
	path := e.path()
	for leaf := range leaves(t, e.after) {
		if leaf == path || strings.HasPrefix(leaf, path+".") {
			t.Errorf("%s is still there", leaf)
		}
	}
	// A table is removed with its last key, a secret as a whole.
	if table, _, found := strings.Cut(e.key, "."); found {
		table = "account." + e.name + "." + table
		if !slices.ContainsFunc(slices.Collect(maps.Keys(leaves(t, e.after))), func(leaf string) bool { return strings.HasPrefix(leaf, table+".") }) {
			path = table
		}
	}
	e.nothingElse(t, path)
}

// path returns the path of the key; header names are in lower case, as in leaves.
func (e edit) path() string {
	return strings.Replace("account."+e.name+"."+e.key, ".headers."+headerName(e.key), ".headers."+strings.ToLower(headerName(e.key)), 1)
}

func headerName(key string) string {
	name, _ := strings.CutPrefix(key, "headers.")
	return name
}

// nothingElse checks that values, comments and line ends outside the given paths did not change.
func (e edit) nothingElse(t *testing.T, changed ...string) {
	t.Helper()
	inside := func(path string) bool {
		return slices.ContainsFunc(changed, func(c string) bool { return path == c || strings.HasPrefix(path, c+".") })
	}
	before, after := leaves(t, e.before), leaves(t, e.after)
	for _, m := range []map[string]any{before, after} {
		maps.DeleteFunc(m, func(path string, _ any) bool { return inside(path) })
	}
	if !maps.EqualFunc(before, after, func(a, b any) bool { return fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b) }) {
		t.Errorf("beside %q, %v became %v", changed, before, after)
	}
	for _, a := range e.before.Accounts() {
		if b, _ := e.after.Account(a.Name); a.Name != e.name && !b.Same(a) {
			t.Errorf("account %s became %+v", a.Name, b)
		}
	}
	left := e.after.Comments()
	for i, c := range e.before.Comments() {
		if head := i == 0 && c.Before == nil; !head && (inside(strings.Join(c.Before, ".")) || inside(strings.Join(c.After, "."))) || isHeaders(c.Before) || isHeaders(c.After) {
			continue
		}
		at := slices.IndexFunc(left, func(l account.Comment) bool { return strings.TrimSpace(l.Text) == strings.TrimSpace(c.Text) })
		if at < 0 {
			t.Errorf("the comment %q is gone or elsewhere", c.Text)
			break
		}
		left = left[at+1:]
	}
	if b := e.before.Bytes(); bytes.Count(b, []byte("\n")) > 0 && bytes.Count(b, []byte("\n")) == bytes.Count(b, []byte("\r\n")) && !strings.Contains(e.value, "\n") {
		if a := e.after.Bytes(); bytes.Count(a, []byte("\n")) != bytes.Count(a, []byte("\r\n")) {
			t.Errorf("other line ends in %q", a)
		}
	}
	if bytes.HasPrefix(e.before.Bytes(), []byte("\ufeff")) != bytes.HasPrefix(e.after.Bytes(), []byte("\ufeff")) {
		t.Error("the byte order mark came or went")
	}
}

// isHeaders: header names have no case, so the exact path is unknown.
func isHeaders(path []string) bool { return slices.Contains(path, "headers") }

// leaves returns the values of a document by path.
func leaves(t *testing.T, f *account.File) map[string]any {
	t.Helper()
	var all map[string]any
	if err := toml.Unmarshal(bytes.TrimPrefix(f.Bytes(), []byte("\ufeff")), &all); err != nil {
		t.Fatal(err)
	}
	list := map[string]any{}
	var walk func(path string, table map[string]any)
	walk = func(path string, table map[string]any) {
		for key, value := range table {
			if strings.HasSuffix(path, ".headers.") {
				key = strings.ToLower(key)
			}
			if below, ok := value.(map[string]any); ok {
				walk(path+key+".", below)
			} else {
				list[path+key] = value
			}
		}
	}
	walk("", all)
	return list
}
