package account

import (
	"bytes"
	"slices"

	"github.com/pelletier/go-toml/v2/unstable"
)

// layout is where each expression of a TOML document stands, so that a change
// of one leaves the others, the comments and the order what they are.
type layout struct {
	source      []byte
	expressions []expression
	comments    []span // comments that have lines of their own
}

// span is a range of octets.
type span struct{ start, end int }

// expression is a header ("[account.qq]") or a key with its value.
type expression struct {
	path   []string // from the root
	header bool
	// line is the range of its lines, with the line end of the last.
	line span
	// value is that of the value; empty for a header.
	value span
}

// layOut reads a document that is known to be valid.
func layOut(source []byte) layout {
	l := layout{source: source}
	p := unstable.Parser{KeepComments: true}
	p.Reset(source)
	var table []string
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind == unstable.Comment {
			r := p.Range(e.Data)
			l.comments = append(l.comments, l.linesOf(int(r.Offset), int(r.Offset+r.Length)))
			continue
		}
		path, first, last := keyOf(e)
		if e.Kind != unstable.KeyValue {
			table = path
			l.expressions = append(l.expressions, expression{path: path, header: true, line: l.linesOf(first, last)})
			continue
		}
		end := int(e.Raw.Offset + e.Raw.Length)
		equals := last + bytes.IndexByte(source[last:], '=') + 1
		start := equals + len(source[equals:end]) - len(bytes.TrimLeft(source[equals:end], " \t"))
		l.expressions = append(l.expressions, expression{
			path: append(slices.Clone(table), path...), line: l.linesOf(first, end), value: span{start, end}})
	}
	return l
}

// keyOf is the dotted key of an expression, and the range of its parts.
func keyOf(e *unstable.Node) (path []string, first, last int) {
	first = -1
	for it := e.Key(); it.Next(); {
		n := it.Node()
		path = append(path, string(n.Data))
		if first < 0 {
			first = int(n.Raw.Offset)
		}
		last = int(n.Raw.Offset + n.Raw.Length)
	}
	return path, first, last
}

// linesOf widens a range to whole lines.
func (l layout) linesOf(start, end int) span {
	s := bytes.LastIndexByte(l.source[:start], '\n') + 1
	if n := bytes.IndexByte(l.source[end:], '\n'); n >= 0 {
		return span{s, end + n + 1}
	}
	return span{s, len(l.source)}
}

// within reports whether a path is prefix or lies below it.
func within(path, prefix []string) bool {
	return len(path) >= len(prefix) && slices.Equal(path[:len(prefix)], prefix)
}

// has reports whether anything at or below a path is written as lines of its
// own, which is what can be edited.
func (l layout) has(prefix []string) bool {
	return slices.ContainsFunc(l.expressions, func(e expression) bool { return within(e.path, prefix) })
}

// without takes out everything at and below a path, with the comments directly
// above each line and those directly below the last.
func (l layout) without(prefix []string) []byte {
	drop := map[int]bool{} // by the start of a line or lines
	end := -1              // of the last line that goes
	for _, e := range l.expressions {
		if !within(e.path, prefix) {
			continue
		}
		drop[e.line.start] = true
		for at := e.line.start; ; {
			above, ok := l.commentThatEnds(at)
			if !ok {
				break
			}
			drop[above.start], at = true, above.start
		}
		end = e.line.end
	}
	for {
		below, ok := l.commentThatStarts(end)
		if !ok || l.belongsBelow(below) {
			break
		}
		drop[below.start], end = true, below.end
	}
	var out []byte
	blank := true // nothing or a blank line stands before: no other one is needed
	for _, line := range l.lines() {
		text := l.source[line.start:line.end]
		isBlank := len(bytes.TrimSpace(text)) == 0
		if drop[line.start] || isBlank && blank && len(drop) > 0 {
			continue
		}
		out, blank = append(out, text...), isBlank
	}
	return out
}

// lines are the lines of the document; those of one expression are together.
func (l layout) lines() []span {
	var all []span
	for at := 0; at < len(l.source); {
		s := l.linesOf(at, at)
		for _, e := range l.expressions {
			if e.line.start == at {
				s = e.line
			}
		}
		all, at = append(all, s), s.end
	}
	return all
}

func (l layout) commentThatEnds(at int) (span, bool) {
	for _, c := range l.comments {
		if c.end == at {
			return c, true
		}
	}
	return span{}, false
}

func (l layout) commentThatStarts(at int) (span, bool) {
	for _, c := range l.comments {
		if c.start == at {
			return c, true
		}
	}
	return span{}, false
}

// belongsBelow reports whether a comment, or those right below it, stand
// directly above an expression.
func (l layout) belongsBelow(c span) bool {
	for {
		if slices.ContainsFunc(l.expressions, func(e expression) bool { return e.line.start == c.end }) {
			return true
		}
		next, ok := l.commentThatStarts(c.end)
		if !ok {
			return false
		}
		c = next
	}
}

// with sets one key of a table to a value, where it stands or behind the last
// key of the table, which is made at the end if there is none.
func (l layout) with(table []string, key, value string) []byte {
	path := append(slices.Clone(table), key)
	for _, e := range l.expressions {
		if !e.header && slices.Equal(e.path, path) {
			return l.splice(e.value, value)
		}
	}
	at, dotted := l.endOf(table)
	switch {
	case at >= 0:
		line := key + " = " + value + "\n"
		if dotted {
			line = dottedKey(path) + " = " + value + "\n"
		}
		return l.splice(span{at, at}, l.newlineBefore(at)+line)
	case len(table) == 0: // the root: before everything else but its first comments
		at = l.startOfRoot()
		return l.splice(span{at, at}, key+" = "+value+"\n")
	}
	at = len(l.source)
	gap := ""
	if at > 0 {
		gap = l.newlineBefore(at) + "\n"
	}
	return l.splice(span{at, at}, gap+"["+dottedKey(table)+"]\n"+key+" = "+value+"\n")
}

func (l layout) newlineBefore(at int) string {
	if at > 0 && l.source[at-1] != '\n' {
		return "\n"
	}
	return ""
}

func (l layout) splice(s span, text string) []byte {
	return slices.Concat(l.source[:s.start], []byte(text), l.source[s.end:])
}

// endOf is where a further key of a table goes: behind its header or its last
// key; -1 where there is no such table. dotted says that its keys are written
// with the table's name, because no header stands before them.
func (l layout) endOf(table []string) (at int, dotted bool) {
	at = -1
	open := len(table) == 0
	for _, e := range l.expressions {
		if e.header {
			open = slices.Equal(e.path, table)
			if open {
				at, dotted = e.line.end, false
			}
			continue
		}
		if !within(e.path, table) {
			continue
		}
		if open {
			at = e.line.end
		} else if at < 0 && len(table) > 0 {
			at, dotted = e.line.end, true
		}
	}
	return at, dotted
}

// startOfRoot is behind the comments at the head of the file that a blank line
// ends.
func (l layout) startOfRoot() int {
	if len(l.expressions) == 0 {
		return len(l.source)
	}
	at := l.expressions[0].line.start
	for {
		above, ok := l.commentThatEnds(at)
		if !ok {
			return at
		}
		at = above.start
	}
}
