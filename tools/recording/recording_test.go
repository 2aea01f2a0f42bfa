package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const docs = "../../docs"

// The recordings in docs end with a complete Message-ID, and the text after a label
// continues below its own first line.
func TestRecordedScreens(t *testing.T) {
	t.Parallel()
	for _, d := range dialogues() {
		t.Run(d.file, func(t *testing.T) {
			t.Parallel()
			lines := strings.Split(played(t, d.file), "\n")
			if !regexp.MustCompile(`(?m)^  Message-ID: <[a-z2-7]{26}@qq\.com>$`).MatchString(strings.Join(lines, "\n")) {
				t.Errorf("no whole Message-ID:\n%s", strings.Join(lines, "\n"))
			}
			labels := 0
			for i, line := range lines {
				label := regexp.MustCompile(`^(Why: |What to do: |原因：|怎么办：)`).FindString(line)
				if label == "" {
					continue
				}
				labels++
				indent := 0
				for _, r := range label {
					indent += cellsOf(r)
				}
				for _, next := range lines[i+1:] {
					if !strings.HasPrefix(next, " ") { // the next part
						break
					}
					if got := len(next) - len(strings.TrimLeft(next, " ")); got != indent {
						t.Errorf("%q is %d columns in, below text %d columns in: %q", next, got, indent, line)
					}
				}
			}
			if labels != 2 {
				t.Errorf("%d labels, want the reason and the advice", labels)
			}
		})
	}
}

// The recordings of the demo show all of it on one screen, from the command to the
// next prompt, with no line broken by the edge.
func TestRecordedDemos(t *testing.T) {
	t.Parallel()
	for _, d := range demos() {
		lines := strings.Split(strings.TrimSpace(played(t, d.file)), "\n")
		if lines[0] != "$ yan demo --relay" || lines[len(lines)-1] != "$" {
			t.Errorf("%s begins with %q and ends with %q", d.file, lines[0], lines[len(lines)-1])
		}
		for _, want := range []string{"535 5.7.139", "250 2.0.0 kept as 1", "XOAUTH2 ****", "Scanner <me@contoso.onmicrosoft.com>"} {
			if !strings.Contains(strings.Join(lines, "\n"), want) {
				t.Errorf("%s: no %q", d.file, want)
			}
		}
	}
}

// Each picture is well-formed XML, matches its recording, and takes its colors
// from rules, so that it is light and dark.
func TestPicturesAreLightAndDark(t *testing.T) {
	t.Parallel()
	var files []string
	for _, d := range dialogues() {
		files = append(files, d.file)
	}
	for _, d := range demos() {
		files = append(files, d.file)
	}
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(docs, file+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		for tokens := xml.NewDecoder(bytes.NewReader(content)); ; {
			token, err := tokens.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			start, ok := token.(xml.StartElement)
			if !ok || start.Name.Local == "circle" { // the buttons of the window
				continue
			}
			for _, a := range start.Attr {
				if a.Name.Local == "fill" {
					t.Errorf("%s: a %s has the color %s in both modes", file, start.Name.Local, a.Value)
				}
			}
		}
		for _, rules := range []string{lightPalette().rules(), "@media(prefers-color-scheme:dark){" + darkPalette().rules() + "}", "Message-ID: &lt;r5mzkq3cduxw7nthg2vyoa6bei@"} {
			if !bytes.Contains(content, []byte(rules)) {
				t.Errorf("%s.svg lacks %s", file, rules)
			}
		}
	}
}

// A sequence that sets a keyboard mode looks like a color but is none.
func TestKeyboardModesAreNoColors(t *testing.T) {
	t.Parallel()
	s := newScreen(10, 1)
	s.write([]byte("\x1b[>4;2m\x1b[=1;1u\x1b[36;1ma"))
	if got, want := s.cells[0][0], (cell{"a", style{fg: 6, bg: -1, bold: true}}); got != want {
		t.Errorf("drawn %+v, want %+v", got, want)
	}
}

// Text and the colors that yan uses have enough contrast with the ground (WCAG:
// 4.5), even the faint text.
func TestContrast(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]palette{"light": lightPalette(), "dark": darkPalette()} {
		ground := channels(t, p.background)
		text := channels(t, p.foreground)
		faint := text
		for i := range faint {
			faint[i] = faintness*text[i] + (1-faintness)*ground[i]
		}
		shown := map[string][3]float64{"text": text, "faint text": faint}
		for n := 1; n <= 6; n++ {
			shown[colorClass(n)], shown[colorClass(n+8)] = channels(t, p.colors[n]), channels(t, p.colors[n+8])
		}
		for what, color := range shown {
			if got := contrast(color, ground); got < 4.5 {
				t.Errorf("%s: contrast of %s is %.1f", name, what, got)
			}
		}
	}
}

// played returns the last screen of a recording, by line, without trailing blanks.
func played(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(docs, file+".cast"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(content), []byte("\n"))
	var header struct{ Width, Height int }
	if err := json.Unmarshal(lines[0], &header); err != nil {
		t.Fatal(err)
	}
	s := newScreen(header.Width, header.Height)
	for _, line := range lines[1:] {
		var e []any
		if err := json.Unmarshal(line, &e); err != nil || len(e) != 3 {
			t.Fatalf("%s: %v", line, err)
		}
		s.write([]byte(e[2].(string)))
	}
	return regexp.MustCompile(`(?m) +$`).ReplaceAllString(s.text(), "")
}

func channels(t *testing.T, color string) (rgb [3]float64) {
	t.Helper()
	for i := range rgb {
		n, err := strconv.ParseUint(color[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		rgb[i] = float64(n)
	}
	return rgb
}

// contrast returns the contrast ratio of WCAG 2.
func contrast(a, b [3]float64) float64 {
	luminance := func(rgb [3]float64) float64 {
		sum := 0.0
		for i, weight := range []float64{.2126, .7152, .0722} {
			v := rgb[i] / 255
			if v <= .04045 {
				v /= 12.92
			} else {
				v = math.Pow((v+.055)/1.055, 2.4)
			}
			sum += weight * v
		}
		return sum
	}
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + .05) / (min(la, lb) + .05)
}
