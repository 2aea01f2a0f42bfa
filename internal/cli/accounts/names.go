package accounts

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/smtp"
)

// NamedAccount returns the account of a name, or the default if there is no name.
func (a *Accounts) NamedAccount(f *account.File, args []string) (account.Account, error) {
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	acc, err := f.Choose(name, smtp.Address{})
	var ambiguous *account.AmbiguousError
	switch {
	case errors.As(err, &ambiguous):
		return acc, a.ambiguousError(ambiguous)
	case errors.Is(err, account.ErrNone):
		return acc, a.NoAccountsError(f, command.ExitConfig)
	case err != nil:
		return acc, a.BadConfiguration(f.Path(), err)
	}
	return acc, nil
}

// UsableAccount is Named for commands that use the account: it must be valid.
func (a *Accounts) UsableAccount(f *account.File, args []string) (account.Account, error) {
	acc, err := a.NamedAccount(f, args)
	if err == nil {
		err = a.checkUsable(f, acc)
	}
	return acc, err
}

// AccountNamesOf returns the names of the accounts of a configuration, in its order.
func AccountNamesOf(f *account.File) []string {
	var names []string
	for _, acc := range f.Accounts() {
		names = append(names, acc.Name)
	}
	return names
}

// CompleteAccounts completes the accounts that are not named yet.
func (a *Accounts) CompleteAccounts(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, name := range a.AccountNames() {
		if !slices.Contains(args, name) {
			names = append(names, name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// AccountNames returns the names for completion. An invalid file has none.
func (a *Accounts) AccountNames() []string {
	f, err := a.FaultyConfiguration()
	if err != nil {
		return nil
	}
	var names []string
	for _, acc := range f.Accounts() {
		names = append(names, acc.Name)
	}
	return names
}

// IsAccountName reports whether the configuration accepts name for an account.
func IsAccountName(name string) bool {
	f, err := account.Parse("", nil)
	return err == nil && f.Put(account.Account{Name: name, From: "me@example.com", Server: "smtps://smtp.example.com"}) == nil
}
