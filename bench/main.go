// Command bench measures this project and its peers, in one run, on the same
// servers:
//
//	go run . -rounds 5 -json results.json -svg chart.svg
//
// The server (sink) keeps every message; after the clock has stopped each must
// be there, once and complete, or the run fails. Postfix's smtp-sink, which
// replaces it in some rows, counts them. A link adds delay to a server. Each
// contender sends from its own process (worker). They take turns in every
// round, so that other load on the machine affects all of them; the table shows
// medians and ranges, and the reason for each missing figure.
//
// tools.sh fetches required programs that are missing. A peer that fails is
// shown with its failure; this project must not fail.
//
// Exit status: 0; 1 if mail did not arrive or something failed; 2 if everything
// was measured and a target was missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// The arguments with which the program starts itself.
const (
	asWorker = "as-worker"
	asSink   = "as-sink"
	asOutbox = "as-outbox"
	asDoor   = "as-door"
)

func main() {
	if started, err := runAs(os.Args[1:]); started {
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	rounds := flag.Int("rounds", 5, "how often each figure is taken")
	results := flag.String("json", "results.json", "where everything measured is written")
	chart := flag.String("svg", "chart.svg", "where the chart is written; beside it one for narrow pages, and both in Chinese")
	only := flag.String("only", "", "measure only rows whose id contains this; the chart is left out")
	quick := flag.Bool("quick", false, "tiny runs, to see that everything works: the figures say nothing")
	draw := flag.Bool("draw", false, "measure nothing: draw the charts from the file of -json again")
	flag.Parse()
	if *rounds < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(64)
	}
	if *draw {
		exit(drawAgain(*results, *chart))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	amount := fullSizes()
	if *quick {
		amount = quickSizes()
	}
	measured, err := measureAll(ctx, *rounds, amount, *only)
	if err != nil {
		exit(err)
	}
	measured.judge(*only)
	measured.table(os.Stdout)
	if err := measured.write(*results); err != nil {
		exit(err)
	}
	if *only == "" {
		if err := measured.drawAll(*chart); err != nil {
			exit(err)
		}
	}
	if missed := measured.missed(); missed > 0 {
		fmt.Printf("%d of %d promises not kept.\n", missed, len(measured.Targets))
		os.Exit(2)
	}
	if len(measured.Targets) == 0 {
		fmt.Println("No promise is about the rows that were measured.")
		return
	}
	fmt.Printf("All %d promises kept.\n", len(measured.Targets))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runAs runs the part for which the program has started itself.
func runAs(arguments []string) (started bool, err error) {
	if len(arguments) == 0 {
		return false, nil
	}
	switch arguments[0] {
	case asWorker:
		return true, runWorker(context.Background(), arguments[1], arguments[2])
	case asSink:
		return true, runSink(arguments[1], arguments[2])
	case asOutbox:
		return true, runOutbox(arguments[1])
	case asDoor:
		return true, runDoorProcess(arguments[1])
	}
	return false, nil
}

func drawAgain(results, chart string) error {
	r, err := readReport(results)
	if err != nil {
		return err
	}
	return r.drawAll(chart)
}

func measureAll(ctx context.Context, rounds int, amount sizes, only string) (*report, error) {
	folder, err := os.MkdirTemp("", "yan-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	c, err := newCourse(ctx, folder, amount)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var ledgers []*sampleLedger
	var ids []string
	for _, e := range c.experiments() {
		for _, row := range e.rows {
			ids = append(ids, row.ID)
		}
		if slices.ContainsFunc(e.rows, func(row reportRow) bool { return strings.Contains(row.ID, only) }) {
			ledgers = append(ledgers, newLedger(e, c))
		}
	}
	if len(ledgers) == 0 {
		return nil, fmt.Errorf("no row has %q in its id; the ids are %s", only, strings.Join(ids, ", "))
	}
	yard, err := measureYardstick(folder, amount.yardstick, amount.loopback)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	for round := range rounds {
		for i, l := range ledgers {
			fmt.Fprintf(os.Stderr, "%s round %d of %d, %d of %d: %s\n", time.Since(begun).Round(time.Second), round+1, rounds, i+1, len(ledgers), l.rows[0].Name)
			for _, who := range turnOrder(l.participants(), round) {
				if err := l.takeTurn(ctx, c, who, round); err != nil {
					return nil, fmt.Errorf("%s, %s: %w", l.rows[0].Name, who, err)
				}
			}
		}
	}
	r := newReport(rounds, c.tools)
	r.Yardstick = yard
	for _, l := range ledgers {
		r.addSamples(l)
	}
	return r, nil
}

// sampleLedger is an experiment with its samples so far.
type sampleLedger struct {
	experiment
	samples map[string][][]float64 // of each contender, for each round, the values of the rows
	missing map[string]string      // why a contender has none
}

func newLedger(e experiment, c *course) *sampleLedger {
	l := &sampleLedger{experiment: e, samples: map[string][][]float64{}, missing: map[string]string{}}
	maps.Copy(l.missing, e.absent)
	for _, who := range e.participants() {
		if reason := c.missingReason(who); reason != "" {
			l.missing[who] = reason
		}
	}
	return l
}

// takeTurn measures a contender once. A peer that fails is removed from the
// experiment; a failure of this project, or a changed message, is an error.
func (l *sampleLedger) takeTurn(ctx context.Context, c *course, who string, round int) error {
	if l.missing[who] != "" {
		return nil
	}
	values, err := l.measure(ctx, who)
	if err == nil {
		l.samples[who] = append(l.samples[who], values)
		return nil
	}
	if ctx.Err() != nil || who == ours || errors.Is(err, errArrival) {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s failed: %v\n", who, err)
	l.missing[who] = fmt.Sprintf("it failed in round %d: %v", round+1, err)
	delete(l.samples, who)
	c.dismissWorker(who)
	return c.forgetArrivals()
}

// turnOrder returns the order of the contenders in a round: each round starts with
// another one.
func turnOrder(all []string, round int) []string {
	if len(all) == 0 {
		return nil
	}
	first := round % len(all)
	return slices.Concat(all[first:], all[:first])
}
