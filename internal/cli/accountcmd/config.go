package accountcmd

import "github.com/spf13/cobra"

func (a *accountCommands) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   a.T("Show or check the configuration"),
		Long:    a.T("The account configuration is a TOML file, written by 'yan login' and 'yan account'. You can edit it too: comments and order are preserved."),
		Example: "  yan config show\n  yan config check\n  yan config path",
		Args:    cobra.ArbitraryArgs, // RunE checks them
		RunE:    a.groupHelp,
	}
	cmd.AddCommand(a.configShowCommand(), a.configCheckCommand(), a.configPathCommand())
	return cmd
}
