package yan_test

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoInternalTypeInThePublicFace finds exported names of the public packages whose type
// mentions a type of an internal package, which users can't look up or name. An alias for such a
// type counts as a name of the public package.
func TestNoInternalTypeInThePublicFace(t *testing.T) {
	t.Parallel()
	checker := &moduleTypes{t: t, fset: token.NewFileSet(), checked: map[string]*types.Package{}}
	public, names := 0, 0
	for pkg := range floors {
		if isInternal(pkg) || strings.HasPrefix(pkg, "cmd/") {
			continue
		}
		public++
		checked := checker.load(path.Join(module, pkg))
		for _, name := range checked.Scope().Names() {
			object := checked.Scope().Lookup(name)
			if !object.Exported() {
				continue
			}
			names++
			for _, found := range internalTypes(object) {
				t.Errorf("%s.%s mentions %s", path.Join(module, pkg), name, found)
			}
		}
	}
	if public < 10 || names < 300 {
		t.Errorf("found %d public packages and %d names; is the search broken?", public, names)
	}
}

func isInternal(pkg string) bool { return strings.Contains("/"+pkg+"/", "/internal/") }

// moduleTypes checks the types of the packages of this module, from their source and
// without the bodies of functions. Other packages are empty.
type moduleTypes struct {
	t       *testing.T
	fset    *token.FileSet
	checked map[string]*types.Package
}

// Import is types.Importer.
func (m *moduleTypes) Import(name string) (*types.Package, error) {
	if name == module || strings.HasPrefix(name, module+"/") {
		return m.load(name), nil
	}
	empty := types.NewPackage(name, path.Base(name))
	empty.MarkComplete()
	return empty, nil
}

func (m *moduleTypes) load(name string) *types.Package {
	m.t.Helper()
	if known := m.checked[name]; known != nil {
		return known
	}
	dir := filepath.FromSlash(strings.TrimPrefix(strings.TrimPrefix(name, module), "/"))
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		m.t.Fatal(err)
	}
	var parsed []*ast.File
	for _, file := range files {
		if ok, err := build.Default.MatchFile(filepath.Dir(file), filepath.Base(file)); err != nil || !ok || strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(m.fset, file, nil, parser.SkipObjectResolution)
		if err != nil {
			m.t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	config := types.Config{Importer: m, IgnoreFuncBodies: true, Error: func(error) {}} // types of other modules are missing
	m.checked[name], _ = config.Check(name, m.fset, parsed, nil)
	return m.checked[name]
}

// internalTypes returns the types of internal packages that the declaration of an
// exported name mentions.
func internalTypes(object types.Object) (found []string) {
	seen := map[types.Type]bool{}
	var walk func(types.Type)
	mention := func(name *types.TypeName) {
		if name.Pkg() != nil && isInternal(name.Pkg().Path()) && strings.HasPrefix(name.Pkg().Path(), module) {
			found = append(found, name.Pkg().Path()+"."+name.Name())
		}
	}
	walk = func(t types.Type) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		switch t := t.(type) {
		case *types.Alias:
			mention(t.Obj())
			for arg := range t.TypeArgs().Types() {
				walk(arg)
			}
		case *types.Named:
			mention(t.Obj())
			for arg := range t.TypeArgs().Types() {
				walk(arg)
			}
		case *types.Pointer:
			walk(t.Elem())
		case *types.Slice:
			walk(t.Elem())
		case *types.Array:
			walk(t.Elem())
		case *types.Chan:
			walk(t.Elem())
		case *types.Map:
			walk(t.Key())
			walk(t.Elem())
		case *types.Tuple:
			for v := range t.Variables() {
				walk(v.Type())
			}
		case *types.Signature:
			walk(t.Params())
			walk(t.Results())
		case *types.Struct:
			for field := range t.Fields() {
				if field.Exported() {
					walk(field.Type())
				}
			}
		case *types.Interface:
			for method := range t.ExplicitMethods() {
				walk(method.Type())
			}
			for embedded := range t.EmbeddedTypes() {
				walk(embedded)
			}
		}
	}
	name, ok := object.(*types.TypeName)
	if !ok {
		walk(object.Type())
		return found
	}
	if name.IsAlias() {
		return nil
	}
	walk(object.Type().Underlying())
	for method := range object.Type().(*types.Named).Methods() {
		if method.Exported() {
			walk(method.Type())
		}
	}
	return found
}
