package account

import (
	"bytes"
	"slices"

	"github.com/pelletier/go-toml/v2/unstable"
)

// tomlLayout holds the position of each expression of a TOML document, so that a change of one keeps
// the others, the comments and the order.
type tomlLayout struct {
	source      []byte
	expressions []expression
	comments    []span // comments on lines of their own
}

// span is a range of octets.
type span struct{ start, end int }

// expression is a header ("[account.qq]"), a key with its value, or a member of an inline table
// ("{ … }"), which follows the key of that table.
type expression struct {
	path   []string // from the root
	given  int      // number of parts of path that its header or inline table gives
	header bool
	owner  int // index of the inline table of a member; else -1
	// where is the range of its lines, with the last line end; for a member, key and value only.
	where span
	// value is the range of the value; empty for a header.
	value  span
	inline bool // the value is an inline table
}

// layOut reads a valid document.
func layOut(source []byte) tomlLayout {
	l := tomlLayout{source: source}
	p := unstable.Parser{KeepComments: true}
	p.Reset(source)
	var table []string
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Comment:
			r := p.Range(e.Data)
			l.comments = append(l.comments, l.linesOf(int(r.Offset), int(r.Offset+r.Length)))
		case unstable.KeyValue:
			l.addExpression(e, table, -1)
		default:
			path, first, last := keyOf(e)
			table = path
			l.expressions = append(l.expressions, expression{path: path, header: true, owner: -1, where: l.linesOf(first, last)})
		}
	}
	return l
}

// addExpression records a key, and the members of its inline table.
func (l *tomlLayout) addExpression(e *unstable.Node, table []string, owner int) {
	path, first, last := keyOf(e)
	end := int(e.Raw.Offset + e.Raw.Length)
	equals := last + bytes.IndexByte(l.source[last:], '=') + 1
	start := equals + len(l.source[equals:end]) - len(bytes.TrimLeft(l.source[equals:end], " \t"))
	x := expression{path: slices.Concat(table, path), given: len(table), owner: owner,
		where: span{first, end}, value: span{start, end}, inline: e.Value().Kind == unstable.InlineTable}
	if owner < 0 {
		x.where = l.linesOf(first, end)
	}
	l.expressions = append(l.expressions, x)
	if !x.inline {
		return
	}
	own := len(l.expressions) - 1
	for it := e.Value().Children(); it.Next(); {
		if it.Node().Kind == unstable.KeyValue { // not a comment
			l.addExpression(it.Node(), x.path, own)
		}
	}
}

// keyOf returns the dotted key of an expression, and the range of its parts.
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
func (l tomlLayout) linesOf(start, end int) span {
	s := bytes.LastIndexByte(l.source[:start], '\n') + 1
	if n := bytes.IndexByte(l.source[end:], '\n'); n >= 0 {
		return span{s, end + n + 1}
	}
	return span{s, len(l.source)}
}

// lineEnd returns the line end of the document's first line.
func (l tomlLayout) lineEnd() string {
	if n := bytes.IndexByte(l.source, '\n'); n > 0 && l.source[n-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// isWithin reports whether a path is prefix or lies below it.
func isWithin(path, prefix []string) bool {
	return len(path) >= len(prefix) && slices.Equal(path[:len(prefix)], prefix)
}

// hasPath reports whether the document has anything at or below a path.
func (l tomlLayout) hasPath(prefix []string) bool {
	return slices.ContainsFunc(l.expressions, func(e expression) bool { return isWithin(e.path, prefix) })
}

// indexOfValue returns the index of the one expression that sets a path; -1 if there is none, or a table
// of several lines.
func (l tomlLayout) indexOfValue(path []string) int {
	return slices.IndexFunc(l.expressions, func(e expression) bool { return !e.header && slices.Equal(e.path, path) })
}

// inlineMembers returns the members of the inline table that is the value of an expression.
func (l tomlLayout) inlineMembers(owner int) []expression {
	var list []expression
	for _, e := range l.expressions {
		if e.owner == owner {
			list = append(list, e)
		}
	}
	return list
}

func (l tomlLayout) commentThatEnds(at int) (span, bool) {
	for _, c := range l.comments {
		if c.end == at {
			return c, true
		}
	}
	return span{}, false
}

func (l tomlLayout) commentThatStarts(at int) (span, bool) {
	for _, c := range l.comments {
		if c.start == at {
			return c, true
		}
	}
	return span{}, false
}

// withCommentsAbove returns the start of the comments directly above a line.
func (l tomlLayout) withCommentsAbove(at int) int {
	for {
		above, ok := l.commentThatEnds(at)
		if !ok {
			return at
		}
		at = above.start
	}
}
