package queuecmd

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/cli/outboxes"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) statsCommand() *cobra.Command {
	q := &queueFlags{}
	cmd := &cobra.Command{
		Use:     "stats",
		Short:   a.T("Show counts, workers and paused accounts of the outbox"),
		Long:    a.T("Count the recipients of each account by state, list the running workers and the paused accounts with the reason, and show the size of the outbox."),
		Example: "  yan queue stats\n  yan queue stats --json",
		Args:    a.AtMost(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.queueStats(cmd.Context(), q) },
	}
	q.registerFlags(a.chooser, cmd)
	return cmd
}

// statsPrinter prints the counts of an outbox.
type statsPrinter struct{ describer }

func (a *queueCommands) queueStats(ctx context.Context, q *queueFlags) error {
	store, err := a.OpenReadOnly(ctx, q.outbox)
	if err != nil {
		return err
	}
	where := outbox.DescribeName(a.OutboxName(q.outbox))
	stats := queue.Stats{Free: -1}
	if store != nil {
		defer store.Close() // opened for reading only
		if stats, err = store.Stats(ctx); err != nil {
			return a.OutboxProblem(q.outbox, err)
		}
	}
	switch {
	case q.json:
		a.PrintJSON(newStats(where, stats))
	case store == nil:
		a.Errf("%s\n", a.T("There is no outbox in %s yet: 'yan send --queue' creates it.", command.QuoteName(where)))
	default:
		statsPrinter{a.describer}.printStats(where, stats)
	}
	return nil
}

func (a statsPrinter) printStats(where string, stats queue.Stats) {
	room := ""
	if stats.Bytes > 0 {
		room = " · " + console.Size(stats.Bytes)
	}
	if stats.Free >= 0 {
		room += " · " + a.T("%s free", console.Size(stats.Free))
	}
	a.Outf("%s%s\n", console.Visible(where), room)
	if len(stats.Accounts) == 0 {
		a.Outf("%s\n", a.T("The outbox is empty."))
	} else {
		a.Outf("\n")
		a.Table(a.countRows(stats))
	}
	a.Outf("\n")
	if !stats.Oldest.IsZero() {
		a.Outf("%s\n", a.T("The oldest waiting message was enqueued %s.", a.Away(stats.Oldest)))
	}
	for _, w := range stats.Workers {
		if w.For <= 0 {
			continue
		}
		a.Outf("%s\n", a.T("%s has been sending since %s.", a.T("process %d on %s", w.PID, console.Visible(w.Host)), a.Moment(w.Since)))
	}
	for _, line := range a.outboxWarnings(stats) {
		a.Outf("%s\n", console.WrapIndented(line, "", a.StdoutWidth))
	}
	if !outboxes.HasWorker(stats) {
		a.Outf("%s\n", console.WrapIndented(a.T("No worker is running: run 'yan queue run' to send due messages once, or 'yan serve' to keep sending."), "", a.StdoutWidth))
	}
	for _, acc := range stats.Accounts {
		if acc.PausedFor > 0 {
			a.Outf("\n%s\n", a.pauseLine(acc.Account, acc.PausedFor, acc.PauseAnswer))
			a.explainAnswer(a.Stdout, a.StdoutWidth, queue.Deferred, acc.PauseAnswer, a.providerOf(acc.Account))
		}
	}
}

// countRows returns a line for each account, with a column for each state in use.
func (a statsPrinter) countRows(stats queue.Stats) [][]string {
	var used []queue.State
	for _, s := range queue.States() {
		for _, acc := range stats.Accounts {
			if acc.Count[s] > 0 {
				used = append(used, s)
				break
			}
		}
	}
	head := []string{a.T("ACCOUNT")}
	for _, s := range used {
		head = append(head, a.stateWord(s))
	}
	rows := [][]string{head}
	for _, acc := range stats.Accounts {
		row := []string{console.Visible(acc.Account)}
		for _, s := range used {
			row = append(row, strconv.Itoa(acc.Count[s]))
		}
		rows = append(rows, row)
	}
	return rows
}

func newStats(where string, stats queue.Stats) jsonout.QueueStats {
	j := jsonout.QueueStats{Outbox: where, Accounts: []jsonout.QueueAccount{}, Workers: []jsonout.QueueWorker{}, Oldest: jsonout.OptionalTime(stats.Oldest), Bytes: stats.Bytes,
		Copied: stats.Copied, Ahead: int64(stats.Ahead.Seconds())}
	if stats.Free >= 0 {
		j.Free = &stats.Free
	}
	for _, acc := range stats.Accounts {
		j.Accounts = append(j.Accounts, jsonout.QueueAccount{Account: acc.Account, Count: countJSON(acc.Count),
			PausedSeconds: int64((acc.PausedFor + time.Second - 1) / time.Second), RecipientAnswer: newAnswer(acc.PauseAnswer)})
	}
	for _, w := range stats.Workers {
		j.Workers = append(j.Workers, jsonout.QueueWorker{Host: w.Host, PID: w.PID, Since: w.Since.UTC(), LeaseSeconds: int64(w.For.Seconds())})
	}
	return j
}

func countJSON(counts map[queue.State]int) map[string]int {
	j := map[string]int{}
	for s, n := range counts {
		j[string(s)] = n
	}
	return j
}
