package main

import (
	"fmt"
	"html"
	"slices"
	"strings"
)

// frame is the screen from a time on.
type frame struct {
	at    float64 // seconds
	lines []string
}

// The measures of the picture, in pixels.
const (
	cellWidth  = 8.43
	lineHeight = 20
	fontSize   = 14
	marginX    = 18
	marginY    = 46
)

// palette is dark, with the sixteen colours of terminals today.
var palette = [16]string{"#45475a", "#f38ba8", "#a6e3a1", "#f9e2af", "#89b4fa", "#f5c2e7", "#94e2d5", "#bac2de",
	"#585b70", "#f38ba8", "#a6e3a1", "#f9e2af", "#89b4fa", "#f5c2e7", "#94e2d5", "#ffffff"}

const (
	background = "#1e1e2e"
	foreground = "#cdd6f4"
)

// render draws the lines of a screen, each as the inside of a group.
func (s *screen) render() []string {
	lines := make([]string, s.rows)
	for y, line := range s.cells {
		var b strings.Builder
		for x := 0; x < s.cols; {
			end := x + 1
			for end < s.cols && line[end].style == line[x].style {
				end++
			}
			drawRun(&b, x, line[x:end])
			x = end
		}
		if !s.hidden && y == s.y {
			fmt.Fprintf(&b, `<rect x="%.1f" y="3" width="%.1f" height="16" fill="%s" opacity=".7"/>`, float64(s.x)*cellWidth, cellWidth, foreground)
		}
		lines[y] = b.String()
	}
	return lines
}

// drawRun draws cells of one style. Wide characters each have their place, so that
// columns are straight with any font.
func drawRun(b *strings.Builder, x int, run []cell) {
	st := run[0].style
	fg, bg := foreground, ""
	if st.fg >= 0 {
		fg = palette[st.fg]
	}
	if st.bg >= 0 {
		bg = palette[st.bg]
	}
	if st.reversed {
		if bg == "" {
			bg = background
		}
		fg, bg = bg, fg
	}
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="1" width="%.1f" height="%d" fill="%s"/>`, float64(x)*cellWidth, float64(len(run))*cellWidth, lineHeight, bg)
	}
	var text strings.Builder
	for i := 0; i < len(run); {
		wide := i+1 < len(run) && run[i+1].text == ""
		j := i + 1
		if wide {
			j = i + 2
		} else {
			for j < len(run) && !(j+1 < len(run) && run[j+1].text == "") {
				j++
			}
		}
		var s strings.Builder
		for _, c := range run[i:j] {
			s.WriteString(c.text)
		}
		words := s.String()
		lead := len(words) - len(strings.TrimLeft(words, " "))
		if words = strings.TrimSpace(words); words != "" {
			size := ""
			if wide { // a square of the line's height is narrower than two columns
				size = ` font-size="16"`
			}
			fmt.Fprintf(&text, `<tspan x="%.1f"%s>%s</tspan>`, float64(x+i+lead)*cellWidth, size, html.EscapeString(words))
		}
		i = j
	}
	if text.Len() == 0 {
		return
	}
	attributes := fmt.Sprintf(` fill="%s"`, fg)
	if st.bold {
		attributes += ` font-weight="bold"`
	}
	if st.faint {
		attributes += ` opacity=".6"`
	}
	fmt.Fprintf(b, `<text y="15" xml:space="preserve"%s>%s</text>`, attributes, text.String())
}

// picture is an SVG that plays the frames. Where nothing moves (a converter to
// PNG, a reader who wants no motion), it shows the last.
func picture(frames []frame, cols, rows int, end float64, title string) string {
	w, h := float64(cols)*cellWidth+2*marginX, float64(rows*lineHeight+marginY+16)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img">`+"\n<title>%s</title>\n", w, h, w, h, html.EscapeString(title))
	b.WriteString("<style>\ntext{font-family:'JetBrains Mono','SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Noto Sans Mono CJK SC','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',monospace;")
	fmt.Fprintf(&b, "white-space:pre}\n@media(prefers-reduced-motion:no-preference){#film{animation:play %.2fs steps(1,end) infinite}}\n@keyframes play{\n", end)
	n := len(frames)
	for i, f := range frames {
		fmt.Fprintf(&b, "%.3f%%{transform:translateX(%.0fpx)}\n", f.at/end*100, -float64(n-1-i)*w)
	}
	b.WriteString("}\n</style>\n<defs>\n")
	var distinct []string
	for _, f := range frames {
		for _, line := range f.lines {
			if line != "" && !slices.Contains(distinct, line) {
				distinct = append(distinct, line)
				fmt.Fprintf(&b, "<g id=\"l%d\">%s</g>\n", len(distinct)-1, line)
			}
		}
	}
	fmt.Fprintf(&b, "</defs>\n<rect width=\"%.0f\" height=\"%.0f\" rx=\"10\" fill=\"%s\"/>\n", w, h, background)
	for i, color := range []string{"#f38ba8", "#f9e2af", "#a6e3a1"} {
		fmt.Fprintf(&b, `<circle cx="%d" cy="21" r="6" fill="%s"/>`, 24+20*i, color)
	}
	fmt.Fprintf(&b, "\n<svg x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"><g id=\"film\" font-size=\"%d\">\n", marginX, marginY, float64(cols)*cellWidth+1, rows*lineHeight, fontSize)
	for i, f := range frames {
		fmt.Fprintf(&b, `<g transform="translate(%.0f)">`, float64(n-1-i)*w)
		for y, line := range f.lines {
			if line != "" {
				fmt.Fprintf(&b, `<use href="#l%d" y="%d"/>`, slices.Index(distinct, line), y*lineHeight)
			}
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</g></svg>\n</svg>\n")
	return b.String()
}
