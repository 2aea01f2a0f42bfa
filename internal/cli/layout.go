package cli

import (
	"regexp"
	"strings"
	"unicode"

	eastasian "golang.org/x/text/width"
)

// columns is the width of a text on a terminal: a Chinese character takes two
// cells, a combining one none.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += cells(r)
	}
	return n
}

func cells(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	if k := eastasian.LookupRune(r).Kind(); k == eastasian.EastAsianWide || k == eastasian.EastAsianFullwidth {
		return 2
	}
	return 1
}

// pad fills a text up to a width.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-columns(s)))
}

// table prints columns that are aligned by the width of their characters.
func (a *app) table(rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(pad(cell, widths[i]+2))
		}
		a.outf("%s\n", strings.TrimRight(b.String(), " "))
	}
}

// wrap breaks a text into lines of at most width cells: English at its spaces,
// Chinese between characters, though no line begins with a mark that closes
// something or ends with one that opens it. A longer word gets its own line.
func wrap(text string, width int) []string {
	var lines []string
	var line strings.Builder
	used := 0
	for _, u := range units(text) {
		need := columns(u.text)
		if used > 0 && used+need > width {
			lines = append(lines, strings.TrimRight(line.String(), " "))
			line.Reset()
			used = 0
		}
		line.WriteString(u.text)
		used += need
		if u.space {
			line.WriteByte(' ')
			used++
		}
	}
	if used > 0 || len(lines) == 0 {
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return lines
}

// unit is what a line can't be broken inside of; space says that one follows.
type unit struct {
	text  string
	space bool
}

const (
	closing = "，。；：、！？）》”’」』…—%"
	opening = "（《“‘「『"
)

func units(text string) []unit {
	var list []unit
	for _, word := range strings.Fields(text) {
		start := len(list)
		glue := false // the rune before may not end a line
		for _, r := range word {
			wide := cells(r) == 2
			fresh := len(list) == start
			joins := !fresh && (glue || strings.ContainsRune(closing, r) ||
				!wide && !endsWide(list[len(list)-1].text))
			if joins {
				list[len(list)-1].text += string(r)
			} else {
				list = append(list, unit{text: string(r)})
			}
			glue = strings.ContainsRune(opening, r)
		}
		list[len(list)-1].space = true
	}
	return list
}

func endsWide(s string) bool {
	var last rune
	for _, r := range s {
		last = r
	}
	return cells(last) == 2 || strings.ContainsRune(closing, last)
}

// listed joins what is counted up.
func (a *app) listed(items []string) string { return strings.Join(items, a.T(", ")) }

// hang breaks a line for a terminal, at its blanks and between Chinese characters; what
// follows is indented. Without a terminal (0) it stays one line.
func hang(line, indent string, width int) string {
	if width == 0 || columns(visibleWidth(line)) <= width {
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
		for i, u := range units(word) {
			lead := ""
			if i == 0 {
				lead = rest[:blanks]
			}
			if need := columns(lead) + columns(visibleWidth(u.text)); used > len(indent) && used+need > width {
				b.WriteString("\n" + indent)
				used, lead = len(indent), ""
			}
			b.WriteString(lead + u.text)
			used += len(lead) + columns(visibleWidth(u.text))
		}
		rest = rest[blanks+len(word):]
	}
	return b.String()
}

// visibleWidth is a text without the colours that are put into it.
func visibleWidth(s string) string { return colours.ReplaceAllString(s, "") }

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// joined puts parts on a line each that is as full as the terminal allows.
func joined(parts []string, width int) string {
	const indent, between = "  ", " · "
	line, used := indent+parts[0], columns(indent+parts[0])
	for _, part := range parts[1:] {
		if width > 0 && used+columns(between+part) > width {
			line, used = line+"\n"+indent+part, columns(indent+part)
			continue
		}
		line, used = line+between+part, used+columns(between+part)
	}
	return line
}
