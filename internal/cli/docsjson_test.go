package cli

import (
	"encoding"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/sending/sendlog"
	"github.com/yanmail/yan/provider"
)

// jsonDocuments are the documents of the JSON output, with their words for types.
var jsonDocuments = map[string]map[string]string{
	"json.md":       {"string": "string", "number": "number", "boolean": "boolean", "object": "object", "list of ": "list of ", "s": "s", ", always": ", always"},
	"json.zh-CN.md": {"string": "字符串", "number": "数字", "boolean": "布尔值", "object": "对象", "list of ": "", "s": "列表", ", always": "，必有"},
}

// jsonSections returns the type of each section of these documents.
func jsonSections() map[string]any {
	return map[string]any{
		"yan send --json": jsonout.SendReport{}, "yan send --json: sent_copy": jsonout.SentCopy{}, "yan send --skip-bad --json: bad": jsonout.Bad{},
		"yan send --dry-run --json": jsonout.DryRun{}, "yan send --log FILE": sendlog.Line{}, "yan send --queue --json": jsonout.Enqueued{},
		"yan queue --json": jsonout.QueueEntry{}, "yan queue watch --json": jsonout.QueueEvent{}, "yan queue run --json": jsonout.QueueDrained{},
		"yan queue cancel --json": jsonout.QueueChanged{}, "yan queue resume --json": jsonout.Resumed{}, "yan queue stats --json": jsonout.QueueStats{},
		"yan queue adopt --json": jsonout.QueueAdopted{}, "yan queue prune --json": jsonout.QueuePruned{}, "yan sendmail -bp --json": jsonout.MailqEntry{},
		"yan sandbox --json: ready": jsonout.Ready{}, "yan sandbox --json: message": jsonout.Received{},
		"yan explain --json": jsonout.Explained{}, "yan doctor --json": jsonout.Doctor{}, "yan login --json": jsonout.AccountAdded{},
		"yan account show --json": jsonout.AccountSettings{}, "yan account test --json": jsonout.AccountTest{}, "yan account import --json": jsonout.Import{},
		"yan config show --json": jsonout.ConfigShown{}, "yan config check --json": jsonout.Check{},
		"yan token new --json": jsonout.TokenCreated{}, "yan token list --json": jsonout.TokenRules{}, "yan token remove --json": jsonout.TokenRemoved{},
		"yan version --json": jsonout.Version{}, "yan providers --json": provider.Provider{},
	}
}

// TestJSONIsDocumented compares docs/json.md and its Chinese version with the types: each output
// has a section, and each field a row with its type and whether it is always present.
func TestJSONIsDocumented(t *testing.T) {
	t.Parallel()
	for name, words := range jsonDocuments {
		documented := jsonRows(t, name)
		sections := jsonSections()
		for title, v := range sections {
			var want []jsonField
			for _, field := range jsonFields("", reflect.TypeOf(v), 0) {
				// All limits have the same form.
				field.name = sameForm.ReplaceAllString(field.name, "limits.*.$1")
				if !slices.ContainsFunc(want, func(f jsonField) bool { return f.name == field.name }) {
					want = append(want, field)
				}
			}
			got := documented[title]
			if len(got) == 0 {
				t.Errorf("%s has no section %q", name, title)
			}
			for _, field := range want {
				i := slices.IndexFunc(got, func(row [2]string) bool { return row[0] == field.name })
				if i < 0 {
					t.Errorf("%s, %q: the field %s is missing", name, title, field.name)
					continue
				}
				is, isTrue := got[i][1], field.in(words, "`true`")
				if is != field.in(words, "") && (field.kind != "boolean" || is != isTrue) {
					t.Errorf("%s, %q: the type of %s is %q, want %q", name, title, field.name, is, field.in(words, ""))
				}
			}
			for _, row := range got {
				if !slices.ContainsFunc(want, func(f jsonField) bool { return f.name == row[0] }) {
					t.Errorf("%s, %q: there is no field %s", name, title, row[0])
				}
			}
		}
		for title := range documented {
			if _, ok := sections[title]; !ok {
				t.Errorf("%s: no output of this test has the section %q", name, title)
			}
		}
	}
}

