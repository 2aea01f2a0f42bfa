package accountcmd

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
)

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
