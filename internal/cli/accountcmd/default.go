package accountcmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/console"
)

func (a *accountCommands) accountDefaultCommand() *cobra.Command {
	return &cobra.Command{
		Use: "default " + a.T("NAME"), Short: a.T("Set the account to use if none is named"),
		Example:           "  yan account default qq",
		Args:              a.AtMost(1),
		ValidArgsFunction: a.CompleteAccounts,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.Usagef("no account given")
			}
			return a.setDefault(args[0])
		},
	}
}

func (a *accountCommands) setDefault(name string) error {
	f, err := a.FaultyConfiguration()
	if err != nil {
		return err
	}
	if err := f.SetDefault(name); err != nil {
		return a.BadConfiguration(f.Path(), err)
	}
	if err := a.SaveAccounts(f); err != nil {
		return err
	}
	a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("The default account is now %s.", name))
	return nil
}