// jsonRows returns the fields of a document with their types, by section.
func jsonRows(t *testing.T, name string) map[string][][2]string {
	t.Helper()
	documented := map[string][][2]string{}
	row := regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]*) \\|")
	for title, text := range jsonText(t, name) {
		for line := range strings.Lines(text) {
			if m := row.FindStringSubmatch(line); m != nil {
				documented[title] = append(documented[title], [2]string{m[1], m[2]})
			}
		}
	}
	return documented
}

// jsonText returns the text of a document by section. The text before the first section has the key
// "".
func jsonText(t *testing.T, name string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	text, section := map[string]string{}, ""
	for line := range strings.Lines(string(b)) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.Trim(strings.TrimSpace(title), "`")
		}
		text[section] += line
	}
	return text
}

// Every type of JSON output belongs to a documented section.
func TestEveryJSONTypeIsDocumented(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, v := range jsonSections() {
		jsonTypes(reflect.TypeOf(v), seen)
	}
	declared := 0
	for _, file := range goFilesOf(t, "jsonout") {
		for _, decl := range file.Decls {
			general, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range general.Specs {
				named, ok := spec.(*ast.TypeSpec)
				if !ok || !named.Name.IsExported() {
					continue
				}
				declared++
				if !seen[named.Name.Name] {
					t.Errorf("%s is in no section of docs/json.md", named.Name.Name)
				}
			}
		}
	}
	if declared < 20 {
		t.Errorf("only %d types were found", declared)
	}
}

func jsonTypes(typ reflect.Type, seen map[string]bool) {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		jsonTypes(typ.Elem(), seen)
	case reflect.Struct:
		if !seen[typ.Name()] {
			seen[typ.Name()] = true
			for i := range typ.NumField() {
				jsonTypes(typ.Field(i).Type, seen)
			}
		}
	default:
	}
}

// TestWordsInJSONAreDocumented checks that each fixed word is listed in the section that prints it.
func TestWordsInJSONAreDocumented(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ dir, typ, section string }{
		{"smtp", "Stage", ""}, {"diagnosis", "Scope", "yan send --json"}, {"diagnosis", "Permanence", "yan send --json"},
		{"diagnosis", "RetryKind", "yan send --json"}, {"diagnosis", "Basis", "yan send --json"},
		{"queue", "State", "yan queue --json"}, {"queue", "EventKind", "yan queue --json"},
		{"queue", "EventKind", "yan queue watch --json"},
		{"internal/doctor", "Name", "yan doctor --json"}, {"internal/doctor", "StepStatus", "yan doctor --json"},
		{"account", "Fault", "yan config check --json"}, {"internal/secret", "Location", "yan login --json"},
		{"internal/cli/accountcmd", "secretPresence", "yan account show --json"},
		{"internal/settingsimport", "Reason", "yan account import --json"}, {"internal/settingsimport", "Program", "yan account import --json"},
		{"provider", "Status", "yan providers --json"}, {"provider", "Kind", "yan providers --json"}, {"provider", "TLSMode", "yan providers --json"},
	} {
		words := constants(t, c.dir, c.typ)
		if len(words) < 2 {
			t.Errorf("only %d words of %s.%s were found", len(words), c.dir, c.typ)
		}
		for name := range jsonDocuments {
			text := jsonText(t, name)[c.section]
			for _, word := range words {
				if !strings.Contains(text, "`"+word+"`") {
					t.Errorf("%s, %q: %q of %s.%s is missing", name, c.section, word, c.dir, c.typ)
				}
			}
		}
	}
}

