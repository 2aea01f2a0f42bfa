package yan_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strings"
	"testing"
)

// The code of the program never lowers the cost of the encrypted file: it only passes on a given
// WorkFactor, and sets none itself. Packages internal/secret, account and internal/cli test that
// the default is the full cost.
func TestWorkFactorIsNotLowered(t *testing.T) {
	t.Parallel()
	passed := 0
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		check := func(target, value ast.Expr) {
			if !isWorkFactor(target) {
				return
			}
			passed++
			if _, ok := value.(*ast.SelectorExpr); !ok || !isWorkFactor(value) || isTestConstant(value) {
				t.Errorf("%s sets WorkFactor to something else than a WorkFactor", file)
			}
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				check(n.Key, n.Value)
			case *ast.AssignStmt:
				for i, target := range n.Lhs {
					check(target, n.Rhs[min(i, len(n.Rhs)-1)])
				}
			case *ast.UnaryExpr:
				if n.Op == token.AND && isWorkFactor(n.X) {
					t.Errorf("%s takes the address of WorkFactor", file)
				}
			}
			return true
		})
		for _, imported := range parsed.Imports {
			if folder := path.Dir(file); strings.Contains(imported.Path.Value, "secrettest") && !strings.HasSuffix(folder, "test") {
				t.Errorf("%s imports a package for tests", file)
			}
		}
	}
	if passed == 0 {
		t.Error("nothing passes on a WorkFactor: this test looks for the wrong name")
	}
}

func isWorkFactor(x ast.Expr) bool { return strings.EqualFold(nameOf(x), "WorkFactor") }

func nameOf(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}

// isTestConstant recognises secrettest.WorkFactor.
func isTestConstant(x ast.Expr) bool {
	s, ok := x.(*ast.SelectorExpr)
	return ok && nameOf(s.X) == "secrettest"
}
