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
	"github.com/yanmail/yan/internal/cli/times"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/route"
	"github.com/yanmail/yan/queue"
)

func (a *runner) queueStatsCommand() *cobra.Command {
	q := &queueFlags{}
	cmd := &cobra.Command{
		Use:   "stats",
		Short: a.T("Count what is in the outbox, and say who sends it"),
		Long: a.T("Count the recipients of each account by their state, name the workers that send, the accounts that rest and why, " +
			"and say what room the outbox takes."),
		Example: "  yan queue stats\n  yan queue stats --json",
		Args:    a.AtMost(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.queueStats(cmd.Context(), q) },
	}
	q.register(a, cmd)
	return cmd
}

func (a *runner) queueStats(ctx context.Context, q *queueFlags) error {
	store, err := a.OpenReadOnly(ctx, q.outbox)
	if err != nil {
		return err
	}
	where := outbox.Describe(a.OutboxName(q.outbox))
	stats := queue.Stats{Free: -1}
	if store != nil {
		defer store.Close() // only read from
		if stats, err = store.Stats(ctx); err != nil {
			return a.OutboxProblem(q.outbox, err)
		}
	}
	switch {
	case q.json:
		a.PrintJSON(newStats(where, stats))
	case store == nil:
		a.Errf("%s\n", a.T("There is no outbox yet in %s: 'yan send --queue' makes it.", command.Printable(where)))
	default:
		a.tellStats(where, stats)
	}
	return nil
}

func (a *runner) tellStats(where string, stats queue.Stats) {
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
		a.Outf("%s\n", a.T("The oldest that waits was enqueued %s.", a.Away(stats.Oldest)))
	}
	for _, w := range stats.Workers {
		if w.For <= 0 {
			continue
		}
		a.Outf("%s\n", a.T("%s sends, since %s.", a.T("process %d on %s", w.PID, console.Visible(w.Host)), a.Moment(w.Since)))
	}
	for _, line := range a.warnings(stats) {
		a.Outf("%s\n", console.Hang(line, "", a.StdoutWidth))
	}
	if !outboxes.SomebodyWorks(stats) {
		a.Outf("%s\n", console.Hang(a.T("No worker is running: 'yan queue run' sends what is due, 'yan serve' as long as it runs."), "", a.StdoutWidth))
	}
	for _, acc := range stats.Accounts {
		if acc.PausedFor > 0 {
			a.Outf("\n%s\n", a.pauseLine(acc.Account, acc.PausedFor, acc.PauseAnswer))
			a.explainAnswer(a.Stdout, a.StdoutWidth, queue.Deferred, acc.PauseAnswer, a.providerOf(acc.Account))
		}
	}
}

