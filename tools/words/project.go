package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The kinds of text.
const (
	comments  = "comments"
	documents = "documents"
	sentences = "sentences"
)

// project is everything that was read.
type project struct {
	texts     map[string][]passage // by kind of text
	functions []string             // names of functions and methods, without tests
	types     map[string][]string  // the packages that declare a type of that name
}

// passage is a comment, a document or a sentence.
type passage struct{ place, text string }

func measure(root string) (*project, error) {
	p := &project{texts: map[string][]passage{}, types: map[string][]string{}}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if name != root && (strings.HasPrefix(base, ".") || base == "testdata" || base == "node_modules" || base == "dist") {
				return filepath.SkipDir
			}
			return nil
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		switch {
		case strings.HasSuffix(base, ".go"):
			return p.readGo(name, relative)
		case strings.HasSuffix(base, ".md") && !strings.HasSuffix(base, ".zh-CN.md"):
			return p.read(name, func(source string) { p.add(documents, relative, withoutCode(source)) })
		case strings.HasPrefix(relative, "diagnosis/") && strings.HasSuffix(base, ".yaml"):
			return p.read(name, func(source string) {
				for _, m := range inEnglish.FindAllStringSubmatch(source, -1) {
					p.add(sentences, relative, m[1])
				}
			})
		}
		return nil
	})
	return p, err
}

func (p *project) read(name string, use func(source string)) error {
	source, err := os.ReadFile(name)
	if err == nil {
		use(string(source))
	}
	return err
}

func (p *project) add(kind, place, text string) {
	p.texts[kind] = append(p.texts[kind], passage{place, text})
}

var (
	// elsewhere are other modules, of the developers, whose names are not measured.
	elsewhere = regexp.MustCompile(`^(?:bench|tools|interop/peers)/`)
	inEnglish = regexp.MustCompile(`\ben: "([^"]*)"`)
	fence     = regexp.MustCompile("(?s)```.*?```|~~~.*?~~~|<[^>]*>")
	span      = regexp.MustCompile("`[^`\n]*`")
	target    = regexp.MustCompile(`\]\([^)\s]*\)`)
)

// withoutCode removes code, HTML and link targets from Markdown. A heading, a row and a cell
// end a sentence.
func withoutCode(source string) string {
	source = span.ReplaceAllString(fence.ReplaceAllString(source, "\n\n"), "CODE")
	source = target.ReplaceAllString(source, "]")
	lines := strings.Split(source, "\n")
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "    "):
			lines[i] = ""
		case strings.HasPrefix(line, "#"):
			lines[i] = line + "?\n" // "What is read" is a question
		case strings.HasPrefix(line, "|"):
			lines[i] = strings.ReplaceAll(line, " | ", ". ") + "\n"
		}
	}
	return strings.NewReplacer("CODE", "", "**", "", "*", "").Replace(strings.Join(lines, "\n"))
}

func (p *project) readGo(name, relative string) error {
	source, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, relative, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if ast.IsGenerated(file) {
		return nil
	}
	for _, group := range file.Comments {
		p.add(comments, set.Position(group.Pos()).String(), commentText(group))
	}
	if strings.HasPrefix(filepath.Base(name), "zh") && file.Name.Name != "main" {
		ast.Inspect(file, func(n ast.Node) bool {
			pair, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			if key, ok := pair.Key.(*ast.BasicLit); ok && key.Kind == token.STRING {
				if english, err := strconv.Unquote(key.Value); err == nil {
					p.add(sentences, set.Position(key.Pos()).String(), english)
				}
			}
			return true
		})
	}
	if !strings.HasSuffix(name, "_test.go") && !elsewhere.MatchString(relative) {
		p.readNames(file, pathOf(relative))
	}
	return nil
}

func pathOf(relative string) string { return filepath.ToSlash(filepath.Dir(relative)) }

func (p *project) readNames(file *ast.File, pkg string) {
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			p.functions = append(p.functions, decl.Name.Name)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok && !t.Assign.IsValid() && !slices.Contains(p.types[t.Name.Name], pkg) {
					p.types[t.Name.Name] = append(p.types[t.Name.Name], pkg)
				}
			}
		}
	}
}

// commentText is the prose of a comment: without directives, indented code and the output
// of examples.
func commentText(group *ast.CommentGroup) string {
	var b strings.Builder
	for line := range strings.Lines(group.Text()) {
		switch trimmed := strings.TrimSpace(line); {
		case strings.HasPrefix(trimmed, "Output:") || strings.HasPrefix(trimmed, "Unordered output:"):
			return b.String()
		case strings.HasPrefix(line, "\t"):
			b.WriteString("\n")
		default:
			b.WriteString(line)
		}
	}
	return b.String()
}

// oneWord reports whether a name has a single word: "open", "Open", "URL", but not
// "openFile" or "OpenURL".
func oneWord(name string) bool {
	if strings.ContainsRune(name, '_') {
		return false
	}
	rest := strings.TrimLeftFunc(name, unicode.IsUpper)
	if rest != name && len(name)-len(rest) > 1 && rest != "" && rest != "s" {
		return false // an initialism and a word: URLPath
	}
	return !strings.ContainsFunc(rest, unicode.IsUpper)
}

// everywhere are the names of types that a package may have beside others.
var everywhere = []string{"Options", "Config", "Error", "Client", "Server"}

func (p *project) shares() (oneWordNames, sharedNames float64) {
	short := 0
	for _, name := range p.functions {
		if oneWord(name) {
			short++
		}
	}
	all, shared := 0, 0
	for name, packages := range p.types {
		if slices.Contains(everywhere, name) {
			continue
		}
		all += len(packages)
		if len(packages) > 1 {
			shared += len(packages)
		}
	}
	return percent(short, len(p.functions)), percent(shared, all)
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

// list prints every passage that counts, and the names of types that are shared.
func (p *project) list(out io.Writer) {
	for _, kind := range []string{comments, documents, sentences} {
		for _, passage := range p.texts[kind] {
			for _, paragraph := range strings.Split(passage.text, "\n\n") {
				c := countText(paragraph)
				if c.what+c.body+c.after+c.turns > 0 {
					fmt.Fprintf(out, "%s: %d what, %d nobody, %d behind, %d phrases: %s\n", passage.place, c.what, c.body, c.after, c.turns, strings.Join(strings.Fields(paragraph), " "))
				}
			}
		}
	}
	var names []string
	for name, packages := range p.types {
		if len(packages) > 1 && !slices.Contains(everywhere, name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(p.types[b]), len(p.types[a])), strings.Compare(a, b))
	})
	for _, name := range names {
		fmt.Fprintf(out, "type %s: %s\n", name, strings.Join(p.types[name], ", "))
	}
}
