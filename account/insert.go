package account

import (
	"slices"
	"strings"
)

// setKey sets the key at a path to a value: in place, or else after the last key of the nearest
// table around it that exists, in the form of that table. An account or [defaults] gets a new
// table at the end.
func (l tomlLayout) setKey(path []string, value string) []byte {
	if at := l.indexOfValue(path); at >= 0 {
		return l.replaceRange(l.expressions[at].value, value)
	}
	if l.hasPath(path) { // a table, or dotted keys
		l = layOut(l.remove(path))
	}
	for depth := len(path) - 1; depth > 0; depth-- {
		if source, ok := l.extendTable(path, depth, value); ok {
			return source
		}
	}
	if len(path) == 1 {
		return l.withLine(l.endOfRoot(), path, value)
	}
	end, table := l.lineEnd(), min(len(path)-1, 2)
	var gap string
	if text := string(l.source); text != "" {
		gap = l.newlineBefore(len(text))
		if !strings.HasSuffix(text, end+end) && strings.TrimSpace(text) != "" {
			gap += end
		}
	}
	header := gap + "[" + dottedKey(path[:table]) + "]" + end
	return slices.Concat(l.source, []byte(header+dottedKey(path[table:])+" = "+value+end))
}

// extendTable adds a key to the table that the first depth parts of its path name; ok is false if
// the file has no such table.
func (l tomlLayout) extendTable(path []string, depth int, value string) (source []byte, ok bool) {
	table := path[:depth]
	if at := l.indexOfValue(table); at >= 0 {
		if !l.expressions[at].inline {
			return nil, false
		}
		return l.withMember(at, path[depth:], value), true
	}
	at, key, open := -1, path[depth:], false
	for i, e := range l.expressions {
		switch {
		case e.header:
			if open = slices.Equal(e.path, table); open {
				at, key = i, path[depth:]
			}
		case e.owner >= 0 || !isWithin(e.path, table):
		case open:
			at = i
		case e.given < depth && (depth > 1 || path[0] != "account"): // dotted; "account" alone gets a new table
			at, key = i, path[e.given:]
		}
	}
	if at >= 0 {
		return l.withLine(l.expressions[at].where.end, key, value), true
	}
	// Dotted members: "account = { a.from = … }".
	for _, e := range slices.Backward(l.expressions) {
		if e.owner >= 0 && e.given < depth && isWithin(e.path, table) {
			return l.withMember(e.owner, path[e.given:], value), true
		}
	}
	return nil, false
}

// endOfRoot returns the position after the keys of the root. Without keys, it is the start of the
// file, but after a head comment that ends in a blank line.
func (l tomlLayout) endOfRoot() int {
	if len(l.expressions) == 0 {
		return len(l.source)
	}
	at := l.withCommentsAbove(l.expressions[0].where.start)
	for _, e := range l.expressions {
		if e.header {
			break
		}
		if e.owner < 0 {
			at = e.where.end
		}
	}
	return at
}

// withLine inserts a key on a line of its own.
func (l tomlLayout) withLine(at int, key []string, value string) []byte {
	return l.replaceRange(span{at, at}, l.newlineBefore(at)+dottedKey(key)+" = "+value+l.lineEnd())
}

// withMember inserts a key into an inline table.
func (l tomlLayout) withMember(owner int, key []string, value string) []byte {
	text := dottedKey(key) + " = " + value
	members := l.inlineMembers(owner)
	if len(members) == 0 {
		at := l.expressions[owner].value.start + len("{")
		return l.replaceRange(span{at, at}, " "+text+" ")
	}
	at := members[len(members)-1].where.end
	return l.replaceRange(span{at, at}, ", "+text)
}

// newlineBefore returns a line end if the last line lacks one.
func (l tomlLayout) newlineBefore(at int) string {
	if at > 0 && l.source[at-1] != '\n' {
		return l.lineEnd()
	}
	return ""
}

func (l tomlLayout) replaceRange(s span, text string) []byte {
	return slices.Concat(l.source[:s.start], []byte(text), l.source[s.end:])
}