// countRows has a line for each account, and a column for each state that somebody
// is in.
func (a *runner) countRows(stats queue.Stats) [][]string {
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

// pauseLine says that nothing of an account goes out, for how long and why.
func (a *runner) pauseLine(account string, left time.Duration, why queue.Answer) string {
	line := a.T("Account %s rests for %s", console.Visible(account), a.Roughly(left))
	answer, next := a.answerLine(why), a.T("To go on now: %s", "yan queue resume "+console.Visible(account))
	if why.Stage == "" && why.Reply.IsZero() && a.isGone(account) {
		answer = a.T("there is no account %q", console.Visible(account))
		next = a.T("Set one up again under this name, or take its messages back: %s", "yan queue cancel --account "+console.Visible(account))
	}
	if answer != "" {
		line = a.T("%s: %s", line, answer)
	}
	return line + "\n  " + next
}

// hereLine says that an account can't send from here, and why; others may be able to.
func (a *runner) hereLine(account string, why queue.Answer) string {
	line := a.T("Account %s can't send from here now", console.Visible(account))
	if answer := a.answerLine(why); answer != "" {
		line = a.T("%s: %s", line, answer)
	}
	return line + "\n  " + a.T("The next 'yan queue run' tries again.")
}

// isGone reports whether the configuration has no account of that name any more.
func (a *runner) isGone(account string) bool {
	f, err := a.FaultyConfiguration()
	if err != nil {
		return false
	}
	_, ok := f.Account(account)
	return !ok
}

func newStats(where string, stats queue.Stats) jsonout.QueueStats {
	j := jsonout.QueueStats{Outbox: where, Accounts: []jsonout.QueueAccount{}, Workers: []jsonout.QueueWorker{}, Oldest: jsonout.OptionalTime(stats.Oldest), Bytes: stats.Bytes,
		Copied: stats.Copied, Ahead: int64(stats.Ahead.Seconds())}
	if stats.Free >= 0 {
		j.Free = &stats.Free
	}
	for _, acc := range stats.Accounts {
		j.Accounts = append(j.Accounts, jsonout.QueueAccount{Account: acc.Account, Count: countJSON(acc.Count),
			PausedSeconds: int64((acc.PausedFor + time.Second - 1) / time.Second), Answer: newAnswer(acc.PauseAnswer)})
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

func (a *runner) queuePruneCommand() *cobra.Command {
	q := &queueFlags{}
	var bodies, messages string
	cmd := &cobra.Command{
		Use:   "prune",
		Short: a.T("Forget what is finished"),
		Long: a.T("Forget the texts of messages that everybody got, and all that is known of messages that are finished, once they are old enough. " +
			"What is not finished stays, and so does the text of a message that somebody did not get. 'yan serve' does this by itself."),
		Example: "  yan queue prune\n  yan queue prune --bodies 0s --messages 30d",
		Args:    a.AtMost(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.queuePrune(cmd.Context(), q, bodies, messages) },
	}
	command.Add(cmd, a.T("What is old enough:"),
		command.NewOption("bodies", "", &bodies, a.T("DURATION"), a.T("forget texts so long after their message was finished (default: keep_bodies of the configuration, else 7d)")),
		command.NewOption("messages", "", &messages, a.T("DURATION"), a.T("forget messages altogether so long after (default: keep_messages of the configuration, else 90d)")))
	q.register(a, cmd)
	return cmd
}

func (a *runner) queuePrune(ctx context.Context, q *queueFlags, bodies, messages string) error {
	r, err := a.retention(bodies, messages)
	if err != nil {
		return err
	}
	store, err := a.OpenExisting(ctx, q.outbox)
	if err != nil {
		return err
	}
	if store == nil {
		return a.nothingThere(q, queue.Filter{})
	}
	defer store.Close() // what has returned is on the disk
	p, err := store.Prune(ctx, r)
	if err != nil {
		return a.OutboxProblem(q.outbox, err)
	}
	switch {
	case q.json:
		a.PrintJSON(jsonout.Pruned{Bodies: p.Bodies, Messages: p.Messages, Bytes: p.Bytes})
	case p.Bodies+p.Messages == 0:
		a.Outf("%s\n", a.T("Nothing is old enough to be forgotten."))
	default:
		a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("forgotten: %d messages, the texts of %d others, %s", p.Messages, p.Bodies, console.Size(p.Bytes)))
	}
	return nil
}

// retention is how long what is finished is kept: the flags, then the configuration.
func (a *runner) retention(bodies, messages string) (outbox.Retention, error) {
	settings, err := a.OutboxSettings()
	if err != nil {
		return outbox.Retention{}, err
	}
	r := route.Retention(settings)
	for _, f := range []struct {
		flag, value string
		to          *time.Duration
	}{{"bodies", bodies, &r.Bodies}, {"messages", messages, &r.Messages}} {
		if f.value == "" {
			continue
		}
		d, ok := times.ParseDuration(f.value)
		if !ok {
			return r, a.Wrongf("%s %q: want how long, like 12h or 30d", a.Name(f.flag), f.value)
		}
		*f.to, r.Automatic = d, false // a person said so, by the clock of now
	}
	return r, nil
}
