package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/words"
)

// TestEverySentenceIsTranslated reads the sentences that this package says, and
// the errors of others that can be said in two languages, out of the source and
// holds them against the Chinese table: none may be missing, none left over, and
// both must take the same arguments.
func TestEverySentenceIsTranslated(t *testing.T) {
	t.Parallel()
	said := sentences(t)
	made := errorSentences(t)
	if len(made) < 50 {
		t.Fatalf("found only %d errors; is the search broken?", len(made))
	}
	maps.Copy(said, made)
	if len(said) < 50 {
		t.Fatalf("found only %d sentences; is the search broken?", len(said))
	}
	table := words.Translations(words.Chinese)
	for s, where := range said {
		translated, ok := table[s]
		if !ok {
			t.Errorf("%s: not translated: %q", where, s)
			continue
		}
		if got, want := verbs(translated), verbs(s); !slices.Equal(got, want) {
			t.Errorf("%s: %q takes %v, its translation %v", where, s, want, got)
		}
	}
	for s := range table {
		if _, ok := said[s]; !ok {
			t.Errorf("translated, but said nowhere: %q", s)
		}
	}
}

// sentences finds the literal first arguments of T and of what hands its arguments on to T.
func sentences(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := filepath.Glob("*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, rooms...)
	found := map[string]string{}
	fset := token.NewFileSet()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(fset, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"T", "Usagef", "Wrongf", "Dataf", "Configf"}, sel.Sel.Name) {
				return true
			}
			s, ok := literal(call.Args[0])
			if ok {
				found[s] = fset.Position(call.Pos()).String()
			} else if filepath.ToSlash(file) != "command/usage.go" { // where Usagef and its kin hand their argument on
				t.Errorf("%s: the sentence is not a literal", fset.Position(call.Pos()))
			}
			return true
		})
	}
	return found
}

// errorSentences finds the literal first arguments of sentence.New and
// sentence.Errorf in the whole module.
func errorSentences(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	fset := token.NewFileSet()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		parsed, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "New" && sel.Sel.Name != "Errorf" {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); !ok || pkg.Name != "sentence" {
				return true
			}
			s, ok := literal(call.Args[0])
			if !ok {
				t.Errorf("%s: the sentence is not a literal", fset.Position(call.Pos()))
			}
			found[s] = fset.Position(call.Pos()).String()
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// literal joins "a" + "b".
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.BinaryExpr:
		x, okX := literal(e.X)
		y, okY := literal(e.Y)
		return x + y, okX && okY && e.Op == token.ADD
	}
	return "", false
}

// verbs lists the verbs of a format in the order of their arguments, so that
// "%[2]s %[1]s" may stand for "%s %s".
func verbs(format string) []string {
	var list []string
	for i, m := range regexp.MustCompile(`%(?:\[(\d+)\])?([a-zA-Z])`).FindAllStringSubmatch(format, -1) {
		at := i
		if m[1] != "" {
			at, _ = strconv.Atoi(m[1])
			at--
		}
		for len(list) <= at {
			list = append(list, "")
		}
		list[at] = strings.Replace(m[2], "w", "v", 1) // %w is for fmt.Errorf alone
	}
	return list
}
