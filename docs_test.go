package yan_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// inEnglishOnly lists the documents without a Chinese twin, each with the reason.
// The decisions, for people who change Yan, have none either.
var inEnglishOnly = map[string]string{
	"bench/RESULTS.md": "the output of make bench; the README quotes it in both languages",
}

const (
	decisions = "docs/decisions/"
	// exceptions is the length of inEnglishOnly, so that a new exception needs two changes.
	exceptions = 1
)

// translated are words in code that differ between the languages; comments may always differ.
var translated = [][2]string{
	{"-s Report", "-s 报告"}, {`"See below"`, `"见附件"`}, {"-s Disks", "-s 磁盘"}, {"-s News", "-s 新闻"}, {"-s Notes", "-s 笔记"},
	{"[account.NAME]", "[account.名称]"}, {`netrc = "FILE"`, `netrc = "文件"`}, {"sha256:HEX", "sha256:十六进制"},
	{"imaps://host", "imaps://主机"}, {"imap://host", "imap://主机"}, {"socks5://host:port", "socks5://主机:端口"}, {"http://host:port", "http://主机:端口"},
}

// TestEveryDocumentHasATwin compares the documents in English with those in Chinese:
// the same headings, tables, lists and code, each with a link to the other.
func TestEveryDocumentHasATwin(t *testing.T) {
	t.Parallel()
	files := documents(t)
	if len(inEnglishOnly) != exceptions {
		t.Errorf("%d documents are in English only, want %d", len(inEnglishOnly), exceptions)
	}
	for name := range inEnglishOnly {
		if !slices.Contains(files, name) {
			t.Errorf("%s does not exist; remove it from inEnglishOnly", name)
		}
	}
	compared, used := 0, map[string]bool{}
	for _, english := range files {
		if strings.HasPrefix(english, decisions) || inEnglishOnly[english] != "" {
			continue
		}
		if source, ok := strings.CutSuffix(english, ".zh-CN.md"); ok {
			if !slices.Contains(files, source+".md") {
				t.Errorf("%s has no English original", english)
			}
			continue
		}
		chinese := twin(english)
		if !slices.Contains(files, chinese) {
			t.Errorf("%s has no Chinese twin %s", english, chinese)
			continue
		}
		compared++
		en, zh := parseDocument(t, english), parseDocument(t, chinese)
		compareDocuments(t, en, zh, used)
		for _, d := range []document{en, zh} {
			other := map[bool]string{true: chinese, false: english}[d.name == english]
			if !slices.ContainsFunc(d.links, func(l link) bool { return l.line <= 8 && path.Join(path.Dir(d.name), l.target) == other }) {
				t.Errorf("%s does not link to %s in its first lines", d.name, other)
			}
		}
	}
	if compared < 9 {
		t.Errorf("only %d documents were compared", compared)
	}
	for _, pair := range translated {
		if !used[pair[0]] {
			t.Errorf("%q is translated nowhere; remove it from the list", pair[0])
		}
	}
}

func compareDocuments(t *testing.T, en, zh document, used map[string]bool) {
	t.Helper()
	if !slices.Equal(en.headings, zh.headings) {
		t.Errorf("%s has headings of other levels than %s: %v, %v", zh.name, en.name, zh.headings, en.headings)
	}
	if en.items != zh.items {
		t.Errorf("%s has %d list items, %s has %d", zh.name, zh.items, en.name, en.items)
	}
	if len(en.tables) != len(zh.tables) {
		t.Errorf("%s has %d tables, %s has %d", zh.name, len(zh.tables), en.name, len(en.tables))
	} else {
		for i := range en.tables {
			compareTables(t, en, zh, i, used)
		}
	}
	if len(en.blocks) != len(zh.blocks) {
		t.Errorf("%s has %d blocks of code, %s has %d", zh.name, len(zh.blocks), en.name, len(en.blocks))
		return
	}
	for i, b := range en.blocks {
		want, got := b.skeleton(), zh.blocks[i].skeleton()
		if b.language != zh.blocks[i].language || len(want) != len(got) {
			t.Errorf("%s, block %d (line %d) has another language or length than in %s (line %d):\n%s\n%s",
				zh.name, i+1, zh.blocks[i].line, en.name, b.line, strings.Join(got, "\n"), strings.Join(want, "\n"))
			continue
		}
		for n := range want {
			if !sameCode(want[n], got[n], used) {
				t.Errorf("%s, block %d (line %d) has\n%s\n%s has\n%s", zh.name, i+1, zh.blocks[i].line, got[n], en.name, want[n])
			}
		}
	}
}

