package queuecmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) adoptCommand() *cobra.Command {
	q, moved := &queueFlags{}, false
	cmd := &cobra.Command{
		Use:     "adopt",
		Short:   a.T("Let a copy of an outbox deliver"),
		Long:    a.T("An outbox that was copied, restored from a backup or moved to another disk or machine delivers nothing: the original may have sent the same messages. This command makes it an independent outbox.\n\nAll its unfinished messages are then in doubt, because the original may have sent them since the copy was made; decide about each with 'yan queue resolve'. If you moved the outbox and the original is gone, use --moved: then only messages that were being sent at that moment are in doubt."),
		Example: "  yan queue adopt\n  yan queue adopt --moved",
		Args:    a.AtMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withOutbox(cmd.Context(), q, queue.Filter{}, func(store outbox.Store) error { return a.adoptOutbox(cmd.Context(), q, store, moved) })
		},
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("moved", "", &moved, "", a.T("the original is gone and has sent nothing since")))
	q.registerFlags(a.chooser, cmd)
	return cmd
}

func (a *queueCommands) adoptOutbox(ctx context.Context, q *queueFlags, store outbox.Admin, moved bool) error {
	adopted, err := store.Adopt(ctx, moved)
	if err != nil {
		return a.OutboxProblem(q.outbox, err)
	}
	switch {
	case q.json:
		a.PrintJSON(jsonout.QueueAdopted{Adopted: adopted.Was, InDoubt: adopted.Doubted})
	case !adopted.Was:
		a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Yellow, "–"), a.T("this outbox is not a copy; nothing was changed"))
	default:
		a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("adopted; recipients in doubt: %d", adopted.Doubted))
		if adopted.Doubted > 0 {
			a.Hint(a.T("'yan queue --state in_doubt' lists them; decide with 'yan queue resolve'."))
		}
	}
	return nil
}
