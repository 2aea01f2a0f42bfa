package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A start is short: yan version makes one command, so it runs code of few files and
// translates few sentences. Both are counted in a build with coverage counters.
func TestStartRunsLittle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program, counters, profile := filepath.Join(dir, "yan"), filepath.Join(dir, "counters"), filepath.Join(dir, "profile")
	if err := os.Mkdir(counters, 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, nil, "go", "build", "-cover", "-covermode=count", "-coverpkg=github.com/yanmail/yan/...", "-o", program, ".")
	if out := run(t, []string{"GOCOVERDIR=" + counters}, program, "version"); !strings.HasPrefix(out, "yan ") {
		t.Fatalf("yan version prints %q", out)
	}
	run(t, nil, "go", "tool", "covdata", "textfmt", "-i", counters, "-o", profile)
	files, translated := map[string]bool{}, 0
	translation := translationLine(t)
	text, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		// file.go:line.column,line.column statements count
		fields := strings.Fields(line)
		file, place, found := strings.Cut(fields[0], ":")
		if !found || len(fields) != 3 || fields[2] == "0" {
			continue
		}
		files[file] = true
		if strings.HasSuffix(file, words) && strings.HasPrefix(place, translation+".") {
			translated, _ = strconv.Atoi(fields[2])
		}
	}
	var names []string
	for file := range files {
		names = append(names, file)
	}
	slices.Sort(names)
	if len(files) > 20 || len(files) < 5 {
		t.Errorf("code of %d files runs:\n%s", len(files), strings.Join(names, "\n"))
	}
	if translated > 40 || translated < 5 {
		t.Errorf("%d sentences are translated", translated)
	}
	t.Logf("%d files, %d sentences", len(files), translated)
}

const words = "internal/i18n/words.go"

// translationLine returns the line where Words.T begins.
func translationLine(t *testing.T) string {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, filepath.Join("..", "..", filepath.FromSlash(words)), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "T" {
			return strconv.Itoa(set.Position(f.Body.Lbrace).Line)
		}
	}
	t.Fatal("no function T")
	return ""
}

func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &stdout, &stderr, append(os.Environ(), env...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, stderr.String())
	}
	return stdout.String()
}
