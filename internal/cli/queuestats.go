package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/route"
)

func (a *app) queueStatsCommand() *cobra.Command {
	q := &queueFlags{}
	cmd := &cobra.Command{
		Use:   "stats",
		Short: a.T("Count what is in the outbox, and say who sends it"),
		Long: a.T("Count the recipients of each account by their state, name the workers that send, the accounts that rest and why, " +
			"and say what room the outbox takes."),
		Example: "  yan queue stats\n  yan queue stats --json",
		Args:    a.atMost(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.queueStats(cmd.Context(), q) },
	}
	q.register(a, cmd)
	return cmd
}

func (a *app) queueStats(ctx context.Context, q *queueFlags) error {
	store, err := a.readQueue(ctx, q.outbox)
	if err != nil {
		return err
	}
	where := outbox.Describe(a.outboxName(ctx, q.outbox))
	stats := outbox.Stats{Free: -1}
	if store != nil {
		defer store.Close() // only read from
		if stats, err = store.Stats(ctx); err != nil {
			return a.outboxProblem(q.outbox, err)
		}
	}
	switch {
	case q.json:
		a.printJSON(newStats(where, stats))
	case store == nil:
		a.errf("%s\n", a.T("There is no outbox yet in %s: 'yan send --queue' makes it.", printable(where)))
	default:
		a.tellStats(where, stats)
	}
	return nil
}

func (a *app) tellStats(where string, stats outbox.Stats) {
	room := ""
	if stats.Bytes > 0 {
		room = " · " + size(stats.Bytes)
	}
	if stats.Free >= 0 {
		room += " · " + a.T("%s free", size(stats.Free))
	}
	a.outf("%s%s\n", visible(where), room)
	if len(stats.Accounts) == 0 {
		a.outf("%s\n", a.T("The outbox is empty."))
	} else {
		a.outf("\n")
		a.table(a.countRows(stats))
	}
	a.outf("\n")
	if !stats.Oldest.IsZero() {
		a.outf("%s\n", a.T("The oldest that waits was enqueued %s.", a.away(stats.Oldest)))
	}
	for _, w := range stats.Workers {
		if w.For <= 0 {
			continue
		}
		a.outf("%s\n", a.T("%s sends, since %s.", a.T("process %d on %s", w.PID, visible(w.Host)), a.moment(w.Since)))
	}
	for _, line := range a.warnings(stats) {
		a.outf("%s\n", hang(line, "", a.StdoutWidth))
	}
	if !somebodyWorks(stats) {
		a.outf("%s\n", hang(a.T("No worker is running: 'yan queue run' sends what is due, 'yan serve' as long as it runs."), "", a.StdoutWidth))
	}
	for _, acc := range stats.Accounts {
		if acc.PausedFor > 0 {
			a.outf("\n%s\n", a.pauseLine(acc.Account, acc.PausedFor, acc.PauseAnswer))
			a.explainAnswer(a.Stdout, a.StdoutWidth, outbox.Deferred, acc.PauseAnswer, a.providerOf(acc.Account))
		}
	}
}

// countRows has a line for each account, and a column for each state that somebody
// is in.
func (a *app) countRows(stats outbox.Stats) [][]string {
	var used []outbox.State
	for _, s := range outbox.States() {
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
		row := []string{visible(acc.Account)}
		for _, s := range used {
			row = append(row, strconv.Itoa(acc.Count[s]))
		}
		rows = append(rows, row)
	}
	return rows
}

// pauseLine says that nothing of an account goes out, for how long and why.
func (a *app) pauseLine(account string, left time.Duration, why outbox.Answer) string {
	line := a.T("Account %s rests for %s", visible(account), a.roughly(left))
	answer, next := a.answerLine(why), a.T("To go on now: %s", "yan queue resume "+visible(account))
	if why.Stage == "" && why.Reply.IsZero() && a.isGone(account) {
		answer = a.T("there is no account %q", visible(account))
		next = a.T("Set one up again under this name, or take its messages back: %s", "yan queue cancel --account "+visible(account))
	}
	if answer != "" {
		line = a.T("%s: %s", line, answer)
	}
	return line + "\n  " + next
}

