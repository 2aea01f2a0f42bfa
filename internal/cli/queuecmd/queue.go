package queuecmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/outboxes"
)

// queueFlags holds the flags of all commands of the outbox.
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
		Args:              cobra.ArbitraryArgs, // RunE checks them
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !isID(args[0]) {
				return a.UnknownCommand(cmd, args[0])
			}
			return lister{a.chooser}.queueList(cmd, q, f, args)
		},
	}
	f.registerList(a.chooser, cmd)
	q.register(a.chooser, cmd)
	a.AddLists(cmd, func() []command.List { return []command.List{a.stateList(), a.queueStatuses()} })
	cmd.AddCommand(a.listCommand(), a.showCommand(), a.watchCommand(), a.runCommand(),
		a.holdCommand(), a.releaseCommand(), a.retryCommand(), a.cancelCommand(),
		a.resolveCommand(), a.resumeCommand(), a.exportCommand(), a.statsCommand(), a.pruneCommand(), a.adoptCommand())
	return cmd
}

// register adds the flags of all commands of the outbox.
func (q *queueFlags) register(a chooser, cmd *cobra.Command) {
	q.registerOutbox(a, cmd)
	command.Add(cmd, a.T("Flags:"), command.NewOption("json", "", &q.json, "", a.T("print JSON")))
}

func (q *queueFlags) registerOutbox(a chooser, cmd *cobra.Command) {
	command.Add(cmd, a.T("Flags:"), command.NewOption("outbox", "", &q.outbox, a.T("PATH|URL"), outboxes.OutboxText(a.Outboxes)))
}
