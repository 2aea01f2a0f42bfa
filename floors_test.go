package yan_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/yanmail/yan"

// floors is the house: a package imports only packages on a lower floor.
// Every package of the module stands here; ARCHITECTURE.md says what each is
// for. Tests may reach upwards, the code may not.
var floors = map[string]int{
	"internal/sentence":          -1, // below all others, whose errors it makes
	"smtp":                       0,
	"sasl":                       0,
	"dkim":                       0,
	"internal/spelling":          0,
	"internal/filelock":          0,
	"internal/ptytest":           0,
	"internal/wholefile":         0,
	"internal/notices":           0,
	"internal/scrub":             0,
	"internal/charset":           0,
	"internal/span":              5,
	"internal/dnstest":           0,
	"internal/oauthtest":         0,
	"internal/imaptest":          0,
	"internal/mbox":              0,
	"internal/pgtest":            0,
	"message":                    1,
	"smtpclient":                 1,
	"provider":                   1,
	"internal/sendlog":           1,
	"internal/words":             1,
	"internal/secret":            1,
	"internal/secret/secrettest": 2,
	"internal/ask":               1,
	"diagnosis":                  2,
	"internal/mailfiles":         2,
	"internal/oauth":             2,
	"internal/discover":          2,
	"internal/imapclient":        2,
	"internal/outbox":            2,
	"internal/outbox/group":      0,
	"internal/bounce":            3,
	"internal/outbox/sqlite":     3,
	"internal/outbox/postgres":   3,
	"internal/outbox/outboxtest": 4,
	"transport":                  3,
	"internal/delivery":          4,
	"internal/outbox/stores":     4,
	"internal/submission":        4,
	"":                           4, // yan.go, the front door
	"internal/sandbox":           4,
	"sandboxtest":                5,
	"account":                    5,
	"internal/doctor":            5,
	"internal/torture":           5,
	"internal/outbox/survival":   6,
	"internal/foreign":           6,
	"internal/route":             6,
	"outbox":                     7,
	"internal/daemon/metrics":    6,
	"internal/daemon":            7,
	"internal/cli":               8,
	"cmd/yan":                    9,
}

// tools are programs of the developers: they may import anything and nothing
// may import them.
var tools = map[string]bool{
	"provider/generate":         true,
	"diagnosis/generate":        true,
	"internal/notices/generate": true,
}

// The imports are read with go/parser rather than with `go list`, whose
// answer the test cache would serve stale.
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

// goFiles lists the module's Go files, slash-separated; folders with a go.mod
// of their own (bench) and those of testdata are not part of it.
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
