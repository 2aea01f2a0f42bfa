package command

import (
	"strings"

	"github.com/yanmail/yan/internal/cli/console"
)

// The width of a help page: that of the terminal, within limits; 80 without a
// terminal.
const (
	narrowest = 40
	usual     = 80
	widest    = 110
)

// HelpWidth returns the width of a help page on this terminal.
func (a *Context) HelpWidth() int {
	if a.StdoutWidth == 0 {
		return usual
	}
	return min(max(a.StdoutWidth, narrowest), widest)
}

// Help prints a page on the terminal.
func (a *Context) Help(p helpPage) {
	width := a.HelpWidth()
	for i, paragraph := range p.about {
		if i > 0 {
			a.Outf("\n")
		}
		a.Outf("%s\n", strings.Join(console.Wrap(paragraph, width), "\n"))
	}
	a.printTitled(a.T("Usage:"), p.usage)
	a.printTitled(a.T("Examples:"), p.examples)
	for _, l := range p.lists {
		if len(l.Entries) == 0 {
			continue
		}
		a.Outf("\n%s\n", a.Paint(a.StdoutWidth, console.Bold, l.Title))
		a.Entries(l.Entries, width)
	}
}

// printTitled prints lines unwrapped, so that command lines can be copied.
func (a *Context) printTitled(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	a.Outf("\n%s\n", a.Paint(a.StdoutWidth, console.Bold, title))
	for _, line := range lines {
		a.Outf("  %s\n", line)
	}
}

// longestTerm is the widest term on the same line as its text.
const longestTerm = 28

// Entries prints terms and, in a second column, their texts.
func (a *Context) Entries(list []ListEntry, width int) {
	column := 0
	for _, e := range list {
		if w := console.Columns(e.Term); w <= longestTerm {
			column = max(column, w)
		}
	}
	const indent, gap = 2, 2
	margin := strings.Repeat(" ", indent+column+gap)
	for _, e := range list {
		lines := console.Wrap(e.Text, width-len(margin))
		first := strings.Repeat(" ", indent) + console.Pad(e.Term, column+gap)
		if console.Columns(e.Term) > column {
			a.Outf("%s\n", strings.TrimRight(first, " "))
			first = margin
		}
		a.Outf("%s%s\n", first, lines[0])
		for _, line := range lines[1:] {
			a.Outf("%s%s\n", margin, line)
		}
	}
}
