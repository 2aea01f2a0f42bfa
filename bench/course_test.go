package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The program starts itself as a worker or a sink, and so does its test.
func TestMain(m *testing.M) {
	if started, err := runAs(os.Args[1:]); started {
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// mostAllocations is the limit of heap allocations for a small message of a
// run. The figure does not vary: a change of one is worth a look.
const mostAllocations = 100

// A word that selects no row is an error.
func TestNoRowIsAnError(t *testing.T) {
	r, err := measureAll(t.Context(), 1, quickSizes(), "no-such-row")
	if err == nil || !strings.Contains(err.Error(), `"no-such-row"`) || !strings.Contains(err.Error(), "waits/PIPELINING") {
		t.Errorf("report %v, error %v; want an error that names the word and the ids", r, err)
	}
}

// A tiny run of everything: each available contender sends in each row, and its
// messages arrive.
func TestEveryRowCanBeMeasured(t *testing.T) {
	r, err := measureAll(t.Context(), 1, quickSizes(), "")
	if err != nil {
		t.Fatal(err)
	}
	r.judge("")
	for _, row := range r.Rows {
		for _, who := range senders() {
			_, measured := row.Figures[who]
			if measured == (row.Missing[who] != "") {
				t.Errorf("%s %s: %s: measured %t, not measured because %q", row.ID, row.Name, who, measured, row.Missing[who])
			}
		}
		for who, reason := range row.Missing {
			if strings.Contains(reason, "failed") {
				t.Errorf("%s: %s: %s", row.ID, who, reason)
			}
		}
	}
	for _, target := range r.Targets {
		if strings.Contains(target.Unknown, "no such row") {
			t.Errorf("promise without a row: %s", target)
		}
	}
	allocations, ok := r.row("allocations")
	if got := allocations.Figures[ours].Median; !ok || got == 0 || got > mostAllocations {
		t.Errorf("%.1f allocations for a small message, want at most %d", got, mostAllocations)
	}
	results := filepath.Join(t.TempDir(), "results.json")
	if err := r.write(results); err != nil {
		t.Fatal(err)
	}
	drawn := filepath.Join(t.TempDir(), "chart")
	if err := drawAgain(results, drawn+".svg"); err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	r.table(&table)
	t.Log(table.String())
	for _, c := range charts() {
		wellFormed(t, drawn+c.suffix, len(r.panels()))
	}
}

func wellFormed(t *testing.T, path string, panels int) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	groups := 0
	for tokens := xml.NewDecoder(file); ; {
		token, err := tokens.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the chart: %v", err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "g" {
			groups++
		}
	}
	if groups != panels {
		t.Errorf("the chart has %d panels, want %d", groups, panels)
	}
}

func TestPromisesAreHeldAgainstTheFigures(t *testing.T) {
	t.Parallel()
	row := func(id string, higher bool, own, peer float64) reportRow {
		return reportRow{ID: id, Name: id, Unit: "x", Higher: higher,
			Figures: map[string]rowFigure{ours: newFigure([]float64{own}), gomailName: newFigure([]float64{peer})},
			Missing: map[string]string{msmtp: "not here"}}
	}
	for _, test := range []struct {
		name string
		row  reportRow
		p    promise
		met  bool
		said string
	}{
		{"bound kept", row("a", false, 1, 9), promise{row: "a", bound: 1}, true, "a: 1.00 x, wanted at most 1.00"},
		{"bound missed", row("a", false, 1.1, 9), promise{row: "a", bound: 1}, false, "a: 1.10 x, wanted at most 1.00"},
		{"at least", row("a", true, 1, 9), promise{row: "a", bound: 1}, true, "a: 1.00 x, wanted 1.00"},
		{"so many times", row("a", true, 10, 2), promise{row: "a", peer: gomailName, times: 5}, true, "a: 10.0 x, wanted 5.00 × go-mail = 10.0 (5.00 ×)"},
		{"not so many times", row("a", true, 9, 2), promise{row: "a", peer: gomailName, times: 5}, false, "a: 9.00 x, wanted 5.00 × go-mail = 10.0 (4.50 ×)"},
		{"a part", row("a", false, 1, 2), promise{row: "a", peer: gomailName, times: .5}, true, "a: 1.00 x, wanted 0.50 × go-mail = 1.00 (0.50 ×)"},
		{"fewest", row("a", false, 6, 7), promise{row: "a", fewest: true}, true, "a: 6.00 x, wanted fewer than each peer"},
		{"not fewest", row("a", false, 6.6, 7), promise{row: "a", fewest: true}, false, "a: 6.60 x, wanted fewer than each peer"},
		{"peer missing", row("a", false, 1, 2), promise{row: "a", peer: msmtp, times: 1}, false, "a: wanted 1.00 × msmtp, not measured: not here"},
		{"row missing", row("a", false, 1, 2), promise{row: "b", bound: 3}, false, "b: wanted to be measured, not measured: there is no such row in this run"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := report{Rows: []reportRow{test.row}}
			if got := r.hold(test.p); got.Met != test.met || got.String() != test.said {
				t.Errorf("met %t: %s\nwant %t: %s", got.Met, got, test.met, test.said)
			}
		})
	}
}

func TestTurns(t *testing.T) {
	t.Parallel()
	all := []string{"a", "b", "c"}
	if got := turnOrder(nil, 1); len(got) != 0 {
		t.Errorf("of no message: %v", got)
	}
	for round, want := range [][]string{{"a", "b", "c"}, {"b", "c", "a"}, {"c", "a", "b"}, {"a", "b", "c"}} {
		if got := turnOrder(all, round); !slices.Equal(got, want) {
			t.Errorf("round %d: %v, want %v", round, got, want)
		}
	}
}