// constants returns the non-empty values of a type of words.
func constants(t *testing.T, dir, typ string) []string {
	t.Helper()
	var list []string
	for _, file := range goFilesOf(t, filepath.Join("..", "..", filepath.FromSlash(dir))) {
		for _, decl := range file.Decls {
			general, ok := decl.(*ast.GenDecl)
			if !ok || general.Tok != token.CONST {
				continue
			}
			for _, spec := range general.Specs {
				value := spec.(*ast.ValueSpec)
				if ident, ok := value.Type.(*ast.Ident); !ok || ident.Name != typ || len(value.Values) != 1 {
					continue
				}
				literal, ok := value.Values[0].(*ast.BasicLit)
				if !ok {
					continue
				}
				if word, err := strconv.Unquote(literal.Value); err == nil && word != "" {
					list = append(list, word)
				}
			}
		}
	}
	return list
}

// goFilesOf parses the Go files of a package, except tests.
func goFilesOf(t *testing.T, dir string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

var sameForm = regexp.MustCompile(`^limits\.[a-z_]+\.(value|unit|status|note)$`)

// jsonField is a field of the JSON output.
type jsonField struct {
	name   string // for example "smtp.ports[].port"
	kind   string // "string", "number", "boolean" or "object"
	list   bool
	always bool
}

// in returns the type in the words of a document. kind replaces the field's own type.
func (f jsonField) in(words map[string]string, kind string) string {
	text := words[f.kind]
	if kind != "" {
		text = kind
	}
	if f.list {
		text = words["list of "] + text + words["s"]
	}
	if f.always {
		text += words[", always"]
	}
	return text
}

// jsonFields returns the fields of a type in JSON.
func jsonFields(prefix string, typ reflect.Type, depth int) []jsonField {
	switch typ.Kind() {
	case reflect.Pointer:
		return jsonFields(prefix, typ.Elem(), depth)
	case reflect.Slice:
		return jsonFields(prefix+"[]", typ.Elem(), depth)
	case reflect.Map:
		return jsonFields(prefix+".*", typ.Elem(), depth)
	case reflect.Struct:
	default:
		return nil
	}
	if depth > 8 || typ == reflect.TypeFor[time.Time]() {
		return nil
	}
	var list []jsonField
	if typ == reflect.TypeFor[jsonout.AccountSettings]() {
		list = keyFields()
	}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if f.Anonymous && name == "" {
			list = append(list, jsonFields(prefix, f.Type, depth+1)...)
			continue
		}
		field := jsonField{name: strings.TrimPrefix(prefix+"."+name, "."), always: options == ""}
		field.kind, field.list = jsonKind(f.Type)
		list = append(append(list, field), jsonFields(field.name, f.Type, depth+1)...)
	}
	return list
}

// keyFields returns the fields of an account from its table of keys.
func keyFields() []jsonField {
	var list []jsonField
	for _, s := range new(account.File).Settings(account.Account{}) {
		if s.JSON == nil || s.Key == "server" || s.Key == "user" {
			continue // fields of jsonout.AccountSettings
		}
		field := jsonField{name: s.JSONName, always: s.Always}
		field.kind, field.list = jsonKind(reflect.TypeOf(s.JSON))
		list = append(append(list, field), jsonFields(s.JSONName, reflect.TypeOf(s.JSON), 1)...)
	}
	return list
}

// jsonKind returns the JSON type of a Go type.
func jsonKind(typ reflect.Type) (kind string, list bool) {
	if typ.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		return "string", false
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return jsonKind(typ.Elem())
	case reflect.String:
		return "string", false
	case reflect.Bool:
		return "boolean", false
	case reflect.Map, reflect.Struct, reflect.Interface:
		return "object", false
	case reflect.Slice, reflect.Array:
		if typ.Elem().Kind() == reflect.Uint8 { // base64
			return "string", false
		}
		kind, _ = jsonKind(typ.Elem())
		return kind, true
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "number", false
	default:
		panic(fmt.Sprintf("%v has no form in JSON that is documented", typ))
	}
}
