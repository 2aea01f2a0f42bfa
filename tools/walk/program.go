package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// program is the program with a call at the start of each function.
type program struct {
	dir   string // for the program and its files
	known []entry
}

// entry is a function that was entered.
type entry struct{ file, function string }

// recorder is the package that the program calls. It writes the number of each function to the file
// that WALK names.
const recorder = `package walk

import (
	"os"
	"strconv"
)

var to, _ = os.OpenFile(os.Getenv("WALK"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)

func Enter(n int) { _, _ = to.WriteString(strconv.Itoa(n) + "\n") }
`

// recorderPath is the import path of the recorder, a package that exists only in the overlay.
const recorderPath = "github.com/yanmail/yan/internal/walk"

// build builds the program. The tree stays as it is: the changed sources are an overlay.
func (p *program) build(root string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	replace := map[string]string{}
	add := func(file, source string) error {
		changed := filepath.Join(p.dir, strconv.Itoa(len(replace))+".go")
		replace[file] = changed
		return os.WriteFile(changed, []byte(source), 0o600)
	}
	if err := add(filepath.Join(root, "internal", "walk", "walk.go"), recorder); err != nil {
		return err
	}
	for _, top := range []string{"cli", "sending"} {
		err := filepath.WalkDir(filepath.Join(root, "internal", top), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
				return err
			}
			name, err := filepath.Rel(filepath.Join(root, "internal"), file)
			if err != nil {
				return err
			}
			source, err := p.instrument(file, filepath.ToSlash(name))
			if err != nil {
				return err
			}
			return add(file, source)
		})
		if err != nil {
			return err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	file := filepath.Join(p.dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-overlay", file, "-o", p.path(), "./cmd/yan")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	return cmd.Run()
}

// instrument returns the source of a file with a call at the start of each function.
func (p *program) instrument(file, name string) (string, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	type insertion struct {
		at   int
		text string
	}
	var list []insertion
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		list = append(list, insertion{set.Position(f.Body.Lbrace).Offset + 1, fmt.Sprintf("walkrecorder.Enter(%d);", len(p.known))})
		p.known = append(p.known, entry{name, functionName(f)})
	}
	if len(list) == 0 {
		return string(source), nil
	}
	list = append(list, insertion{set.Position(tree.Name.End()).Offset, fmt.Sprintf("; import walkrecorder %q", recorderPath)})
	slices.SortFunc(list, func(a, b insertion) int { return b.at - a.at }) // the last first: the others stay where they are
	text := string(source)
	for _, i := range list {
		text = text[:i.at] + i.text + text[i.at:]
	}
	return text, nil
}

func (p *program) path() string { return filepath.Join(p.dir, "yan") }

// command returns a run of the program with its own folder and configuration.
func (p *program) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.path(), args...)
	cmd.Stderr = os.Stderr
	cmd.Env = []string{"HOME=" + p.dir, "XDG_RUNTIME_DIR=" + p.dir, "YAN_CONFIG=" + filepath.Join(p.dir, "config.toml"), "LC_ALL=C.UTF-8", "WALK=" + os.DevNull}
	return cmd
}

// entries runs a command and returns the functions that it enters, in order.
func (p *program) entries(args ...string) ([]entry, error) {
	file := filepath.Join(p.dir, args[0]+".walk")
	cmd := p.command(args...)
	cmd.Env = append(cmd.Env, "WALK="+file)
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("yan %s: %w", args[0], err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []entry
	for line := range strings.Lines(string(text)) {
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			return nil, err
		}
		list = append(list, p.known[n])
	}
	return list, nil
}

// functionName returns the name of a function, with the type of its receiver.
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name + "." + f.Name.Name
	}
	return f.Name.Name
}
