package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"slices"
	"strings"
)

// chartLayout has the measures of a chart in pixels. The narrow one has a single
// column and larger type: a phone shows it nearly unscaled.
type chartLayout struct {
	columns, panel, margin int
	names, label           int // widths left and right of the bars
	bar, step              int // the height of a bar, and the distance between two
	text, small            int // font sizes; titles have text's, and the heading is the largest
	title, heading         int
}

func wideLayout() chartLayout {
	return chartLayout{columns: 2, panel: 430, margin: 18, names: 136, label: 92, bar: 13, step: 18, text: 12, small: 11, title: 12, heading: 15}
}

func narrowLayout() chartLayout {
	return chartLayout{columns: 1, panel: 360, margin: 14, names: 144, label: 72, bar: 14, step: 20, text: 13, small: 12, title: 13, heading: 15}
}

func (l chartLayout) width() int    { return l.columns*l.panel + (l.columns-1)*l.margin }
func (l chartLayout) barLeft() int  { return l.margin + l.names }
func (l chartLayout) barWidth() int { return l.panel - l.barLeft() - l.label }

const (
	nameGap  = 8
	panelGap = 26
)

// The chart has its own background, so that it is readable on any page; it is
// dark in a browser that prefers dark.
const chartStyle = `
	svg { font: %dpx -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
	.ground { fill: #ffffff; stroke: #d1d9e0; }
	.title { fill: #1f2328; font-weight: 600; }
	.text { fill: #1f2328; }
	.faint { fill: #59636e; }
	.ours { fill: #0969da; }
	.peer { fill: #8c959f; }
	.range { stroke: #1f2328; stroke-width: 1; opacity: .6; }
	.number { paint-order: stroke; stroke: #ffffff; stroke-width: 5px; stroke-linejoin: round; }
	@media (prefers-color-scheme: dark) {
		.ground { fill: #0d1117; stroke: #3d444d; }
		.title, .text { fill: #f0f6fc; }
		.faint { fill: #9198a1; }
		.ours { fill: #4493f8; }
		.peer { fill: #656d76; }
		.range { stroke: #f0f6fc; }
		.number { stroke: #0d1117; }
	}
`

// drawAll writes the chart at path, one for narrow pages (chart-narrow.svg)
// next to it, and both in Chinese (chart.zh-CN.svg, chart-narrow.zh-CN.svg).
func (r *report) drawAll(path string) error {
	stem := strings.TrimSuffix(path, ".svg")
	for _, c := range charts() {
		if err := os.WriteFile(stem+c.suffix, r.draw(c.layout, c.words), 0o644); err != nil {
			return err
		}
	}
	return nil
}

type chart struct {
	suffix string
	layout chartLayout
	words  chartWords
}

func charts() []chart {
	return []chart{
		{".svg", wideLayout(), englishChart()},
		{"-narrow.svg", narrowLayout(), englishChart()},
		{".zh-CN.svg", wideLayout(), chineseChart()},
		{"-narrow.zh-CN.svg", narrowLayout(), chineseChart()},
	}
}

