package settingsimport

import (
	"strings"
)

// gitLine is a variable of git's configuration (git-config(1), "Syntax").
type gitLine struct {
	section, subsection string // section in lower case, subsection unchanged
	name                string // in lower case
	shown               string // as written in the file
	value               string
	// bare is true for a name without a value, which means true.
	bare bool
	line int
}

// gitLines parses a file. line is the line of a syntax error, or 0: git refuses the whole file
// then.
func gitLines(text string) (list []gitLine, line int) {
	g := &gitLexer{rest: text, line: 1}
	var section, subsection string
	for {
		g.skipBlank()
		switch c := g.peek(); {
		case c == 0:
			return list, 0
		case c == '[':
			var ok bool
			if section, subsection, ok = g.readHeader(); !ok {
				return list, g.line
			}
		default:
			v := gitLine{section: section, subsection: subsection, line: g.line}
			if section == "" || !g.readVariable(&v) {
				return list, g.line
			}
			list = append(list, v)
		}
	}
}

type gitLexer struct {
	rest string
	line int
}

// peek returns the next octet, 0 at the end.
func (g *gitLexer) peek() byte {
	if g.rest == "" {
		return 0
	}
	return g.rest[0]
}

func (g *gitLexer) skip() {
	if g.rest[0] == '\n' {
		g.line++
	}
	g.rest = g.rest[1:]
}

// skipBlank skips white space, empty lines and comments.
func (g *gitLexer) skipBlank() {
	for {
		switch c := g.peek(); c {
		case ' ', '\t', '\r', '\n':
			g.skip()
		case '#', ';':
			for g.peek() != 0 && g.peek() != '\n' {
				g.skip()
			}
		default:
			return
		}
	}
}

// readHeader parses [section], [section "subsection"] or the old [section.subsection].
func (g *gitLexer) readHeader() (section, subsection string, ok bool) {
	g.skip()
	i := 0
	for i < len(g.rest) && (isAlnum(g.rest[i]) || g.rest[i] == '-' || g.rest[i] == '.') {
		i++
	}
	section, g.rest = strings.ToLower(g.rest[:i]), g.rest[i:]
	section, subsection, _ = strings.Cut(section, ".")
	for g.peek() == ' ' || g.peek() == '\t' {
		g.skip()
	}
	if g.peek() == '"' {
		g.skip()
		var b strings.Builder
		for g.peek() != '"' {
			if g.peek() == '\\' {
				g.skip()
			}
			if g.peek() == 0 || g.peek() == '\n' {
				return "", "", false
			}
			b.WriteByte(g.peek())
			g.skip()
		}
		g.skip()
		subsection = b.String()
	}
	if g.peek() != ']' || section == "" {
		return "", "", false
	}
	g.skip()
	return section, subsection, true
}

func (g *gitLexer) readVariable(v *gitLine) bool {
	i := 0
	for i < len(g.rest) && (isAlnum(g.rest[i]) || g.rest[i] == '-') {
		i++
	}
	v.shown, g.rest = g.rest[:i], g.rest[i:]
	v.name = strings.ToLower(v.shown)
	for g.peek() == ' ' || g.peek() == '\t' || g.peek() == '\r' {
		g.skip()
	}
	switch g.peek() {
	case 0, '\n', '#', ';':
		v.bare, v.value = true, "true"
		return v.name != ""
	case '=':
		g.skip()
	default:
		return false
	}
	var ok bool
	v.value, ok = g.readValue()
	return ok && v.name != ""
}

// readValue reads up to the end of the line. It drops unquoted white space at both ends; a backslash at
// the end continues on the next line.
func (g *gitLexer) readValue() (string, bool) {
	var b strings.Builder
	keep := 0 // white space after this offset may be dropped
	quoted := false
	for {
		c := g.peek()
		switch {
		case c == 0 || c == '\n':
			return b.String()[:keep], !quoted
		case !quoted && (c == '#' || c == ';'):
			return b.String()[:keep], true // blank() skips the comment
		case c == '"':
			quoted = !quoted
			keep = b.Len()
			g.skip()
			continue
		case c == '\\':
			g.skip()
			e := g.peek()
			plain, known := map[byte]string{'n': "\n", 't': "\t", 'b': "\b", '"': `"`, '\\': `\`, '\n': ""}[e]
			if !known {
				return "", false
			}
			b.WriteString(plain)
			keep = b.Len()
			g.skip()
			continue
		case !quoted && b.Len() == 0 && (c == ' ' || c == '\t'):
			g.skip()
			continue
		}
		b.WriteByte(c)
		g.skip()
		if quoted || c != ' ' && c != '\t' && c != '\r' {
			keep = b.Len()
		}
	}
}
