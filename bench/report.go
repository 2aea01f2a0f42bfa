package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// report is everything that was measured; results.json holds it.
type report struct {
	Date    time.Time         `json:"date"`
	Go      string            `json:"go"`
	System  string            `json:"system"`
	Cores   int               `json:"cores"`
	Modules map[string]string `json:"modules"` // of the peers, by version
	Rounds  int               `json:"rounds"`
	Rows    []reportRow       `json:"rows"`
	Targets []target          `json:"targets"`
}

type reportRow struct {
	Name    string            `json:"name"`
	Unit    string            `json:"unit"`
	Higher  bool              `json:"higher_is_better"`
	Figures map[string]figure `json:"figures"` // by contender
}

// figure is the median of a row's samples, one for each round.
type figure struct {
	Median  float64   `json:"median"`
	Lowest  float64   `json:"lowest"`
	Highest float64   `json:"highest"`
	Samples []float64 `json:"samples"`
}

// target is what this project promises of itself.
type target struct {
	Row   string  `json:"row"`
	Wants string  `json:"wants"`
	Got   float64 `json:"got"`
	Met   bool    `json:"met"`
}

func newReport(rounds int) *report {
	r := &report{Date: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Cores: runtime.NumCPU(), Modules: map[string]string{}, Rounds: rounds}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if strings.Contains(module.Path, "go-mail") {
				r.Modules[module.Path] = module.Version
			}
		}
	}
	return r
}

func newFigure(samples []float64) figure {
	sorted := slices.Sorted(slices.Values(samples))
	median := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		median = (median + sorted[len(sorted)/2-1]) / 2
	}
	return figure{Median: median, Lowest: sorted[0], Highest: sorted[len(sorted)-1], Samples: samples}
}

// judge holds the medians against the promises: ahead of go-mail on every
// row, and the bounds below.
func (r *report) judge() {
	bounds := map[string]float64{
		"waited for one message to 1, PIPELINING, policy any":  2,
		"waited for one message to 1, PIPELINING, policy all":  2,
		"waited for one message to 50, PIPELINING, policy any": 2,
		"waited for one message to 50, PIPELINING, policy all": 2,
		"waited for one message to 1, CHUNKING, policy any":    1,
		"waited for one message to 1, CHUNKING, policy all":    1,
		"waited for one message to 50, CHUNKING, policy any":   1,
		"waited for one message to 50, CHUNKING, policy all":   2,
		"peak memory, attachment of 50 MB":                     25,
	}
	for _, row := range r.Rows {
		ours, theirs := row.Figures[yanContender{}.name()].Median, row.Figures[goMail{}.name()].Median
		ahead := ours < theirs
		if row.Higher {
			ahead = ours > theirs
		}
		r.Targets = append(r.Targets, target{row.Name, fmt.Sprintf("ahead of %s (%s)", goMail{}.name(), number(theirs)), ours, ahead})
		bound, ok := bounds[row.Name]
		if !ok {
			continue
		}
		delete(bounds, row.Name)
		// Round trips are whole: what is over is the work of a slow machine.
		const slack = 0.3
		met := ours <= bound
		if row.Unit == "round trips" {
			met = ours < bound+slack
		}
		r.Targets = append(r.Targets, target{row.Name, "at most " + number(bound), ours, met})
	}
	for name := range bounds {
		r.Targets = append(r.Targets, target{Row: name, Wants: "to be measured"})
	}
}

func (r *report) missed() []target {
	return slices.DeleteFunc(slices.Clone(r.Targets), func(t target) bool { return t.Met })
}

// table prints the report in Markdown.
func (r *report) table(w io.Writer) {
	names := make([]string, 0, len(contenders()))
	for _, c := range contenders() {
		names = append(names, c.name())
	}
	var versions []string
	for path, version := range r.Modules {
		versions = append(versions, path+" "+version)
	}
	fmt.Fprintf(w, "\nMedians of %d interleaved rounds (lowest – highest); %s, %s, %d cores; %s.\n\n",
		r.Rounds, r.Go, r.System, r.Cores, strings.Join(versions, ", "))
	fmt.Fprintf(w, "| | %s |\n| --- |%s\n", strings.Join(names, " | "), strings.Repeat(" ---: |", len(names)))
	for _, row := range r.Rows {
		fmt.Fprintf(w, "| %s: %s |", row.Unit, row.Name)
		for _, name := range names {
			f := row.Figures[name]
			fmt.Fprintf(w, " %s (%s – %s) |", number(f.Median), number(f.Lowest), number(f.Highest))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
}

// number prints three digits that count.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func (r *report) write(path string) error {
	content, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(content, '\n'), 0o644)
}
