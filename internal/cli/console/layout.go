package console

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/yanmail/yan/internal/text/excerpt"
)

// FitColumns removes columns from the right until the rows fit the terminal.
func (a *Console) FitColumns(rows [][]string) [][]string {
	for n := len(rows[0]); ; n-- {
		widest := 0
		for c := range n {
			column := 0
			for _, row := range rows {
				column = max(column, Columns(row[c]))
			}
			widest += column + 2
		}
		if a.StdoutWidth == 0 || widest-2 <= a.StdoutWidth || n <= 2 {
			for i := range rows {
				rows[i] = rows[i][:n]
			}
			return rows
		}
	}
}

// Columns returns the width of a text on a terminal, in cells. A Chinese
// character takes two cells, a combining one none; so do the escape sequences
// of colours. The forms of internal/prompt measure with the same function.
func Columns(s string) int { return ansi.StringWidth(s) }

// Cluster returns the first character of a text with its combining marks, and its
// width in cells. It is empty only if s is.
func Cluster(s string) (cluster string, width int) {
	return ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
}

// Truncate shortens a text to a width, so that it does not wrap; "…" replaces the rest.
func Truncate(s string, width int) string { return ansi.Truncate(s, width, "…") }

// Pad fills a text up to a width.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-Columns(s)))
}

// Table prints columns that are aligned by the width of their characters.
func (a *Console) Table(rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], Columns(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(Pad(cell, widths[i]+2))
		}
		a.Outf("%s\n", strings.TrimRight(b.String(), " "))
	}
}

// Wrap breaks a text into lines of at most width cells: English at its spaces,
// Chinese between characters, except that no line begins with closing
// punctuation or ends with opening punctuation. A longer word gets its own
// line.
func Wrap(text string, width int) []string {
	var lines []string
	var line strings.Builder
	used := 0
	for _, u := range Units(text) {
		need := Columns(u.Text)
		if used > 0 && used+need > width {
			lines = append(lines, strings.TrimRight(line.String(), " "))
			line.Reset()
			used = 0
		}
		line.WriteString(u.Text)
		used += need
		if u.Space {
			line.WriteByte(' ')
			used++
		}
	}
	if used > 0 || len(lines) == 0 {
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return lines
}

// unit is a piece of text that can't be broken. space is set if a space follows
// it.
type unit struct {
	Text  string
	Space bool
}

const (
	closing = "，。；：、！？）》”’」』…—%"
	opening = "（《“‘「『"
)

// Units splits a text where a line may be broken.
func Units(text string) []unit {
	var list []unit
	for _, word := range strings.Fields(text) {
		start := len(list)
		glue := false      // the character before may not end a line
		afterWide := false // it is wide, or closing punctuation
		for rest := word; rest != ""; {
			cluster, width := Cluster(rest)
			rest = rest[len(cluster):]
			closes := strings.Contains(closing, cluster)
			fresh := len(list) == start
			if !fresh && (glue || closes || width < 2 && !afterWide) {
				list[len(list)-1].Text += cluster
			} else {
				list = append(list, unit{Text: cluster})
			}
			glue = strings.Contains(opening, cluster)
			afterWide = width == 2 || closes
		}
		list[len(list)-1].Space = true
	}
	return list
}

// WrapIndented breaks a line for a terminal, at its spaces and between Chinese
// characters; the continuation is indented. Without a terminal (0) it stays one
// line.
func WrapIndented(line, indent string, width int) string {
	if width == 0 || Columns(line) <= width {
		return line
	}
	var b strings.Builder
	used := 0
	for rest := line; rest != ""; {
		blanks := len(rest) - len(strings.TrimLeft(rest, " "))
		word := rest[blanks:]
		if i := strings.IndexByte(word, ' '); i >= 0 {
			word = word[:i]
		}
		for i, u := range Units(word) {
			lead := ""
			if i == 0 {
				lead = rest[:blanks]
			}
			if need := Columns(lead) + Columns(u.Text); used > len(indent) && used+need > width {
				b.WriteString("\n" + indent)
				used, lead = len(indent), ""
			}
			b.WriteString(lead + u.Text)
			used += len(lead) + Columns(u.Text)
		}
		rest = rest[blanks+len(word):]
	}
	return b.String()
}

// JoinWrapped joins parts to lines that are as full as the terminal allows.
func JoinWrapped(parts []string, width int) string {
	const indent, between = "  ", " · "
	line, used := indent+parts[0], Columns(indent+parts[0])
	for _, part := range parts[1:] {
		if width > 0 && used+Columns(between+part) > width {
			line, used = line+"\n"+indent+part, Columns(indent+part)
			continue
		}
		line, used = line+between+part, used+Columns(between+part)
	}
	return line
}

// ClipText shortens a text to 60 characters.
func ClipText(s string) string { return excerpt.Runes(s, 60) }

// Paint colours a word if the stream is a terminal.
func (a *Console) Paint(width int, code, s string) string {
	if width == 0 || !a.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

const (
	Green  = "32"
	Red    = "31"
	Yellow = "33"
	Dim    = "2"
	Bold   = "1"
)

// Heading prints a line in bold; a line break before it is not.
func (a *Console) Heading(s string) {
	lead := ""
	if strings.HasPrefix(s, "\n") {
		lead, s = "\n", s[1:]
	}
	a.Outf("%s%s\n", lead, a.Paint(a.StdoutWidth, Bold, s))
}