// draw returns the chart as SVG.
func (r *report) draw(l chartLayout, words chartWords) []byte {
	var drawn bytes.Buffer
	heading := wrapText(fmt.Sprintf(words.heading, r.Rounds), l.width()-2*l.margin, l.heading, true)
	y := 27
	for _, line := range heading {
		fmt.Fprintf(&drawn, `<text class="title" x="%d" y="%d" font-size="%d">%s</text>`+"\n", l.margin, y, l.heading, escapeXML(line))
		y += l.heading + 5
	}
	top, bottom := y-7, y-7 // of adjacent panels
	for i, p := range r.panels() {
		column := i % l.columns
		if column == 0 {
			top = bottom
		}
		row, ok := r.row(p.row)
		if !ok {
			continue
		}
		figure, height := row.panel(l, words, p)
		fmt.Fprintf(&drawn, `<g transform="translate(%d %d)">`+"\n%s</g>\n", column*(l.panel+l.margin/2), top, figure)
		bottom = max(bottom, top+height+panelGap)
	}
	y = bottom + l.small - 4
	for _, line := range wrapText(words.footnote(r), l.width()-2*l.margin, l.small, false) {
		fmt.Fprintf(&drawn, `<text class="faint" x="%d" y="%d" font-size="%d">%s</text>`+"\n", l.margin, y, l.small, escapeXML(line))
		y += l.small + 4
	}
	width, height := l.width(), y+2
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" xml:lang="%[3]s" role="img" aria-labelledby="t d">`+"\n", width, height, words.lang)
	fmt.Fprintf(&b, "<title id=\"t\">%s</title>\n", escapeXML(words.name))
	fmt.Fprintf(&b, "<desc id=\"d\">%s</desc>\n<style>"+chartStyle+"</style>\n", escapeXML(r.describe(words)), l.text)
	fmt.Fprintf(&b, `<rect class="ground" x=".5" y=".5" width="%d" height="%d" rx="8"/>`+"\n", width-1, height-1)
	b.Write(drawn.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// describe returns the chart as text, for readers who can't see it.
func (r *report) describe(words chartWords) string {
	var said []string
	for _, p := range r.panels() {
		row, ok := r.row(p.row)
		if !ok {
			continue
		}
		var figures []string
		for _, who := range row.shownContenders() {
			figures = append(figures, words.contender(who)+" "+formatNumber(row.Figures[who].Median))
		}
		said = append(said, fmt.Sprintf(words.described, words.title(p.title), words.unit(row.Unit), strings.Join(figures, words.comma)))
	}
	return strings.Join(said, words.space)
}

// shownContenders returns the contenders of a row with a figure, in the order of the
// table. The loopback ceiling is left out, because it would make the others too
// short to compare.
func (row reportRow) shownContenders() []string {
	return slices.DeleteFunc(append(senders(), extraContenders()...), func(who string) bool {
		_, ok := row.Figures[who]
		return !ok || who == bare
	})
}

// panel draws the bars of a row, and returns their total height.
func (row reportRow) panel(l chartLayout, words chartWords, p panel) (drawn string, height int) {
	better := words.less
	if row.Higher {
		better = words.more
	}
	most := 0.0
	for _, who := range row.shownContenders() {
		most = max(most, row.Figures[who].Highest)
	}
	var b strings.Builder
	y := 20
	for _, line := range wrapText(words.title(p.title), l.panel-2*l.margin, l.title, true) {
		fmt.Fprintf(&b, `<text class="title" x="%d" y="%d" font-size="%d">%s</text>`+"\n", l.margin, y, l.title, escapeXML(line))
		y += l.title + 5
	}
	fmt.Fprintf(&b, `<text class="faint" x="%d" y="%d" font-size="%d">%s</text>`+"\n", l.margin, y, l.small, escapeXML(words.unit(row.Unit)+words.comma+better))
	y += 10
	for _, who := range row.shownContenders() {
		f := row.Figures[who]
		class, weight := "peer", "text"
		if who == ours {
			class, weight = "ours", "title"
		}
		length := func(v float64) float64 { return max(0, v) / most * float64(l.barWidth()) }
		left, baseline := float64(l.barLeft()), y+l.bar-2
		fmt.Fprintf(&b, `<text class="text" x="%d" y="%d" text-anchor="end">%s</text>`, l.barLeft()-nameGap, baseline, escapeXML(words.contender(who)))
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`, class, l.barLeft(), y, max(1, length(f.Median)), l.bar)
		fmt.Fprintf(&b, `<line class="range" x1="%.1f" x2="%.1f" y1="%[3]d" y2="%[3]d"/>`, left+length(f.Lowest), left+length(f.Highest), y+l.bar/2)
		label := formatThousands(formatNumber(f.Median))
		at := labelAt(left+length(f.Median), left+length(f.Highest), estimateWidth(label, l.text, true))
		fmt.Fprintf(&b, `<text class="%s number" x="%.1f" y="%d">%s</text>`+"\n", weight, at, baseline, label)
		y += l.step
	}
	return b.String(), y
}

// labelAt returns the x of a bar's number: at the bar's end, with its own
// background if the range line continues there.
func labelAt(bar, highest, width float64) float64 {
	const gap = 6
	if highest-bar < gap { // the range ends with the bar
		return highest + gap
	}
	if highest-bar > width+2*gap {
		return bar + gap
	}
	return highest + gap
}

// formatThousands inserts commas into a number of more than three digits.
func formatThousands(number string) string {
	whole, fraction, has := strings.Cut(number, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if has {
		return whole + "." + fraction
	}
	return whole
}

func escapeXML(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder never fails
	return b.String()
}
