package account

import (
	"bytes"
	"slices"
)

// remove removes everything at and below a path. A key is removed with the comment directly
// above it, a table also with the comments inside and directly below it; the comment at the head
// of the file always stays. If blank lines meet at a cut, only those before it stay.
func (l tomlLayout) remove(prefix []string) []byte {
	var source []byte
	from := 0
	for _, c := range l.removedRanges(prefix) {
		source = append(source, l.source[from:c.start]...)
		from = l.endAfterCut(c)
	}
	source = append(source, l.source[from:]...)
	for range l.expressions { // members of inline tables, one by one
		rest := layOut(source)
		i := slices.IndexFunc(rest.expressions, func(e expression) bool { return e.owner >= 0 && isWithin(e.path, prefix) })
		if i < 0 {
			break
		}
		source = rest.replaceRange(rest.memberRange(i), "")
	}
	return source
}

// removedRanges returns the ranges to delete, adjacent ones merged.
func (l tomlLayout) removedRanges(prefix []string) []span {
	var cuts []span
	cut := func(s span) {
		if n := len(cuts); n > 0 && cuts[n-1].end >= s.start {
			s.start = cuts[n-1].start
			cuts = cuts[:n-1]
		}
		cuts = append(cuts, s)
	}
	table := span{-1, -1} // a table that is removed as a whole
	closeTable := func() {
		if table.start >= 0 {
			cut(span{table.start, l.withCommentsBelow(table.end)})
		}
		table = span{-1, -1}
	}
	for _, e := range l.expressions {
		switch {
		case e.owner >= 0:
		case !isWithin(e.path, prefix):
			closeTable()
		case table.start >= 0:
			table.end = e.where.end
		case e.header:
			table = span{l.withOwnComments(e.where.start), e.where.end}
		default:
			cut(span{l.withOwnComments(e.where.start), e.where.end})
		}
	}
	closeTable()
	return cuts
}

// withOwnComments returns the start of the comments directly above a line, unless they are the
// head of the file.
func (l tomlLayout) withOwnComments(at int) int {
	start := l.withCommentsAbove(at)
	if len(bytes.TrimSpace(l.source[:start])) == 0 {
		return at
	}
	return start
}

// withCommentsBelow returns the end of the comments directly below a line, unless they are
// directly above another expression.
func (l tomlLayout) withCommentsBelow(at int) int {
	end := at
	for {
		below, ok := l.commentThatStarts(end)
		if !ok {
			break
		}
		end = below.end
	}
	if slices.ContainsFunc(l.expressions, func(e expression) bool { return e.owner < 0 && e.where.start == end }) {
		return at
	}
	return end
}

// endAfterCut returns the position at which the document continues after a cut: after the blank lines,
// if there is a blank line before the cut, too.
func (l tomlLayout) endAfterCut(c span) int {
	before := l.source[:c.start]
	line := before[bytes.LastIndexByte(bytes.TrimSuffix(before, []byte("\n")), '\n')+1:]
	if len(bytes.TrimSpace(line)) > 0 {
		return c.end
	}
	at := c.end
	for at < len(l.source) {
		next := l.linesOf(at, at)
		if len(bytes.TrimSpace(l.source[next.start:next.end])) > 0 {
			break
		}
		at = next.end
	}
	return at
}

// memberRange returns the range of a member of an inline table with one adjacent comma, and the
// space if the next member is on the same line.
func (l tomlLayout) memberRange(i int) span {
	m := l.expressions[i]
	all := l.inlineMembers(m.owner)
	at := slices.IndexFunc(all, func(e expression) bool { return e.where == m.where })
	oneLine := func(start, end int) bool { return bytes.IndexByte(l.source[start:end], '\n') < 0 }
	if at+1 < len(all) && oneLine(m.where.end, all[at+1].where.start) {
		return span{m.where.start, all[at+1].where.start}
	}
	if at > 0 && oneLine(all[at-1].where.end, m.where.start) {
		return span{all[at-1].where.end, m.where.end}
	}
	rest := bytes.TrimLeft(l.source[m.where.end:], " \t\r\n")
	if bytes.HasPrefix(rest, []byte(",")) {
		return span{m.where.start, len(l.source) - len(rest) + 1}
	}
	return m.where
}
