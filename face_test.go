package yan_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/yanmail/yan"
)

// fieldList finds the fields that the comment of an alias lists: "…: From, To, Cc."
var fieldList = regexp.MustCompile(`: ([A-Z]\w*(?:, [A-Z]\w*)*)\.`)

// The comment of each alias names the type, so that `go doc` leads to it, and the listed fields
// exist.
func TestAliasesLeadToTheirFields(t *testing.T) {
	t.Parallel()
	structs := map[string]reflect.Type{
		"Message": reflect.TypeFor[yan.Message](), "Attachment": reflect.TypeFor[yan.Attachment](), "Alternative": reflect.TypeFor[yan.Alternative](),
		"Header": reflect.TypeFor[yan.Header](), "Options": reflect.TypeFor[yan.Options](), "Transaction": reflect.TypeFor[yan.Transaction](),
		"TransportResult": reflect.TypeFor[yan.TransportResult](), "Outcome": reflect.TypeFor[yan.Outcome](), "Window": reflect.TypeFor[yan.Window](), "Reply": reflect.TypeFor[yan.Reply](),
	}
	file, err := parser.ParseFile(token.NewFileSet(), "yan.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	aliases := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || !spec.Assign.IsValid() {
			return true
		}
		aliases++
		target := spec.Type.(*ast.SelectorExpr)
		name := target.X.(*ast.Ident).Name + "." + target.Sel.Name
		comment := strings.Join(strings.Fields(spec.Doc.Text()), " ")
		if !strings.Contains(comment, "["+name+"]") {
			t.Errorf("the comment of %s does not name [%s]", spec.Name, name)
		}
		of, isStruct := structs[spec.Name.Name]
		if !isStruct {
			return true
		}
		listed := fieldList.FindStringSubmatch(comment)
		if listed == nil {
			t.Errorf("the comment of %s lists no fields: %s", spec.Name, comment)
			return true
		}
		for field := range strings.SplitSeq(listed[1], ", ") {
			if _, ok := of.FieldByName(field); !ok {
				t.Errorf("%s has no field %s", spec.Name, field)
			}
		}
		return true
	})
	if aliases < 15 {
		t.Errorf("only %d aliases", aliases)
	}
}

// flag is an option of the command, which programs do not have.
var flag = regexp.MustCompile(`(^|[^-\w])--[a-z]`)

// Errors of the library name no flag of the command: the test checks every string in a call that
// creates an error.
func TestErrorsOfTheLibraryNameNoFlags(t *testing.T) {
	t.Parallel()
	read := 0
	for _, path := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "internal/cli/") || strings.HasPrefix(path, "cmd/") || strings.Contains(path, "/generate/") {
			continue
		}
		source, err := os.ReadFile(filepath.FromSlash(path))
		if err != nil {
			t.Fatal(err)
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !makesError(call.Fun) {
				return true
			}
			for _, argument := range call.Args {
				ast.Inspect(argument, func(n ast.Node) bool {
					if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
						if read++; flag.MatchString(text.Value) {
							t.Errorf("%s: %s", fset.Position(text.Pos()), text.Value)
						}
					}
					return true
				})
			}
			return true
		})
	}
	if read < 500 {
		t.Errorf("only %d strings were read", read)
	}
}

// makesError reports whether a function creates an error from a text.
func makesError(f ast.Expr) bool {
	selector, ok := f.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	of, ok := selector.X.(*ast.Ident)
	if !ok {
		return false
	}
	switch of.Name + "." + selector.Sel.Name {
	case "errors.New", "fmt.Errorf", "sentence.New", "sentence.Errorf", "localerr.New", "localerr.Errorf":
		return true
	}
	return false
}
