package cli

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/smtp"
)

func (a *app) accountCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "account",
		Short: a.T("List, show, change, test, remove or import accounts"),
		Long: a.T("The accounts that this user sends from. 'yan login' makes one; 'yan account import' takes over those of msmtp, mutt, git or ssmtp. " +
			"No password is ever shown, and none stands in the configuration."),
		Example: "  yan account list\n  yan account show qq\n  yan account test\n  yan account import --dry-run",
		Args:    cobra.ArbitraryArgs, // RunE says what is wrong with them
		RunE:    a.group,
	}
	cmd.AddCommand(a.accountListCommand(), a.accountShowCommand(), a.accountEditCommand(), a.accountTestCommand(),
		a.accountDefaultCommand(), a.accountRemoveCommand(), a.accountImportCommand())
	return cmd
}

// group is what a command does that is only the name of others.
func (a *app) group(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return a.unknownCommand(cmd, args[0])
	}
	return cmd.Help()
}

func (a *app) accountListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: a.T("List the accounts"),
		Example: "  yan account list\n  yan account list --json",
		Args:    a.atMost(0),
		RunE:    func(*cobra.Command, []string) error { return a.listAccounts(asJSON) },
	}
	add(cmd, a.T("Flags:"), newOption("json", "", &asJSON, "", a.T("print JSON")))
	return cmd
}

// listAccounts prints a line for each; a * is before the default.
func (a *app) listAccounts(asJSON bool) error {
	f, err := a.configuration()
	if err != nil {
		return err
	}
	list := []settingsJSON{}
	rows := [][]string{{"", a.T("NAME"), a.T("SENDER"), a.T("SERVER"), a.T("SECRET")}}
	for _, acc := range f.Accounts() {
		v := viewOf(f, acc)
		list = append(list, v.json())
		mark := ""
		if v.isDefault {
			mark = "*"
		}
		rows = append(rows, []string{mark, acc.Name, acc.From, v.serverName(), a.secretWord(acc)})
	}
	switch {
	case asJSON:
		a.printJSON(list)
	case len(list) == 0:
		a.noAccounts(f)
	default:
		a.table(a.fitting(rows))
	}
	return nil
}

// noAccounts says how to get the first one. That there is none is no failure.
func (a *app) noAccounts(f *account.File) {
	var told *failure
	if errors.As(a.noneYet(f, exitOK), &told) {
		a.explain(told)
	}
}

// fitting leaves out columns from the right until a line fits the terminal.
func (a *app) fitting(rows [][]string) [][]string {
	for n := len(rows[0]); ; n-- {
		widest := 0
		for c := range n {
			column := 0
			for _, row := range rows {
				column = max(column, columns(row[c]))
			}
			widest += column + 2
		}
		if a.StdoutWidth == 0 || widest-2 <= a.StdoutWidth || n <= 2 {
			for i := range rows {
				rows[i] = rows[i][:n]
			}
			return rows
		}
	}
}

func (a *app) accountDefaultCommand() *cobra.Command {
	return &cobra.Command{
		Use: "default " + a.T("NAME"), Short: a.T("Say which account is used when none is named"),
		Example:           "  yan account default qq",
		Args:              a.atMost(1),
		ValidArgsFunction: a.completeAccounts,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.usagef("name the account")
			}
			return a.setDefault(args[0])
		},
	}
}

func (a *app) setDefault(name string) error {
	f, err := a.faultyConfiguration()
	if err != nil {
		return err
	}
	if err := f.SetDefault(name); err != nil {
		return a.badConfiguration(f.Path(), err)
	}
	if err := a.saveAccounts(f); err != nil {
		return err
	}
	a.outf("%s %s\n", a.paint(a.StdoutWidth, green, "✓"), a.T("%s is the default account now.", name))
	return nil
}

// named finds the account of a name, or the default for none.
func (a *app) named(f *account.File, args []string) (account.Account, error) {
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	acc, err := f.Choose(name, smtp.Address{})
	var ambiguous *account.AmbiguousError
	switch {
	case errors.As(err, &ambiguous):
		return acc, a.ambiguous(ambiguous)
	case errors.Is(err, account.ErrNone):
		return acc, a.noneYet(f, exitConfig)
	case err != nil:
		return acc, a.badConfiguration(f.Path(), err)
	}
	return acc, nil
}

// namedToUse is named for what uses the account.
func (a *app) namedToUse(f *account.File, args []string) (account.Account, error) {
	acc, err := a.named(f, args)
	if err == nil {
		err = a.usable(f, acc)
	}
	return acc, err
}

// noneYet: there is no account yet.
func (a *app) noneYet(f *account.File, code int) error {
	return fail(code, errors.New(a.T("There is no account yet in %s.", printable(f.Path()))),
		a.T("'yan login' makes one; 'yan account import' takes over those of other programs."))
}

// saveAccounts writes the configuration.
func (a *app) saveAccounts(f *account.File) error { return a.notSaved(f, f.Save()) }

// notSaved says why the configuration could not be written, if so.
func (a *app) notSaved(f *account.File, err error) error {
	if err == nil || errors.Is(err, account.ErrChanged) {
		return a.orBad(f.Path(), err)
	}
	return fail(exitCantCreate, sentence.Errorf("%s: %w", a.T("the configuration can't be written"), err), "")
}

// orBad explains an error, if there is one.
func (a *app) orBad(path string, err error) error {
	if err == nil {
		return nil
	}
	return a.badConfiguration(path, err)
}

func accountNamesOf(f *account.File) []string {
	var names []string
	for _, acc := range f.Accounts() {
		names = append(names, acc.Name)
	}
	return names
}

// completeAccounts offers the accounts that are not named yet.
func (a *app) completeAccounts(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, name := range a.accountNames() {
		if !slices.Contains(args, name) {
			names = append(names, name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
