package queuecmd

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) listCommand() *cobra.Command {
	q, f := &queueFlags{}, &queueFilter{}
	cmd := &cobra.Command{
		Use:               "list [" + a.T("ID…") + "]",
		Short:             a.T("List messages: unfinished ones, or those selected"),
		Long:              a.T("List messages, newest first: by default those with an unfinished recipient; use --state or --all for others. With IDs, lists these messages in any state."),
		Example:           "  yan queue list\n  yan queue list --state in_doubt\n  yan queue list --to friend@163.com --all\n  yan queue list --since yesterday --all --json",
		ValidArgsFunction: a.completeIDs,
		RunE:              func(cmd *cobra.Command, args []string) error { return lister{a.chooser}.queueList(cmd, q, f, args) },
	}
	f.registerList(a.chooser, cmd)
	q.registerFlags(a.chooser, cmd)
	return cmd
}

// lister lists messages.
type lister struct{ chooser }

// defaultLimit is the default of --limit without --json.
const defaultLimit = 50

func (a lister) queueList(cmd *cobra.Command, q *queueFlags, f *queueFilter, args []string) error {
	ctx := cmd.Context()
	if err := command.NoneEmpty(a.Context, cmd, filterFlags()...); err != nil {
		return err
	}
	filter, scheduledOnly, err := f.parseFilter(a.chooser, args)
	if err != nil {
		return err
	}
	if len(filter.States) == 0 && len(filter.IDs) == 0 && !f.all {
		filter.States = unfinishedStates()
	}
	limit := f.limit
	switch {
	case cmd.Flags().Changed("limit") && limit < 0:
		return a.Wrongf("%s %d: want a number above zero, or 0 for all", a.Name("limit"), limit)
	case limit < 0 && !q.json && len(filter.IDs) == 0:
		limit = defaultLimit
	}
	store, err := a.OpenReadOnly(ctx, q.outbox)
	if err != nil {
		return err
	}
	if store == nil {
		return a.reportNoOutbox(q, filter)
	}
	defer store.Close() // opened for reading only
	list, more, err := a.queueEntries(ctx, store, filter, scheduledOnly, max(limit, 0))
	if err != nil {
		return a.OutboxProblem(q.outbox, err)
	}
	if missing := missingIDs(filter.IDs, list); len(missing) > 0 && f.isEmpty() {
		return a.noMessageError(missing[0])
	}
	if q.json {
		for _, e := range list {
			a.PrintJSON(newEntry(e, "", false))
		}
		return nil
	}
	stats, err := store.Stats(ctx)
	if err != nil {
		return a.OutboxProblem(q.outbox, err)
	}
	a.printList(list, more, f, filter, stats)
	return nil
}

// printList prints a line for each message, then hints and warnings.
func (a lister) printList(list []queue.Entry, more bool, f *queueFilter, filter queue.Filter, stats queue.Stats) {
	counts := map[queue.State]int{}
	total := 0
	later := !slices.ContainsFunc(list, a.isDue)
	for _, acc := range stats.Accounts {
		for s, n := range acc.Count {
			counts[s] += n
			total += n
		}
	}
	if len(list) > 0 {
		a.Table(a.FitColumns(a.queueRows(list)))
	}
	usual := len(f.states) == 0 && !f.all && len(filter.IDs) == 0
	switch {
	case len(list) == 0 && total == 0:
		a.Errf("%s\n", a.T("The outbox is empty: 'yan send --queue' enqueues a message."))
	case len(list) == 0 && usual && f.isEmpty():
		a.Errf("%s\n", a.T("Nothing is waiting."))
	case len(list) == 0 && usual:
		a.Errf("%s\n", a.T("No waiting message matches; use --all to include finished messages."))
	case len(list) == 0:
		a.Errf("%s\n", a.T("No message matches."))
	case more:
		a.Errf("%s\n", a.T("There are more: use --limit 0 to list all."))
	}
	if usual {
		a.printFinished(counts)
	}
	if counts[queue.Queued]+counts[queue.Deferred] > 0 && len(list) > 0 && !stats.Copied { // the warnings say this
		a.Hint(a.NextSteps(stats, false, later))
	}
	a.printPauses(stats)
	for _, line := range a.outboxWarnings(stats) {
		a.Errf("%s\n", console.WrapIndented(line, "", a.StderrWidth))
	}
	if counts[queue.InDoubt] > 0 {
		a.Hint(a.T("In doubt: the message may have been delivered, but no reply came. 'yan queue show ID' shows details; decide with 'yan queue resolve'."))
	}
}

// printFinished prints the counts of the finished recipients, which the list leaves out.
func (a lister) printFinished(counts map[queue.State]int) {
	var parts []string
	for _, s := range queue.States() {
		if s.Final() && counts[s] > 0 {
			parts = append(parts, a.T("%d %s", counts[s], a.stateWord(s)))
		}
	}
	if len(parts) > 0 {
		a.Hint(a.T("Finished recipients: %s. Use --all to list them too.", a.Listed(parts)))
	}
}

func (a lister) queueRows(list []queue.Entry) [][]string {
	rows := [][]string{{a.T("ID"), a.T("STATE"), a.T("TO"), a.T("NEXT TRY"), a.T("SUBJECT"), a.T("LAST REPLY")}}
	for _, e := range list {
		s := urgentRecipient(e)
		last := a.answerLine(s.Answer)
		if s.State == queue.HandedOver {
			last = ""
		}
		rows = append(rows, []string{e.ID.String(), a.stateSummary(e), console.OneLine(recipientsOf(e)), a.nextStep(s), console.OneLine(e.Subject), console.ClipText(last)})
	}
	return rows
}
