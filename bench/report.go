package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// report contains all measurements; results.json stores it.
type report struct {
	Date     time.Time         `json:"date"`
	Go       string            `json:"go"`
	System   string            `json:"system"`
	Cores    int               `json:"cores"`
	Versions map[string]string `json:"versions"` // of the peers
	Rounds   int               `json:"rounds"`
	// Yardstick says how fast the machine was at the beginning.
	Yardstick yardstick       `json:"yardstick"`
	Rows      []reportRow     `json:"rows"`
	Targets   []promiseResult `json:"targets"`
}

type reportRow struct {
	ID      string               `json:"id"`
	Name    string               `json:"name"`
	Unit    string               `json:"unit"`
	Higher  bool                 `json:"higher_is_better"`
	Figures map[string]rowFigure `json:"figures"` // by contender
	// Missing maps each sender without a figure to the reason.
	Missing map[string]string `json:"missing,omitempty"`
}

// rowFigure is the median of a row's samples, one for each round.
type rowFigure struct {
	Median  float64   `json:"median"`
	Lowest  float64   `json:"lowest"`
	Highest float64   `json:"highest"`
	Samples []float64 `json:"samples"`
}

func newReport(rounds int, t tools) *report {
	r := &report{Date: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Cores: runtime.NumCPU(), Versions: map[string]string{netsmtp: runtime.Version()}, Rounds: rounds}
	for name, tool := range t {
		if tool.Path != "" {
			r.Versions[name] = tool.Version
		}
	}
	names := map[string]string{"github.com/wneessen/go-mail": gomailName, "github.com/emersion/go-smtp": gosmtpName}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if name := names[module.Path]; name != "" {
				r.Versions[name] = module.Version
			}
		}
	}
	return r
}

func newFigure(samples []float64) rowFigure {
	sorted := slices.Sorted(slices.Values(samples))
	median := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		median = (median + sorted[len(sorted)/2-1]) / 2
	}
	return rowFigure{Median: median, Lowest: sorted[0], Highest: sorted[len(sorted)-1], Samples: samples}
}

// addSamples adds the samples of an experiment, round by round.
func (r *report) addSamples(l *sampleLedger) {
	for i, row := range l.rows {
		row.Figures, row.Missing = map[string]rowFigure{}, l.missing
		for who, rounds := range l.samples {
			var values []float64
			for _, round := range rounds {
				values = append(values, round[i])
			}
			row.Figures[who] = newFigure(values)
		}
		r.Rows = append(r.Rows, row)
	}
}

func (r *report) row(id string) (reportRow, bool) {
	at := slices.IndexFunc(r.Rows, func(row reportRow) bool { return row.ID == id })
	if at < 0 {
		return reportRow{}, false
	}
	return r.Rows[at], true
}

// table prints the report in Markdown: a column for each sender, and one for
// contenders in only a few rows.
func (r *report) table(w io.Writer) {
	versions := make([]string, 0, len(r.Versions))
	for name, version := range r.Versions {
		if name != netsmtp {
			versions = append(versions, name+" "+version)
		}
	}
	slices.Sort(versions)
	fmt.Fprintf(w, "\nMedians of %d interleaved rounds (lowest – highest); %s, %s, %d cores; %s.\n\n",
		r.Rounds, r.Go, r.System, r.Cores, strings.Join(versions, ", "))
	fmt.Fprintf(w, "This machine: SHA-256 of 1 GB in %.2f s; %.0f fsyncs a second.\n\n", r.Yardstick.HashSeconds, r.Yardstick.Syncs)
	fmt.Fprintf(w, "| | %s | beside |\n| --- |%s --- |\n", strings.Join(senders(), " | "), strings.Repeat(" ---: |", len(senders())))
	var reasons []string // each has a number in the table
	for _, row := range r.Rows {
		fmt.Fprintf(w, "| %s: %s |", row.Unit, row.Name)
		for _, who := range senders() {
			if f, ok := row.Figures[who]; ok {
				fmt.Fprintf(w, " %s |", f)
				continue
			}
			at := slices.Index(reasons, row.Missing[who])
			if at < 0 {
				at = len(reasons)
				reasons = append(reasons, row.Missing[who])
			}
			fmt.Fprintf(w, " – [%d] |", at+1)
		}
		fmt.Fprintf(w, " %s |\n", strings.Join(row.extraContenders(), "; "))
	}
	fmt.Fprintln(w)
	for i, reason := range reasons {
		fmt.Fprintf(w, "[%d] not measured: %s.\n", i+1, reason)
	}
	fmt.Fprintf(w, "%s composes nothing; the figures of it are those of sending the same octets again and again.\n\n", smtpsource)
	for _, t := range r.Targets {
		fmt.Fprintf(w, "%s %s\n", map[bool]string{true: "met:   ", false: "MISSED:"}[t.Met], t)
	}
	fmt.Fprintln(w)
}

// extraContenders lists the contenders in this row only.
func (row reportRow) extraContenders() []string {
	var beside []string
	for _, who := range extraContenders() {
		if f, ok := row.Figures[who]; ok {
			beside = append(beside, fmt.Sprintf("%s %s", who, f))
		} else if reason := row.Missing[who]; reason != "" {
			beside = append(beside, fmt.Sprintf("%s not measured: %s", who, reason))
		}
	}
	return beside
}

func (f rowFigure) String() string {
	return fmt.Sprintf("%s (%s – %s)", formatNumber(f.Median), formatNumber(f.Lowest), formatNumber(f.Highest))
}

// formatNumber formats three significant digits.
func formatNumber(v float64) string {
	switch size := math.Abs(v); {
	case size >= 100:
		return fmt.Sprintf("%.0f", v)
	case size >= 10:
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

func readReport(path string) (*report, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r report
	return &r, json.Unmarshal(content, &r)
}
