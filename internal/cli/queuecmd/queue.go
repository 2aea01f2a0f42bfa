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

func (a *queueCommands) queueCommand() *cobra.Command {
	q, f := &queueFlags{}, &queueFilter{}
	cmd := &cobra.Command{
		Use:               "queue",
		Short:             a.T("List, change and send queued messages"),
		Long:              a.T("The outbox stores messages on disk until a server accepts them: 'yan send --queue' enqueues a message, 'yan queue run' sends due messages once, and 'yan serve' sends them continuously. Each recipient has its own state.\n\nWithout a command, lists unfinished messages, or the messages with the given IDs."),
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
	q.registerFlags(a.chooser, cmd)
	a.AddLists(cmd, func() []command.List { return []command.List{a.stateList(), a.queueStatuses()} })
	cmd.AddCommand(a.listCommand(), a.showCommand(), a.watchCommand(), a.runCommand(),
		a.holdCommand(), a.releaseCommand(), a.retryCommand(), a.cancelCommand(),
		a.resolveCommand(), a.resumeCommand(), a.exportCommand(), a.statsCommand(), a.pruneCommand(), a.adoptCommand())
	return cmd
}

// registerFlags adds the flags of all commands of the outbox.
func (q *queueFlags) registerFlags(a chooser, cmd *cobra.Command) {
	q.registerOutbox(a, cmd)
	command.Add(cmd, a.T("Flags:"), command.NewOption("json", "", &q.json, "", a.T("print JSON")))
}

func (q *queueFlags) registerOutbox(a chooser, cmd *cobra.Command) {
	command.Add(cmd, a.T("Flags:"), command.NewOption("outbox", "", &q.outbox, a.T("PATH|URL"), outboxes.OutboxText(a.Outboxes)))
}
