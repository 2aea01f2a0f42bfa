package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The charts in the READMEs show the figures of results.json.
func TestChartsAreOfTheResults(t *testing.T) {
	t.Parallel()
	r := committed(t)
	if len(charts()) != 4 {
		t.Errorf("%d charts, want wide and narrow, each in two languages", len(charts()))
	}
	for _, c := range charts() {
		file := "chart" + c.suffix
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, r.draw(c.layout, c.words)) {
			t.Errorf("%s is not what results.json draws; run go run . -draw", file)
		}
		wellFormed(t, file, len(r.panels()))
	}
	for _, page := range []struct{ file, language string }{{"../README.md", ""}, {"../README.zh-CN.md", ".zh-CN"}} {
		content, err := os.ReadFile(page.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{`<source media="(max-width: 767px)" srcset="bench/chart-narrow` + page.language + `.svg">`, `src="bench/chart` + page.language + `.svg"`} {
			if !strings.Contains(string(content), part) {
				t.Errorf("%s lacks %s", page.file, part)
			}
		}
	}
}

// A phone of 375 pixels shows the narrow chart in 343, with letters of at least
// 11; and no text is wider than its chart.
func TestChartTextIsReadable(t *testing.T) {
	t.Parallel()
	r := committed(t)
	for _, c := range charts() {
		t.Run(c.suffix, func(t *testing.T) {
			t.Parallel()
			scale := 1.0
			if strings.Contains(c.suffix, "narrow") {
				scale = 343 / float64(c.layout.width())
			}
			if least := scale * float64(min(c.layout.small, c.layout.text, c.layout.title)); least < 11 {
				t.Errorf("letters of %.1f pixels", least)
			}
			if c.layout.barWidth() < 100 {
				t.Errorf("bars of %d pixels at most", c.layout.barWidth())
			}
			texts := textsOf(t, r.draw(c.layout, c.words))
			if len(texts) < 60 {
				t.Fatalf("%d texts seen", len(texts))
			}
			for _, text := range texts {
				size := c.layout.text
				if text.size != 0 {
					size = text.size
				}
				wide := estimateWidth(text.words, size, strings.Contains(text.class, "title"))
				left, right, within := text.x, text.x+wide, float64(c.layout.panel)
				if text.end {
					left, right = text.x-wide, text.x
				}
				if !text.inPanel {
					within = float64(c.layout.width())
				}
				if left < 4 || right > within-4 {
					t.Errorf("%q is from %.0f to %.0f of %.0f", text.words, left, right, within)
				}
			}
		})
	}
}

// The footer is true: a program without a bar in a panel has no figure there.
func TestNoBarMeansNotMeasured(t *testing.T) {
	t.Parallel()
	r := committed(t)
	inChart := map[string]bool{}
	for _, p := range r.panels() {
		row, ok := r.row(p.row)
		if !ok {
			t.Fatalf("no row %s", p.row)
		}
		for _, who := range row.shownContenders() {
			inChart[who] = true
		}
	}
	for _, p := range r.panels() {
		row, _ := r.row(p.row)
		bars := fmt.Sprint(row.shownContenders())
		for who := range row.Figures {
			if inChart[who] && !strings.Contains(bars, who) {
				t.Errorf("%s: %s was measured but has no bar", p.row, who)
			}
		}
	}
}

// The Chinese chart is in Chinese, except for names and terms without a Chinese
// word.
func TestChineseChartIsChinese(t *testing.T) {
	t.Parallel()
	r := committed(t)
	words := chineseChart()
	same := map[string]bool{}
	for _, name := range append(senders(), curl, msmtp) {
		same[name] = true
	}
	for _, p := range r.panels() {
		row, _ := r.row(p.row)
		for _, english := range append(row.shownContenders(), p.title, row.Unit) {
			if said, has := words.words[english]; !has && !same[english] || has && said == "" {
				t.Errorf("%q has no Chinese", english)
			}
		}
	}
	for _, text := range textsOf(t, r.draw(narrowLayout(), words)) {
		if regexp.MustCompile(`\b(better|same|median|server|message|measured|range|memory)`).MatchString(text.words) {
			t.Errorf("%q is English", text.words)
		}
		if regexp.MustCompile(`^[，。：；、）]`).MatchString(text.words) {
			t.Errorf("%q begins a line with punctuation that closes", text.words)
		}
	}
}

// In light and dark mode, text has enough contrast with the ground (WCAG: 4.5),
// and so do bars (3).
func TestChartContrast(t *testing.T) {
	t.Parallel()
	lightRules, darkRules, ok := strings.Cut(chartStyle, "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("no dark colors")
	}
	for name, rules := range map[string]string{"light": lightRules, "dark": darkRules} {
		fill := func(class string) string {
			found := regexp.MustCompile(`\.` + class + `\b[^{]*\{ fill: (#[0-9a-f]{6})`).FindStringSubmatch(rules)
			if found == nil {
				t.Fatalf("%s: no color of %s", name, class)
			}
			return found[1]
		}
		for class, least := range map[string]float64{"title": 4.5, "text": 4.5, "faint": 4.5, "ours": 3, "peer": 3} {
			if got := contrast(fill(class), fill("ground")); got < least {
				t.Errorf("%s: contrast of %s is %.1f, want %.1f", name, class, got, least)
			}
		}
	}
}

func committed(t *testing.T) *report {
	t.Helper()
	r, err := readReport("results.json")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type chartText struct {
	words, class string
	x            float64
	size         int
	end, inPanel bool
}

func textsOf(t *testing.T, svg []byte) []chartText {
	t.Helper()
	var texts []chartText
	inPanel, open := false, false
	for tokens := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := tokens.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inPanel = inPanel || token.Name.Local == "g"
			if open = token.Name.Local == "text"; open {
				text := chartText{inPanel: inPanel}
				for _, a := range token.Attr {
					switch a.Name.Local {
					case "class":
						text.class = a.Value
					case "x":
						text.x, _ = strconv.ParseFloat(a.Value, 64)
					case "font-size":
						text.size, _ = strconv.Atoi(a.Value)
					case "text-anchor":
						text.end = a.Value == "end"
					}
				}
				texts = append(texts, text)
			}
		case xml.EndElement:
			if open = false; token.Name.Local == "g" {
				inPanel = false
			}
		case xml.CharData:
			if open {
				texts[len(texts)-1].words += string(token)
			}
		}
	}
}

// contrast returns the contrast ratio of WCAG 2.
func contrast(a, b string) float64 {
	luminance := func(color string) float64 {
		sum := 0.0
		for i, weight := range []float64{.2126, .7152, .0722} {
			n, _ := strconv.ParseUint(color[1+2*i:3+2*i], 16, 8)
			v := float64(n) / 255
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
