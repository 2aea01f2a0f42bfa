package cli

import (
	"strings"
)

// The width of a help: that of the terminal, within reason; 80 where there is
// none.
const (
	narrowest = 40
	usual     = 80
	widest    = 110
)

func (a *app) helpWidth() int {
	if a.StdoutWidth == 0 {
		return usual
	}
	return min(max(a.StdoutWidth, narrowest), widest)
}

// help prints a page on the terminal.
func (a *app) help(p page) {
	width := a.helpWidth()
	for i, paragraph := range p.about {
		if i > 0 {
			a.outf("\n")
		}
		a.outf("%s\n", strings.Join(wrap(paragraph, width), "\n"))
	}
	a.titled(a.T("Usage:"), p.usage)
	a.titled(a.T("Examples:"), p.examples)
	for _, l := range p.lists {
		if len(l.entries) == 0 {
			continue
		}
		a.outf("\n%s\n", a.paint(a.StdoutWidth, bold, l.title))
		a.entries(l.entries, width)
	}
}

// titled prints lines as they are: a command line is to be copied whole.
func (a *app) titled(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	a.outf("\n%s\n", a.paint(a.StdoutWidth, bold, title))
	for _, line := range lines {
		a.outf("  %s\n", line)
	}
}

// longestTerm is the widest term that shares its line with its text.
const longestTerm = 28

// entries prints terms and, in a column of their own, their texts.
func (a *app) entries(list []entry, width int) {
	column := 0
	for _, e := range list {
		if w := columns(e.term); w <= longestTerm {
			column = max(column, w)
		}
	}
	const indent, gap = 2, 2
	margin := strings.Repeat(" ", indent+column+gap)
	for _, e := range list {
		lines := wrap(e.text, width-len(margin))
		first := strings.Repeat(" ", indent) + pad(e.term, column+gap)
		if columns(e.term) > column {
			a.outf("%s\n", strings.TrimRight(first, " "))
			first = margin
		}
		a.outf("%s%s\n", first, lines[0])
		for _, line := range lines[1:] {
			a.outf("%s%s\n", margin, line)
		}
	}
}