// compareTables compares the number of rows and columns, and the code in each row, in any order.
func compareTables(t *testing.T, en, zh document, i int, used map[string]bool) {
	t.Helper()
	if len(en.tables[i]) != len(zh.tables[i]) {
		t.Errorf("%s, table %d has %d lines, in %s it has %d", zh.name, i+1, len(zh.tables[i]), en.name, len(en.tables[i]))
		return
	}
	for n, row := range en.tables[i] {
		other := zh.tables[i][n]
		if len(cells(row)) != len(cells(other)) {
			t.Errorf("%s, table %d has a row with %d columns, in %s with %d: %s", zh.name, i+1, len(cells(other)), en.name, len(cells(row)), other)
			continue
		}
		if want, got := codeSpans(row), codeSpans(other); !slices.EqualFunc(want, got, func(a, b string) bool { return a == b || sameCode(a, b, used) }) {
			t.Errorf("%s, table %d has %q, %s has %q", zh.name, i+1, got, en.name, want)
		}
	}
}

func sameCode(english, chinese string, used map[string]bool) bool {
	for _, pair := range translated {
		if strings.Contains(english, pair[0]) && strings.Contains(chinese, pair[1]) {
			used[pair[0]] = true
			english = strings.ReplaceAll(english, pair[0], pair[1])
		}
	}
	return english == chinese
}

