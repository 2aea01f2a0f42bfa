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

	"github.com/yanmail/yan/internal/i18n"
)

// TestEverySentenceIsTranslated collects the sentences of this package, and the translatable errors
// of other packages, from the source and compares them with the Chinese table: none is missing,
// none is unused, and both take the same arguments.
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
	table := i18n.Translations(i18n.Chinese)
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

// sentences returns the literal first arguments of T and of functions that pass their argument to
// T.
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
			} else if filepath.ToSlash(file) != "command/failure.go" { // Usagef and similar functions pass their argument on there
				t.Errorf("%s: the sentence is not a literal", fset.Position(call.Pos()))
			}
			return true
		})
	}
	return found
}

// errorSentences returns the literal first arguments of localerr.New and localerr.Errorf in the
// whole module.
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
			if pkg, ok := sel.X.(*ast.Ident); !ok || pkg.Name != "localerr" {
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

// literal evaluates "a" + "b".
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

// verbs returns the verbs of a format in the order of their arguments, so that "%[2]s %[1]s" may
// replace "%s %s".
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
		list[at] = strings.Replace(m[2], "w", "v", 1) // only fmt.Errorf uses %w
	}
	return list
}
