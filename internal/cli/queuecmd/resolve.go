package queuecmd

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/queue"
)

func (a *runner) resolveCommand() *cobra.Command {
	q, f := &queueFlags{}, &queueFilter{}
	var sent, resend bool
	cmd := &cobra.Command{
		Use:   "resolve " + a.T("ID…") + " --sent|--resend",
		Short: a.T("Decide about a message that is in doubt"),
		Long: a.T("A message is in doubt when it went out whole and no answer came: the server may have taken it, or not. Nobody can know from here, " +
			"and it is never sent again just because time passes.\n\n" +
			"Look into the Sent folder, or ask the recipient. With --sent it counts as handed over; if it was not, nobody ever gets it. " +
			"With --resend it goes out once more under the same Message-ID; if it had arrived, the recipient may have it twice."),
		Example:           "  yan queue list --state in_doubt\n  yan queue resolve 12 --sent\n  yan queue resolve 12 --resend",
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			verb := queue.ResolveSent
			switch {
			case len(args) == 0:
				return a.Usagef("name the message by its number; 'yan queue --state in_doubt' lists those that it may be")
			case sent == resend:
				return command.Fail(command.ExitUsage, errors.New(a.T("say what is right: --sent (it has arrived) or --resend (send it once more)")),
					a.T("Sent, though it has not arrived: nobody gets it. Sent once more, though it has: somebody may get it twice."))
			case resend:
				verb = queue.ResolveResend
			}
			if err := command.NoneEmpty(a.Context, cmd, "to"); err != nil {
				return err
			}
			return changer{a.chooser}.change(cmd.Context(), q, f, verb, args)
		},
	}
	command.Add(cmd, a.T("Decision:"),
		command.NewOption("sent", "", &sent, "", a.T("it was handed over: nothing more is sent")),
		command.NewOption("resend", "", &resend, "", a.T("it was not, or twice does no harm: send it once more")),
		command.NewOption("to", "", &f.to, a.T("TEXT"), a.T("only recipients whose address holds this")),
	)
	q.register(a.chooser, cmd)
	return cmd
}