// TestLinksInTheDocuments follows every relative link. A Chinese document links to
// Chinese documents and pictures where they exist, an English one to English ones.
func TestLinksInTheDocuments(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, name := range documents(t) {
		d := parseDocument(t, name)
		inChinese := strings.HasSuffix(name, ".zh-CN.md")
		for _, l := range d.links {
			target, anchor, _ := strings.Cut(l.target, "#")
			if strings.Contains(target, ":") {
				continue // a link to another site
			}
			checked++
			full := path.Join(path.Dir(name), target)
			if target == "" {
				full = name
			}
			if _, err := os.Stat(filepath.FromSlash(full)); err != nil {
				t.Errorf("%s:%d: %s does not exist", name, l.line, l.target)
				continue
			}
			if anchor != "" && !slices.Contains(parseDocument(t, full).anchors, anchor) {
				t.Errorf("%s:%d: %s has no heading for #%s", name, l.line, full, anchor)
			}
			if full == name || full == twin(name) || inChinese && name == twin(full) {
				continue
			}
			if _, err := os.Stat(filepath.FromSlash(twin(full))); inChinese && err == nil && path.Ext(full) != "" {
				t.Errorf("%s:%d: links to %s instead of %s", name, l.line, full, twin(full))
			}
			if !inChinese && strings.Contains(path.Base(full), ".zh-CN.") {
				t.Errorf("%s:%d: links to the Chinese %s", name, l.line, full)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d links were checked", checked)
	}
}

// twin returns the name of the Chinese form of a file.
func twin(name string) string {
	return strings.TrimSuffix(name, path.Ext(name)) + ".zh-CN" + path.Ext(name)
}

// documents lists the Markdown files of the project, slash-separated.
func documents(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (d.Name() == "testdata" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".md") {
			files = append(files, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// document is the structure of a Markdown file.
type document struct {
	name     string
	headings []int // the levels of the headings
	anchors  []string
	items    int // items of lists
	tables   [][]string
	blocks   []codeBlock
	links    []link
}

type link struct {
	line   int
	target string
}

type codeBlock struct {
	line     int
	language string // "indented" without a fence
	lines    []string
}

var (
	headingLine = regexp.MustCompile(`^(#+) (.*)$`)
	itemLine    = regexp.MustCompile(`^\s*(?:[-*]|[0-9]+\.) `)
	linkTarget  = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"`)
	codeSpan    = regexp.MustCompile("`([^`]+)`")
	comment     = regexp.MustCompile(`(^|\s)(#|//)\s.*$`)
	// diagramPart matches the parts of a diagram that both languages share: lines, arrows, names.
	diagramPart = regexp.MustCompile(`─+|[│┌┐└┘▼►◄→]|internal/[a-z]+|[A-Za-z]+(?:\.[A-Za-z]+)+|\b[A-Z]{3,}\b|yan [a-z]+`)
	longLine    = regexp.MustCompile(`─+`)
)

func parseDocument(t *testing.T, name string) document {
	t.Helper()
	b, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	d := document{name: name}
	fenced, before := false, ""
	for i, line := range strings.Split(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n") {
		last := len(d.blocks) - 1
		switch fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```"); {
		case isFence && fenced:
			fenced = false
		case isFence:
			fenced = true
			d.blocks = append(d.blocks, codeBlock{line: i + 1, language: fence})
		case fenced:
			d.blocks[last].lines = append(d.blocks[last].lines, line)
		case strings.HasPrefix(line, "    ") && before == "":
			d.blocks = append(d.blocks, codeBlock{line: i + 1, language: "indented", lines: []string{line}})
		case strings.HasPrefix(line, "    ") && strings.HasPrefix(before, "    "):
			d.blocks[last].lines = append(d.blocks[last].lines, line)
		case strings.HasPrefix(line, "|"):
			if !strings.HasPrefix(before, "|") {
				d.tables = append(d.tables, nil)
			}
			d.tables[len(d.tables)-1] = append(d.tables[len(d.tables)-1], line)
		case headingLine.MatchString(line):
			m := headingLine.FindStringSubmatch(line)
			d.headings = append(d.headings, len(m[1]))
			d.anchors = append(d.anchors, anchorOf(m[2]))
		case itemLine.MatchString(line):
			d.items++
		}
		if !fenced {
			for _, m := range linkTarget.FindAllStringSubmatch(line, -1) {
				d.links = append(d.links, link{i + 1, m[1] + m[2]})
			}
		}
		before = line
	}
	return d
}

// anchorOf returns the fragment that GitHub gives a heading.
func anchorOf(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// skeleton returns the parts of a block that both languages share: the commands of a
// terminal without their output, the lines and names of a diagram, other code without
// comments.
func (b codeBlock) skeleton() []string {
	isPrompt := func(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "$ ") }
	atPrompt := slices.ContainsFunc(b.lines, isPrompt)
	var list []string
	for _, line := range b.lines {
		switch {
		case atPrompt && !isPrompt(line):
		case b.language == "text":
			line = strings.Join(diagramPart.FindAllString(line, -1), " ")
			list = append(list, longLine.ReplaceAllString(line, "─"))
		default:
			list = append(list, strings.TrimRight(comment.ReplaceAllString(line, ""), " "))
		}
	}
	return list
}

// cells returns the cells of a table's row.
func cells(row string) []string {
	return strings.Split(strings.Trim(row, "| "), " | ")
}

// codeSpans returns the code spans of a row, sorted and without duplicates; a document counts as
// its English form.
func codeSpans(row string) []string {
	var list []string
	for _, m := range codeSpan.FindAllStringSubmatch(row, -1) {
		list = append(list, strings.ReplaceAll(m[1], ".zh-CN.md", ".md"))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TestDecisions checks that every decision has one page, a status and four sections, and compares
// the index with them.
func TestDecisions(t *testing.T) {
	t.Parallel()
	const longest = 60
	sections := []string{"## Wrong before", "## Decided", "## Passed over", "## Measured"}
	title := regexp.MustCompile(`^# ([0-9]+)\. (.+)$`)
	status := regexp.MustCompile(`^Status: (accepted[.;]|proposed[.;]|superseded by \[[0-9]+\]\()`)
	index, err := os.ReadFile(filepath.FromSlash(decisions + "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]string{}
	for _, name := range documents(t) {
		if !strings.HasPrefix(name, decisions) || name == decisions+"README.md" {
			continue
		}
		b, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimRight(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n"), "\n")
		if len(lines) > longest {
			t.Errorf("%s has %d lines, want at most %d", name, len(lines), longest)
		}
		m := title.FindStringSubmatch(lines[0])
		if m == nil || !strings.HasPrefix(path.Base(name), strings.Repeat("0", 4-min(4, len(m[1])))+m[1]+"-") {
			t.Errorf("%s: %q is not the title with its number", name, lines[0])
			continue
		}
		if other := titles[m[2]]; other != "" {
			t.Errorf("%s and %s have the same title", name, other)
		}
		titles[m[2]] = name
		if len(lines) < 3 || !status.MatchString(lines[2]) {
			t.Errorf("%s: the third line is not its status", name)
		}
		var found []string
		for _, line := range lines {
			if strings.HasPrefix(line, "## ") {
				found = append(found, line)
			}
		}
		if !slices.Equal(found, sections) {
			t.Errorf("%s has the sections %q, want %q", name, found, sections)
		}
		if row := "| " + m[1] + " | [" + m[2] + "](" + path.Base(name) + ") |"; !strings.Contains(string(index), row) {
			t.Errorf("the index lacks %q", row)
		}
	}
	if n := len(regexp.MustCompile(`(?m)^\| [0-9]+ \| \[`).FindAllString(string(index), -1)); n != len(titles) || n < 30 {
		t.Errorf("the index has %d decisions, the folder %d", n, len(titles))
	}
}