// hereLine says that an account can't send from here, and why; others may be able to.
func (a *app) hereLine(account string, why outbox.Answer) string {
	line := a.T("Account %s can't send from here now", visible(account))
	if answer := a.answerLine(why); answer != "" {
		line = a.T("%s: %s", line, answer)
	}
	return line + "\n  " + a.T("The next 'yan queue run' tries again.")
}

// isGone reports whether the configuration has no account of that name any more.
func (a *app) isGone(account string) bool {
	f, err := a.faultyConfiguration()
	if err != nil {
		return false
	}
	_, ok := f.Account(account)
	return !ok
}

func newStats(where string, stats outbox.Stats) queueStatsJSON {
	j := queueStatsJSON{Outbox: where, Accounts: []queueAccJSON{}, Workers: []queueWorkerJSON{}, Oldest: optionalTime(stats.Oldest), Bytes: stats.Bytes,
		Copied: stats.Copied, Ahead: int64(stats.Ahead.Seconds())}
	if stats.Free >= 0 {
		j.Free = &stats.Free
	}
	for _, acc := range stats.Accounts {
		j.Accounts = append(j.Accounts, queueAccJSON{Account: acc.Account, Count: countJSON(acc.Count),
			PausedSeconds: int64((acc.PausedFor + time.Second - 1) / time.Second), answerJSON: newAnswer(acc.PauseAnswer)})
	}
	for _, w := range stats.Workers {
		j.Workers = append(j.Workers, queueWorkerJSON{Host: w.Host, PID: w.PID, Since: w.Since.UTC(), LeaseSeconds: int64(w.For.Seconds())})
	}
	return j
}

func countJSON(counts map[outbox.State]int) map[string]int {
	j := map[string]int{}
	for s, n := range counts {
		j[string(s)] = n
	}
	return j
}

func (a *app) queuePruneCommand() *cobra.Command {
	q := &queueFlags{}
	var bodies, messages string
	cmd := &cobra.Command{
		Use:   "prune",
		Short: a.T("Forget what is finished"),
		Long: a.T("Forget the texts of messages that everybody got, and all that is known of messages that are finished, once they are old enough. " +
			"What is not finished stays, and so does the text of a message that somebody did not get. 'yan serve' does this by itself."),
		Example: "  yan queue prune\n  yan queue prune --bodies 0s --messages 30d",
		Args:    a.atMost(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.queuePrune(cmd.Context(), q, bodies, messages) },
	}
	add(cmd, a.T("What is old enough:"),
		newOption("bodies", "", &bodies, a.T("DURATION"), a.T("forget texts so long after their message was finished (default: keep_bodies of the configuration, else 7d)")),
		newOption("messages", "", &messages, a.T("DURATION"), a.T("forget messages altogether so long after (default: keep_messages of the configuration, else 90d)")))
	q.register(a, cmd)
	return cmd
}

func (a *app) queuePrune(ctx context.Context, q *queueFlags, bodies, messages string) error {
	r, err := a.retention(bodies, messages)
	if err != nil {
		return err
	}
	store, err := a.lookIntoQueue(ctx, q.outbox)
	if err != nil {
		return err
	}
	if store == nil {
		return a.nothingThere(q, outbox.Filter{})
	}
	defer store.Close() // what has returned is on the disk
	p, err := store.Prune(ctx, r)
	if err != nil {
		return a.outboxProblem(q.outbox, err)
	}
	switch {
	case q.json:
		a.printJSON(prunedJSON{Bodies: p.Bodies, Messages: p.Messages, Bytes: p.Bytes})
	case p.Bodies+p.Messages == 0:
		a.outf("%s\n", a.T("Nothing is old enough to be forgotten."))
	default:
		a.outf("%s %s\n", a.paint(a.StdoutWidth, green, "✓"), a.T("forgotten: %d messages, the texts of %d others, %s", p.Messages, p.Bodies, size(p.Bytes)))
	}
	return nil
}

// retention is how long what is finished is kept: the flags, then the configuration.
func (a *app) retention(bodies, messages string) (outbox.Retention, error) {
	settings, err := a.outboxSettings()
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
		d, ok := span(f.value)
		if !ok {
			return r, a.wrongf("%s %q: want how long, like 12h or 30d", a.name(f.flag), f.value)
		}
		*f.to, r.Automatic = d, false // a person said so, by the clock of now
	}
	return r, nil
}
