package account

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A new key needs only its descriptor to be read, checked, suggested, written, changed, listed
// and shown.
func TestAddKey(t *testing.T) {
	t.Parallel()
	colour := textKey("colour", Label{"colour", "颜色"}, func(a *Account) *string { return &a.LocalName }).withCheck(func(a Account) error {
		if a.LocalName == "none" {
			return errors.New("no colour")
		}
		return nil
	})
	s := newSchema(append(slices.DeleteFunc(accountKeys(), func(k key) bool { return k.name == "local_name" }), colour))
	const source = "version = 1\n\n[defaults]\ncolour = \"red\"\n\n[account.a]\nfrom = \"a@qq.com\"\n\n[account.b]\nfrom = \"b@qq.com\"\ncolour = \"blue\"\n"
	f, err := s.parseStrict("config.toml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Setting{"a": {Text: "red", JSON: "red", Inherited: true}, "b": {Text: "blue", JSON: "blue"}} {
		a, _ := f.Account(name)
		want.Key, want.JSONName, want.Label = "colour", "colour", Label{"colour", "颜色"}
		if list := f.Settings(a); list[len(list)-1] != want {
			t.Errorf("%s: %+v, want %+v", name, list[len(list)-1], want)
		}
	}
	if !slices.Contains(s.accountKeys(), "colour") {
		t.Error("the new key is not listed")
	}
	var wrong *ParseError
	if _, err := s.parseStrict("config.toml", []byte("[account.a]\nfrom = \"a@qq.com\"\ncolor = \"red\"\n")); !errors.As(err, &wrong) || wrong.Near != "colour" {
		t.Errorf("a slip: %v", err)
	}
	if _, err := s.parseStrict("config.toml", []byte("[account.a]\nfrom = \"a@qq.com\"\ncolour = 1\n")); !errors.As(err, &wrong) || wrong.Line != 3 || !strings.Contains(err.Error(), "want a text") {
		t.Errorf("a number: %v", err)
	}
	if err := f.Set("a", "colour", "none"); !errors.As(err, &wrong) || wrong.Key != "account.a.colour" {
		t.Errorf("a value that the check refuses: %v", err)
	}
	if err := f.Set("a", "colour", "green"); err != nil || !strings.Contains(string(f.Bytes()), "[account.a]\nfrom = \"a@qq.com\"\ncolour = \"green\"\n") {
		t.Errorf("set: %v\n%s", err, f.Bytes())
	}
	c := f.New("c")
	c.From, c.LocalName = "c@qq.com", "black"
	if err := f.Put(c); err != nil || !strings.HasSuffix(string(f.Bytes()), "[account.c]\nfrom = \"c@qq.com\"\ncolour = \"black\"\n") {
		t.Errorf("put: %v\n%s", err, f.Bytes())
	}
	if err := f.Unset("b", "colour"); err != nil || strings.Contains(string(f.Bytes()), "blue") {
		t.Errorf("unset: %v\n%s", err, f.Bytes())
	}
}

// The name of an account's key is written in the table of keys and in at most one other file,
// which gives it special treatment.
func TestKeysAreListedOnce(t *testing.T) {
	t.Parallel()
	files := map[string][]string{} // by literal
	for _, dir := range []string{".", "../internal/cli", "../internal/accountroute", "../internal/settingsimport"} {
		err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || file == "keytable.go" {
				return err
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			found := map[string]bool{}
			ast.Inspect(parsed, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				for _, word := range strings.FieldsFunc(literal.Value, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz_0123456789", r) }) {
					if quoted := strconv.Quote(word); literal.Value == quoted || strings.Contains(literal.Value, ":"+quoted) || strings.Contains(literal.Value, ":\""+word+",") {
						found[word] = true
					}
				}
				return true
			})
			for word := range found {
				files[word] = append(files[word], filepath.ToSlash(file))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	more := map[string]int{"save_sent": 2, "signature_file": 2, "tls_cert": 3} // msmtp uses them, too
	counted := 0
	for _, k := range accountKeys() {
		if !strings.Contains(k.name, "_") || k.name == "in_doubt" { // words with other uses, too
			continue
		}
		counted++
		if len(files[k.name]) > max(1, more[k.name]) {
			t.Errorf("%s stands in %d files besides the table of keys: %v", k.name, len(files[k.name]), files[k.name])
		}
	}
	if counted < 15 || len(files["tls_cert"]) == 0 {
		t.Errorf("counted %d keys; is the search broken? %v", counted, files["tls_cert"])
	}
}
