package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"slices"
	"strings"
)

// panel is one small bar chart of a row.
type panel struct {
	row   string // its ID
	title string
}

// panels are those rows that a reader of the README asks for first.
func (r *report) panels() []panel {
	plain := "loopback/" + postfixServer
	if row, ok := r.row(plain); !ok || len(row.Figures) == 0 {
		plain = "loopback/" + pipelining
	}
	return []panel{
		{"link/" + chunking, "A run of 5 kB messages, server 40 ms away with CHUNKING"},
		{"link/" + pipelining, "The same, server with PIPELINING only"},
		{"loopback/" + chunking, "The same on loopback, CHUNKING"},
		{plain, "The same on loopback, PIPELINING only"},
		{"begin/" + string(startTLS) + "/ms", "Connect, STARTTLS, AUTH and one message, 40 ms away"},
		{"start/" + string(inClear), "A command that sends one small message, start to exit"},
		{"large/" + chunking + "/speed", "An attachment of 1 GB over TLS on loopback"},
		{"large/" + chunking + "/memory", "The same: peak memory"},
	}
}

// Measures of the chart in pixels.
const (
	panelWidth = 430
	margin     = 18
	nameWidth  = 128
	barLeft    = margin + nameWidth + 8
	barWidth   = panelWidth - barLeft - 92
	barHeight  = 13
	barStep    = 18
	barsTop    = 47 // below the title and the unit
	panelGap   = 26
)

// The chart has a ground of its own, so that it can be read on any page; with
// a browser that prefers dark it is dark.
const chartStyle = `
	svg { font: 12px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
	.ground { fill: #ffffff; stroke: #d1d9e0; }
	.title { fill: #1f2328; font-weight: 600; }
	.text { fill: #1f2328; }
	.faint { fill: #59636e; }
	.ours { fill: #0969da; }
	.peer { fill: #afb8c1; }
	.range { stroke: #1f2328; stroke-width: 1; opacity: .6; }
	.number { paint-order: stroke; stroke: #ffffff; stroke-width: 5px; stroke-linejoin: round; }
	@media (prefers-color-scheme: dark) {
		.ground { fill: #0d1117; stroke: #3d444d; }
		.title, .text { fill: #f0f6fc; }
		.faint { fill: #9198a1; }
		.ours { fill: #4493f8; }
		.peer { fill: #545d68; }
		.range { stroke: #f0f6fc; }
		.number { stroke: #0d1117; }
	}
`

// draw writes the chart as SVG.
func (r *report) draw(path string) error {
	const head, foot = 40, 34
	var drawn bytes.Buffer
	top, bottom := head, head // of the two panels that stand side by side
	for i, p := range r.panels() {
		if i%2 == 0 {
			top = bottom
		}
		row, ok := r.row(p.row)
		if !ok {
			continue
		}
		fmt.Fprintf(&drawn, `<g transform="translate(%d %d)">`+"\n%s</g>\n", i%2*(panelWidth+margin/2), top, row.panel(p.title))
		bottom = max(bottom, top+barsTop+len(row.shown())*barStep+panelGap)
	}
	width, height := 2*panelWidth+margin, bottom+foot
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img" aria-labelledby="t d">`+"\n", width, height)
	fmt.Fprint(&b, "<title id=\"t\">Yan beside its peers</title>\n")
	fmt.Fprintf(&b, "<desc id=\"d\">%s</desc>\n<style>%s</style>\n", escape(r.describe()), chartStyle)
	fmt.Fprintf(&b, `<rect class="ground" x=".5" y=".5" width="%d" height="%d" rx="8"/>`+"\n", width-1, height-1)
	fmt.Fprintf(&b, `<text class="title" x="%d" y="27" font-size="15">yan beside its peers: medians of %d rounds, with the range</text>`+"\n", margin, r.Rounds)
	b.Write(drawn.Bytes())
	fmt.Fprintf(&b, `<text class="faint" x="%d" y="%d" font-size="11">%s</text>`+"\n</svg>\n", margin, height-14, escape(r.footnote()))
	return os.WriteFile(path, b.Bytes(), 0o644)
}

func (r *report) footnote() string {
	return fmt.Sprintf("%s, %s, %s, %d cores. A peer without a bar in a panel was not measured there; bench/results.json says why. Thin lines: the range.",
		r.Date.Format("2 January 2006"), r.Go, r.System, r.Cores)
}

// describe is the chart in words, for those who can't see it.
func (r *report) describe() string {
	var said []string
	for _, p := range r.panels() {
		row, ok := r.row(p.row)
		if !ok {
			continue
		}
		var figures []string
		for _, who := range row.shown() {
			figures = append(figures, fmt.Sprintf("%s %s", who, number(row.Figures[who].Median)))
		}
		said = append(said, fmt.Sprintf("%s, in %s: %s.", p.title, row.Unit, strings.Join(figures, ", ")))
	}
	return strings.Join(said, " ")
}

// shown are the contenders of a row with a figure, in the order of the table.
// The ceiling of loopback would leave the others too short to compare.
func (row reportRow) shown() []string {
	return slices.DeleteFunc(append(senders(), guests()...), func(who string) bool {
		_, ok := row.Figures[who]
		return !ok || who == bare
	})
}

// panel draws the bars of a row.
func (row reportRow) panel(title string) string {
	better := "less is better"
	if row.Higher {
		better = "more is better"
	}
	most := 0.0
	for _, who := range row.shown() {
		most = max(most, row.Figures[who].Highest)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<text class="title" x="%d" y="20">%s</text>`+"\n", margin, escape(title))
	fmt.Fprintf(&b, `<text class="faint" x="%d" y="37" font-size="11">%s, %s</text>`+"\n", margin, escape(row.Unit), better)
	for i, who := range row.shown() {
		f := row.Figures[who]
		y := barsTop + i*barStep
		class := "peer"
		if who == ours {
			class = "ours"
		}
		length := func(v float64) float64 { return max(0, v) / most * barWidth }
		fmt.Fprintf(&b, `<text class="text" x="%d" y="%d" text-anchor="end">%s</text>`, barLeft-8, y+11, escape(who))
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`, class, barLeft, y, max(1, length(f.Median)), barHeight)
		fmt.Fprintf(&b, `<line class="range" x1="%.1f" x2="%.1f" y1="%[3]d" y2="%[3]d"/>`, barLeft+length(f.Lowest), barLeft+length(f.Highest), y+barHeight/2)
		fmt.Fprintf(&b, `<text class="%s number" x="%.1f" y="%d">%s</text>`+"\n", map[bool]string{true: "title", false: "text"}[who == ours],
			labelAt(barLeft+length(f.Median), barLeft+length(f.Lowest), barLeft+length(f.Highest), thousands(number(f.Median))), y+11, thousands(number(f.Median)))
	}
	return b.String()
}

// labelAt is where the number of a bar begins: at the bar's end, with a ground of its own where the range,
// whose value it is not, goes on.
func labelAt(bar, lowest, highest float64, label string) float64 {
	const gap, digit = 6, 7.5
	if highest-bar < gap { // the range ends with the bar
		return highest + gap
	}
	if far := float64(len(label))*digit + 2*gap; highest-bar > far {
		return bar + gap
	}
	return highest + gap
}

// thousands puts commas into a number of more than three digits.
func thousands(number string) string {
	whole, fraction, has := strings.Cut(number, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if has {
		return whole + "." + fraction
	}
	return whole
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
