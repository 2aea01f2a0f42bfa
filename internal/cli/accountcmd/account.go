package accountcmd

import (
	"github.com/spf13/cobra"
)

func (a *accountCommands) accountCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "account",
		Short:   a.T("List, show, change, test, remove or import accounts"),
		Long:    a.T("The accounts you send from. 'yan login' creates an account; 'yan account import' imports accounts from msmtp, mutt, git or ssmtp. Passwords are never shown and never stored in the configuration."),
		Example: "  yan account list\n  yan account show qq\n  yan account test\n  yan account import --dry-run",
		Args:    cobra.ArbitraryArgs, // RunE checks them
		RunE:    a.groupHelp,
	}
	cmd.AddCommand(a.accountListCommand(), a.accountShowCommand(), a.accountEditCommand(), a.accountTestCommand(),
		a.accountDefaultCommand(), a.accountRemoveCommand(), a.accountImportCommand())
	return cmd
}

// groupHelp prints the help of a command that only groups others. Any argument is an unknown command.
func (a *accountCommands) groupHelp(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return a.UnknownCommand(cmd, args[0])
	}
	return cmd.Help()
}
