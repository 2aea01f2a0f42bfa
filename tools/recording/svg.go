package main

import (
	"fmt"
	"html"
	"slices"
	"strings"
)

// frame is the screen from a given time on.
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
	faintness  = .75 // the opacity of faint text
)

// palette is the terminal's two default colours and its sixteen colours.
type palette struct {
	background, border, foreground string
	colors                         [16]string
}

func darkPalette() palette {
	return palette{"#1e1e2e", "#1e1e2e", "#cdd6f4", [16]string{
		"#45475a", "#f38ba8", "#a6e3a1", "#f9e2af", "#89b4fa", "#f5c2e7", "#94e2d5", "#bac2de",
		"#585b70", "#f38ba8", "#a6e3a1", "#f9e2af", "#89b4fa", "#f5c2e7", "#94e2d5", "#ffffff"}}
}

func lightPalette() palette {
	return palette{"#ffffff", "#d1d9e0", "#1f2328", [16]string{
		"#24292f", "#cf222e", "#1a7f37", "#7d4e00", "#0969da", "#8250df", "#1b7c83", "#6e7781",
		"#57606a", "#a40e26", "#116329", "#633c01", "#0550ae", "#6639ba", "#0d5f66", "#ffffff"}}
}

// The CSS classes: the ground and the text of the terminal, and c0 to c15.
const (
	groundClass = "bg"
	textClass   = "fg"
)

func colorClass(n int) string { return fmt.Sprintf("c%d", n) }

// rules returns the style sheet of a palette.
func (p palette) rules() string {
	var b strings.Builder
	fmt.Fprintf(&b, ".window{fill:%s;stroke:%s}.%s{fill:%s}.%s{fill:%s}", p.background, p.border, groundClass, p.background, textClass, p.foreground)
	for i, color := range p.colors {
		fmt.Fprintf(&b, ".%s{fill:%s}", colorClass(i), color)
	}
	return b.String()
}

// render returns the lines of a screen, each as the content of a group.
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
			fmt.Fprintf(&b, `<rect x="%.1f" y="3" width="%.1f" height="16" class="%s" opacity=".7"/>`, float64(s.x)*cellWidth, cellWidth, textClass)
		}
		lines[y] = b.String()
	}
	return lines
}

// drawRun draws cells of one style. Each wide character is positioned
// separately, so that columns align with any font.
func drawRun(b *strings.Builder, x int, run []cell) {
	st := run[0].style
	fg, bg := textClass, ""
	if st.fg >= 0 {
		fg = colorClass(st.fg)
	}
	if st.bg >= 0 {
		bg = colorClass(st.bg)
	}
	if st.reversed {
		if bg == "" {
			bg = groundClass
		}
		fg, bg = bg, fg
	}
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="1" width="%.1f" height="%d" class="%s"/>`, float64(x)*cellWidth, float64(len(run))*cellWidth, lineHeight, bg)
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
	attributes := fmt.Sprintf(` class="%s"`, fg)
	if st.bold {
		attributes += ` font-weight="bold"`
	}
	if st.faint {
		attributes += fmt.Sprintf(` opacity="%g"`, faintness)
	}
	fmt.Fprintf(b, `<text y="15" xml:space="preserve"%s>%s</text>`, attributes, text.String())
}

// renderPicture returns an SVG that plays the frames. Without animation (a converter to PNG,
// a reader who prefers reduced motion) it shows the last frame. It is light, or dark if
// the reader's browser prefers that.
func renderPicture(frames []frame, cols, rows int, end float64, title string) string {
	w, h := float64(cols)*cellWidth+2*marginX, float64(rows*lineHeight+marginY+16)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img">`+"\n<title>%s</title>\n", w, h, w, h, html.EscapeString(title))
	b.WriteString("<style>\ntext{font-family:'JetBrains Mono','SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Noto Sans Mono CJK SC','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',monospace;")
	fmt.Fprintf(&b, "white-space:pre}\n%s\n@media(prefers-color-scheme:dark){%s}\n@media(prefers-reduced-motion:no-preference){#film{animation:play %.2fs steps(1,end) infinite}}\n@keyframes play{\n", lightPalette().rules(), darkPalette().rules(), end)
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
	fmt.Fprintf(&b, "</defs>\n<rect class=\"window\" x=\".5\" y=\".5\" width=\"%.0f\" height=\"%.0f\" rx=\"10\"/>\n", w-1, h-1)
	for i, color := range []string{"#ed6a5e", "#e5b94e", "#61c454"} {
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
