package queuecmd

import (
	"errors"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/outboxes"
	"github.com/yanmail/yan/queue"
)

// queueFlags are what all commands of the outbox have.
type queueFlags struct {
	outbox string
	json   bool
}

func (a *runner) queueCommand() *cobra.Command {
	q, f := &queueFlags{}, &queueFilter{}
	cmd := &cobra.Command{
		Use:   "queue",
		Short: a.T("See and change what waits in the outbox, and send it"),
		Long: a.T("The outbox keeps messages on the disk until a server has taken them: 'yan send --queue' puts them in, 'yan queue run' " +
			"sends what is due, once, and 'yan serve' does so as long as it runs. Each recipient has a state of its own.\n\n" +
			"Without a command the messages are listed that are not finished; with numbers, these."),
		Example:           "  yan queue\n  yan queue run\n  yan queue show 12\n  yan queue --state failed,expired",
		Annotations:       map[string]string{command.UsageLines: a.T("yan queue [ID…] [FILTER…]\nyan queue COMMAND …")},
		Args:              cobra.ArbitraryArgs, // RunE says what is wrong with them
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !isID(args[0]) {
				return a.UnknownCommand(cmd, args[0])
			}
			return a.queueList(cmd, q, f, args)
		},
	}
	f.registerList(a, cmd)
	q.register(a, cmd)
	a.AddLists(cmd, func() []command.List { return []command.List{a.stateList(), a.queueStatuses()} })
	cmd.AddCommand(a.queueListCommand(), a.queueShowCommand(), a.queueWatchCommand(), a.queueRunCommand(),
		a.queueVerbCommand(queue.Hold), a.queueVerbCommand(queue.Release), a.queueVerbCommand(queue.Retry), a.queueVerbCommand(queue.Cancel),
		a.queueResolveCommand(), a.queueResumeCommand(), a.queueExportCommand(), a.queueStatsCommand(), a.queuePruneCommand(), a.queueAdoptCommand())
	return cmd
}

// register adds the flags that all of them have.
func (q *queueFlags) register(a *runner, cmd *cobra.Command) {
	q.registerOutbox(a, cmd)
	command.Add(cmd, a.T("Flags:"), command.NewOption("json", "", &q.json, "", a.T("print JSON")))
}

func (q *queueFlags) registerOutbox(a *runner, cmd *cobra.Command) {
	command.Add(cmd, a.T("Flags:"), command.NewOption("outbox", "", &q.outbox, a.T("PATH|URL"), outboxes.OutboxText(a.Outboxes)))
}

// isID reports whether a word is the number of a message.
func isID(word string) bool { _, err := parseID(word); return err == nil }

func parseID(word string) (queue.ID, error) {
	n, err := strconv.ParseInt(word, 10, 64)
	if err == nil && n < 1 {
		err = strconv.ErrRange
	}
	return queue.ID(n), err
}

// ids reads the numbers of messages, each once.
func (a *runner) ids(args []string) ([]queue.ID, error) {
	var list []queue.ID
	seen := map[queue.ID]bool{}
	for _, arg := range args {
		id, err := parseID(arg)
		if err != nil {
			return nil, command.Fail(command.ExitUsage, errors.New(a.T("%q is not the number of a message", arg)), a.T("'yan queue' lists them with their numbers."))
		}
		if !seen[id] {
			list = append(list, id)
		}
		seen[id] = true
	}
	return list, nil
}

// oneID wants exactly one.
func (a *runner) oneID(args []string) (queue.ID, error) {
	if len(args) == 0 {
		return 0, a.Usagef("name the message by its number; 'yan queue' lists them")
	}
	if len(args) > 1 {
		return 0, a.Usagef("%q is one argument too many", args[1])
	}
	ids, err := a.ids(args)
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// noMessage: the outbox does not have it (any more).
func (a *runner) noMessage(id queue.ID) error {
	return command.Fail(command.ExitData, errors.New(a.T("there is no message %d in the outbox", id)), a.T("'yan queue --all' lists what is there; what is finished is forgotten after a while."))
}

// completeIDs offers the messages that are not finished.
func (a *runner) completeIDs(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	states := unfinished()
	if cmd.Name() == "resolve" { // nothing else can be
		states = []queue.State{queue.InDoubt}
	}
	given, _ := cmd.Flags().GetString("outbox")
	if given == "" {
		given = a.Getenv(command.Variable("outbox"))
	}
	store, err := a.OpenExisting(cmd.Context(), given)
	if err != nil || store == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer store.Close() // only read from
	page, err := store.List(cmd.Context(), queue.Filter{States: states})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var words []string
	for _, e := range page.Entries {
		if id := e.ID.String(); !slices.Contains(args, id) {
			words = append(words, id+"\t"+a.states(e)+" "+console.OneLine(recipientsOf(e)))
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
