package yan_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/yanmail/yan"

// floors lists every package of the module: a package imports only packages on a lower floor.
// ARCHITECTURE.md and its Chinese twin give the purpose of each. Tests may import packages of
// higher floors.
var floors = map[string]int{
	"internal/localerr":           -1, // below all others, whose errors it creates
	"internal/text/excerpt":       -1,
	"smtp":                        0,
	"sasl":                        0,
	"dkim":                        0,
	"internal/text/spelling":      0,
	"internal/files/filelock":     0,
	"internal/files/homedir":      0,
	"internal/testing/ptytest":    0,
	"internal/files/atomicfile":   0,
	"internal/cli/notices":        0,
	"internal/telemetry/redact":   0,
	"internal/text/charset":       0,
	"internal/clienthello":        0,
	"internal/telemetry":          5,
	"internal/testing/dnstest":    0,
	"internal/testing/oauthtest":  0,
	"internal/testing/imaptest":   0,
	"internal/mailfiles/mbox":     0,
	"internal/markahead":          0,
	"internal/intake/peeruser":    0,
	"internal/testing/pgtest":     0,
	"message":                     1,
	"internal/intake/spool":       1,
	"internal/intake/localnames":  1,
	"internal/intake/selfca":      1,
	"smtpclient":                  1,
	"provider":                    1,
	"queue":                       1,
	"internal/replytable":         1,
	"internal/sending/sendlog":    1,
	"internal/i18n":               1,
	"internal/secret":             1,
	"internal/testing/secrettest": 2,
	"internal/prompt":             1,
	"diagnosis":                   2,
	"internal/mailfiles":          2,
	"internal/intake/repair":      2,
	"internal/oauth":              2,
	"internal/discover":           2,
	"internal/imapclient":         2,
	"internal/outbox":             2,
	"internal/outbox/group":       0,
	"internal/bounce":             3,
	"internal/outbox/sqlite":      3,
	"internal/outbox/postgres":    3,
	"internal/testing/outboxtest": 4,
	"transport":                   3,
	"internal/credentials":        3,
	"internal/delivery":           4,
	"internal/outbox/stores":      4,
	"internal/submission":         4,
	"":                            4, // yan.go, the main package
	"internal/sandbox":            4,
	"sandboxtest":                 5,
	"account":                     5,
	"internal/intake/admission":   5,
	"internal/intake/tokens":      5,
	"internal/doctor":             5,
	"internal/sending":            5,
	"internal/testing/faultproxy": 5,
	"internal/testing/durability": 6,
	"internal/settingsimport":     6,
	"internal/intake/dropfolder":  6,
	"internal/intake/enquiry":     6,
	"internal/intake/smtpserver":  6,
	"internal/accountroute":       6,
	"outbox":                      7,
	"internal/telemetry/metrics":  6,
	"internal/daemon":             7,
	"internal/intake":             8,
	"internal/cli/console":        8,
	"internal/cli/jsonout":        8,
	"internal/cli/clitest":        9,
	"internal/cli/command":        9,
	"internal/cli/times":          10,
	"internal/cli/verdict":        10,
	"internal/cli/serverflag":     11,
	"internal/cli/accounts":       12,
	"internal/cli/outboxes":       13,
	"internal/cli/accountcmd":     14,
	"internal/cli/doctorcmd":      14,
	"internal/cli/explaincmd":     14,
	"internal/cli/logincmd":       14,
	"internal/cli/providerscmd":   14,
	"internal/cli/queuecmd":       14,
	"internal/cli/sandboxcmd":     14,
	"internal/cli/sendcmd":        14,
	"internal/cli/sendmailcmd":    14,
	"internal/cli/servecmd":       14,
	"internal/cli/tokencmd":       14,
	"internal/cli":                15,
	"cmd/yan":                     16,
}

// tools are programs for developers: they may import everything, and no package may import them.
var tools = map[string]bool{
	"provider/generate":             true,
	"diagnosis/generate":            true,
	"internal/cli/notices/generate": true,
}

// The imports are read with go/parser and not with `go list`, because the test cache would return
// stale results.
func TestPackagesImportOnlyLowerFloors(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		pkg := strings.TrimPrefix(path.Dir(file), ".")
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(file), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		floor, known := floors[pkg]
		if !known && !tools[pkg] {
			t.Errorf("%s: package %q has no floor; give it one in floors_test.go", file, pkg)
			continue
		}
		seen[pkg] = true
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if imported != module && !strings.HasPrefix(imported, module+"/") {
				continue
			}
			target := strings.TrimPrefix(strings.TrimPrefix(imported, module), "/")
			if tools[target] {
				t.Errorf("%s imports the tool %s", file, target)
			}
			if !tools[pkg] && floors[target] >= floor {
				t.Errorf("%s: %q (floor %d) imports %q (floor %d)", file, pkg, floor, target, floors[target])
			}
		}
	}
	for pkg := range floors {
		if !seen[pkg] {
			t.Errorf("package %q has a floor but no code", pkg)
		}
	}
}

