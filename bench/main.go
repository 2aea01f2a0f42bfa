// Command bench measures this project beside its peers, in one run, on the
// same server:
//
//	go run . -rounds 5 -json results.json
//
// The server (sink) keeps every message; when the clock has stopped each must
// be there, once and whole, or the run fails. A link makes the way to it long.
// The contenders take turns in every round, so that what else the machine
// does falls on all of them; the table shows medians and ranges.
//
// Exit status: 0; 1 when a contender's mail did not arrive or something
// failed; 2 when everything was measured and a promise was not kept.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
)

func main() {
	rounds := flag.Int("rounds", 5, "how often each figure is taken")
	results := flag.String("json", "results.json", "where everything measured is written")
	text := flag.String("errand", "", "used by the program itself: send one message and print the memory used")
	extension := flag.String("sink", "", "used by the program itself: be a sink with this extension")
	flag.Parse()
	if *extension != "" {
		if err := runSink(*extension); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *text != "" {
		if err := runErrand(ctx, *text); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if *rounds < 1 {
		fmt.Fprintln(os.Stderr, "bench: -rounds must be at least 1")
		os.Exit(64)
	}
	measured, err := measureAll(ctx, *rounds)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	measured.table(os.Stdout)
	if err := measured.write(*results); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	missed := measured.missed()
	for _, t := range missed {
		fmt.Printf("MISSED: %s: %s, wanted %s\n", t.Row, number(t.Got), t.Wants)
	}
	if len(missed) > 0 {
		os.Exit(2)
	}
	fmt.Printf("All %d promises kept.\n", len(measured.Targets))
}

func measureAll(ctx context.Context, rounds int) (*report, error) {
	dir, err := os.MkdirTemp("", "yan-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	attachment := filepath.Join(dir, "attachment.bin")
	if err := writeAttachment(attachment, attachmentSize); err != nil {
		return nil, fmt.Errorf("write the attachment: %w", err)
	}
	c, err := newCourse(attachment, startSinkProcess)
	if err != nil {
		return nil, err
	}
	defer c.close()
	rows := c.rows()
	samples := make([]map[string][]float64, len(rows))
	for i := range samples {
		samples[i] = map[string][]float64{}
	}
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
		for i, row := range rows {
			for _, who := range turns(round) {
				if row.policyAll && !who.honours() {
					samples[i][who.name()] = samples[i-1][who.name()]
					continue
				}
				value, err := row.measure(ctx, who)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", row.name, who.name(), err)
				}
				samples[i][who.name()] = append(samples[i][who.name()], value)
			}
		}
	}
	r := newReport(rounds)
	for i, row := range rows {
		line := reportRow{Name: row.name, Unit: row.unit, Higher: row.higher, Figures: map[string]figure{}}
		for name, values := range samples[i] {
			line.Figures[name] = newFigure(values)
		}
		r.Rows = append(r.Rows, line)
	}
	r.judge()
	return r, nil
}

// turns is the order of the contenders in a round: another one goes first.
func turns(round int) []contender {
	all := contenders()
	first := round % len(all)
	return slices.Concat(all[first:], all[:first])
}
