package accountcmd

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
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

func (a *accountCommands) accountListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: a.T("List the accounts"),
		Example: "  yan account list\n  yan account list --json",
		Args:    a.AtMost(0),
		RunE:    func(*cobra.Command, []string) error { return a.listAccounts(asJSON) },
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("json", "", &asJSON, "", a.T("print JSON")))
	return cmd
}

// listAccounts prints a line for each account; the default has a *.
func (a *accountCommands) listAccounts(asJSON bool) error {
	f, err := a.Configuration()
	if err != nil {
		return err
	}
	list := []jsonout.AccountSettings{}
	rows := [][]string{{"", a.T("NAME"), a.T("SENDER"), a.T("SERVER"), a.T("SECRET")}}
	for _, acc := range f.Accounts() {
		v := viewOf(f, acc)
		list = append(list, v.jsonAccount())
		mark := ""
		if v.isDefault {
			mark = "*"
		}
		rows = append(rows, []string{mark, acc.Name, acc.From, v.serverName(), a.secretWord(acc)})
	}
	switch {
	case asJSON:
		a.PrintJSON(list)
	case len(list) == 0:
		a.noAccounts(f)
	default:
		a.Table(a.FitColumns(rows))
	}
	return nil
}

// noAccounts says how to add the first account. Having none is not an error.
func (a *accountCommands) noAccounts(f *account.File) {
	var told *command.Failure
	if errors.As(a.NoAccountsError(f, command.ExitOK), &told) {
		a.Explain(told)
	}
}

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