// TestFloorsAreDocumented compares the table of ARCHITECTURE.md and of its Chinese twin with
// floors: the same packages on the same floors, from the lowest up.
func TestFloorsAreDocumented(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ARCHITECTURE.md", "ARCHITECTURE.zh-CN.md"} {
		d := parseDocument(t, name)
		documented, last := map[string]int{}, -1
		for _, row := range d.tables[0][2:] {
			columns := cells(row)
			floor, err := strconv.Atoi(strings.ReplaceAll(columns[0], "−", "-"))
			if err != nil || len(columns) != 3 {
				t.Errorf("%s: %s is not a floor, packages and their purpose", name, row)
				continue
			}
			if floor < last {
				t.Errorf("%s: floor %d is below floor %d: %s", name, floor, last, row)
			}
			last = floor
			for _, pkg := range codeSpans(columns[1]) {
				if pkg == path.Base(module) {
					pkg = ""
				}
				documented[pkg] = floor
			}
		}
		for pkg, floor := range floors {
			if got, ok := documented[pkg]; !ok {
				t.Errorf("%s: the table lacks package %q, on floor %d", name, pkg, floor)
			} else if got != floor {
				t.Errorf("%s: package %q is on floor %d in the table, not %d", name, pkg, got, floor)
			}
		}
		for pkg := range documented {
			if _, ok := floors[pkg]; !ok {
				t.Errorf("%s: package %q is in the table, but has no floor", name, pkg)
			}
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for tool := range tools {
			if !strings.Contains(string(text), "`"+tool+"`") {
				t.Errorf("%s does not name the tool %s", name, tool)
			}
		}
	}
}

// TestPathsInTheArchitecture checks that the files in the table "Where to look" exist.
func TestPathsInTheArchitecture(t *testing.T) {
	t.Parallel()
	isPath := regexp.MustCompile(`^[a-z][A-Za-z0-9_*./-]*$`)
	for _, name := range []string{"ARCHITECTURE.md", "ARCHITECTURE.zh-CN.md"} {
		tables := parseDocument(t, name).tables
		checked := 0
		for _, row := range tables[len(tables)-1] {
			for _, span := range codeSpans(cells(row)[1]) {
				if !isPath.MatchString(span) || !strings.Contains(span, "/") {
					continue
				}
				checked++
				if found, err := filepath.Glob(filepath.FromSlash(span)); err != nil || len(found) == 0 {
					t.Errorf("%s: %s does not exist", name, span)
				}
			}
		}
		if checked < 40 {
			t.Errorf("%s: only %d paths were checked", name, checked)
		}
	}
}

// TestCommandPackages keeps the packages of the command separate: each exports only New and
// imports no other one, only internal/cli imports it, and none has more than 3,000 lines.
func TestCommandPackages(t *testing.T) {
	const cli = "internal/cli"
	lines := map[string]int{}
	for _, file := range goFiles(t) {
		pkg := path.Dir(file)
		if strings.HasSuffix(file, "_test.go") || pkg != cli && !strings.HasPrefix(pkg, cli+"/") {
			continue
		}
		source, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			t.Fatal(err)
		}
		lines[pkg] += strings.Count(string(source), "\n")
		parsed, err := parser.ParseFile(token.NewFileSet(), file, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(imported, module+"/"+cli+"/") && strings.HasSuffix(imported, "cmd") && pkg != cli {
				t.Errorf("%s imports %s, which %s alone may", file, imported, cli)
			}
		}
		if !strings.HasSuffix(pkg, "cmd") {
			continue
		}
		for name := range exportedNames(parsed) {
			if name != "New" {
				t.Errorf("%s exports %s", file, name)
			}
		}
	}
	if len(lines) < 15 {
		t.Errorf("only %d packages of the command were found", len(lines))
	}
	for pkg, n := range lines {
		if n > 3000 {
			t.Errorf("%s has %d lines", pkg, n)
		}
	}
}

// mostMethods is the maximum number of methods of a type in the command and in internal/sending:
// a larger type is a package without internal boundaries.
const mostMethods = 40

// TestReceivers counts the methods of each type in internal/cli, its packages, and
// internal/sending.
func TestReceivers(t *testing.T) {
	t.Parallel()
	methods := map[string]int{}
	for _, file := range goFiles(t) {
		pkg := path.Dir(file)
		if strings.HasSuffix(file, "_test.go") || pkg != "internal/sending" && pkg != "internal/cli" && !strings.HasPrefix(pkg, "internal/cli/") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil {
				methods[pkg+"."+receiverName(f.Recv.List[0].Type)]++
			}
		}
	}
	if methods["internal/sending.Run"] == 0 {
		t.Error("no method of sending.Run was found")
	}
	for name, n := range methods {
		if n > mostMethods {
			t.Errorf("%s has %d methods, more than %d: split it", name, n, mostMethods)
		}
	}
}

// receiverName returns the name of a receiver's type, without * and type parameters.
func receiverName(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return receiverName(expr.X)
	case *ast.IndexExpr:
		return receiverName(expr.X)
	case *ast.IndexListExpr:
		return receiverName(expr.X)
	case *ast.Ident:
		return expr.Name
	}
	return ""
}

// exportedNames returns the exported names of a file, without methods.
func exportedNames(file *ast.File) map[string]bool {
	names := map[string]bool{}
	add := func(id *ast.Ident) {
		if id.IsExported() {
			names[id.Name] = true
		}
	}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil {
				add(decl.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(spec.Name)
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						add(id)
					}
				}
			}
		}
	}
	return names
}

// goFiles lists the module's Go files, slash-separated; folders with their own go.mod (bench) and
// testdata are excluded.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." {
			_, statErr := os.Stat(filepath.Join(name, "go.mod"))
			if statErr == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
		}
		if strings.HasSuffix(name, ".go") {
			files = append(files, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go files found")
	}
	return files
}
