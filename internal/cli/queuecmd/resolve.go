package queuecmd

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) resolveCommand() *cobra.Command {
	q, f := &queueFlags{}, &queueFilter{}
	var sent, resend bool
	cmd := &cobra.Command{
		Use:               "resolve " + a.T("ID…") + " --sent|--resend",
		Short:             a.T("Decide about a message that is in doubt"),
		Long:              a.T("A message is in doubt if it was sent completely and no reply came: the server may or may not have accepted it. Yan can't know, and never resends it on its own.\n\nCheck the Sent folder, or ask the recipient. With --sent it counts as handed over; if it did not arrive, the recipient never gets it. With --resend it is sent again with the same Message-ID; if it did arrive, the recipient may get two copies."),
		Example:           "  yan queue list --state in_doubt\n  yan queue resolve 12 --sent\n  yan queue resolve 12 --resend",
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			verb := queue.ResolveSent
			switch {
			case len(args) == 0:
				return a.Usagef("give the ID of the message; 'yan queue --state in_doubt' lists messages in doubt")
			case sent == resend:
				return command.Fail(command.ExitUsage, errors.New(a.T("choose --sent (it arrived) or --resend (send it again)")),
					a.T("With --sent, a message that did not arrive is lost. With --resend, a recipient who has it may get two copies."))
			case resend:
				verb = queue.ResolveResend
			}
			if err := command.NoneEmpty(a.Context, cmd, "to"); err != nil {
				return err
			}
			return changer{a.chooser}.applyVerb(cmd.Context(), q, f, verb, args)
		},
	}
	command.Add(cmd, a.T("Decision:"),
		command.NewOption("sent", "", &sent, "", a.T("it was delivered: send nothing more")),
		command.NewOption("resend", "", &resend, "", a.T("it was not, or a second copy does no harm: send it again")),
		command.NewOption("to", "", &f.to, a.T("TEXT"), a.T("only recipients whose address contains this")),
	)
	q.registerFlags(a.chooser, cmd)
	return cmd
}
