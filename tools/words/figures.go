package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// figure is a measure with the value it may have and the value it should get.
type figure struct {
	name        string
	value, goal float64
}

func (p *project) figures() []figure {
	var list []figure
	for _, kind := range []string{comments, documents, sentences} {
		var c counts
		for _, passage := range p.texts[kind] {
			c.add(countText(passage.text))
		}
		per := func(n int) float64 {
			if c.words == 0 {
				return 0
			}
			return 1000 * float64(n) / float64(c.words)
		}
		list = append(list,
			figure{kind + ".headless-what", per(c.what), 1},
			figure{kind + ".nobody-whoever", per(c.body), 0.3},
			figure{kind + ".behind-for-after", per(c.after), 0.2},
			figure{kind + ".phrases", per(c.turns), 0.1})
	}
	short, shared := p.shares()
	list = append(list, figure{"functions.one-word-percent", short, 45}, figure{"types.shared-percent", shared, 18})
	for i := range list {
		list[i].value = math.Round(10*list[i].value) / 10
	}
	return list
}

// parseFigures reads lines of a name, a value and a goal.
func parseFigures(source string) (map[string]float64, error) {
	kept := map[string]float64{}
	for n, line := range strings.Split(source, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("line %d: want a name, a value and a goal", n+1)
		}
		value, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		kept[fields[0]] = value
	}
	return kept, nil
}

// compare prints the figures that differ and returns how many are too high: above the
// kept value and above the goal.
func compare(out io.Writer, kept map[string]float64, measured []figure) (rose int) {
	for _, f := range measured {
		was, known := kept[f.name]
		switch {
		case !known:
			fmt.Fprintf(out, "words: %s is not in the file; it is %.1f\n", f.name, f.value)
			rose++
		case f.value > was && f.value > f.goal:
			fmt.Fprintf(out, "words: %s has risen from %.1f to %.1f (goal %.1f)\n", f.name, was, f.value, f.goal)
			rose++
		case f.value < was:
			fmt.Fprintf(out, "words: %s has fallen from %.1f to %.1f (goal %.1f); `make words` keeps that\n", f.name, was, f.value, f.goal)
		}
	}
	return rose
}

// lower returns the measured figures, none above the kept one.
func lower(kept map[string]float64, measured []figure) []figure {
	for i, f := range measured {
		if was, known := kept[f.name]; known && was < f.value {
			measured[i].value = was
		}
	}
	return measured
}

func format(list []figure) string {
	var b strings.Builder
	b.WriteString("# The English of the project, measured by `go run ./words`: figure, highest value that is\n" +
		"# accepted, goal. Per 1,000 words, or percent. `make words` lowers the values; never raise one.\n")
	for _, f := range list {
		fmt.Fprintf(&b, "%-32s %5.1f %5.1f\n", f.name, f.value, f.goal)
	}
	return b.String()
}
