package accountcmd

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/internal/secret"
)

// remover removes an account and its secret.
type remover struct{ *accountCommands }

func (a *accountCommands) accountRemoveCommand() *cobra.Command {
	var yes, keepSecret bool
	cmd := &cobra.Command{
		Use:               "remove " + a.T("NAME"),
		Short:             a.T("Remove an account and its secret"),
		Long:              a.T("Remove an account from the configuration, and delete its secret from the keyring or the encrypted file, and the file that 'yan login' wrote for it. A secret stored elsewhere, in a file of your own or from a command, is not touched. Accounts that use it as their fallback lose that fallback."),
		Example:           "  yan account remove old\n  yan account remove old --yes",
		Args:              a.AtMost(1),
		ValidArgsFunction: a.completeOneAccount,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.Usagef("no account given")
			}
			return (&remover{a}).removeAccount(cmd.Context(), args[0], yes, keepSecret)
		},
	}
	command.Add(cmd, a.T("Flags:"),
		command.NewOption("yes", "y", &yes, "", a.T("do not ask")),
		command.NewOption("keep-secret", "", &keepSecret, "", a.T("keep the secret in the keyring")),
	)
	return cmd
}

func (a *remover) removeAccount(ctx context.Context, name string, yes, keepSecret bool) error {
	f, err := a.FaultyConfiguration()
	if err != nil {
		return err
	}
	acc, err := a.NamedAccount(f, []string{name})
	if err != nil {
		return err
	}
	falling := fallingBackTo(f, name)
	if !yes {
		if sure, err := a.sureToRemove(ctx, f, acc, falling); err != nil || !sure {
			return err
		}
	}
	wasDefault, read := f.Default() == name, f.Bytes()
	err = f.Together(name, func(f *account.File) error {
		for _, other := range falling {
			changed, _ := f.Account(other)
			changed.Fallback = ""
			if err := f.Put(changed); err != nil {
				return err
			}
		}
		return f.Remove(name)
	})
	if err != nil {
		return a.BadConfiguration(f.Path(), err)
	}
	// The secret goes first: if that fails, nothing has changed.
	if err := a.SaveError(f, accounts.CheckSavable(f, read)); err != nil {
		return err
	}
	if !keepSecret {
		if err := a.forgetSecret(ctx, acc); err != nil {
			return err
		}
	}
	if err := a.SaveAccounts(f); err != nil {
		return err
	}
	a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("Account %s removed.", name))
	for _, other := range falling {
		a.Outf("  %s\n", a.T("%s no longer has a fallback account.", other))
	}
	if rest := accounts.AccountNamesOf(f); wasDefault && f.Default() == "" && len(rest) > 0 {
		a.Outf("  %s\n", a.T("It was the default account; use '%s' to set another.", "yan account default "+rest[0]))
	}
	a.PrintFaults(f)
	return a.forgetFile(f, acc, keepSecret)
}

// fallingBackTo returns the accounts whose fallback is this one.
func fallingBackTo(f *account.File, name string) []string {
	var names []string
	for _, other := range f.Accounts() {
		if other.Fallback == name {
			names = append(names, other.Name)
		}
	}
	return names
}

// sureToRemove asks for confirmation, and names the settings that refer to the account.
func (a *remover) sureToRemove(ctx context.Context, f *account.File, acc account.Account, falling []string) (bool, error) {
	q := a.Asker(false)
	if !q.Person {
		return false, command.Fail(command.ExitUsage, errors.New(a.T("can't ask whether to remove %s", acc.Name)), a.T("Use %s.", "--yes"))
	}
	var help []string
	if f.Default() == acc.Name {
		help = append(help, a.T("It is the default account."))
	}
	if len(falling) > 0 {
		help = append(help, a.T("Accounts that use it as their fallback: %s.", a.Listed(falling)))
	}
	title := a.T("Remove the account %s (%s)?", acc.Name, acc.From)
	sure, err := q.Confirm(ctx, prompt.Question{Title: title, Help: strings.Join(help, "\n")}, false)
	if err != nil {
		return false, a.answerError(err, title, "--yes")
	}
	if !sure {
		a.Errf("%s\n", a.T("Nothing changed."))
	}
	return sure, nil
}

// answerError explains why there is no answer, and names the flag that answers the question.
func (a *accountCommands) answerError(err error, title, flag string) error {
	switch {
	case errors.Is(err, prompt.ErrCancelled), errors.Is(err, context.Canceled):
		return command.Fail(command.ExitInterrupted, errors.New(a.T("interrupted; nothing was changed")), "")
	case errors.Is(err, prompt.ErrNoAnswer):
		return command.Fail(command.ExitUsage, errors.New(a.T("no answer to the question “%s”", title)), a.T("Use %s.", flag))
	}
	return command.Fail(command.ExitIO, localerr.Errorf("%s: %w", a.T("can't read the answer"), err), "")
}

// forgetSecret deletes the stored secret of an account before it is removed. If its secret is elsewhere,
// a failure does not matter: nothing has to be stored, and an old stored secret is only for that
// login.
func (a *remover) forgetSecret(ctx context.Context, acc account.Account) error {
	err := a.Secrets().Forget(ctx, acc)
	if err == nil || acc.Secret != (account.Secret{}) && !acc.UsesOAuth2() {
		return nil
	}
	if ctx.Err() != nil || errors.Is(err, prompt.ErrCancelled) {
		return a.answerError(context.Canceled, "", "")
	}
	hint := a.T("To remove the account anyway and keep its stored secret: %s", "--keep-secret")
	var problem *secret.Error
	if errors.As(err, &problem) && problem.Problem == secret.Unavailable && !errors.Is(err, accounts.ErrNoMoreTries) {
		hint = a.T("Set YAN_PASSPHRASE_FILE to a file with the passphrase.") + "\n     " + hint
	}
	code := command.ExitConfig
	if errors.Is(err, secret.ErrLocked) {
		code = command.ExitTemporary
	}
	return command.Fail(code, errors.New(a.T("nothing was changed, because the secret of %s can't be deleted: %s", acc.Name, a.SecretProblem(err))), hint)
}

// forgetFile deletes the file that yan login wrote for a removed account. For other files it prints
// that the secret is still there.
func (a *remover) forgetFile(f *account.File, acc account.Account, keep bool) error {
	if keep || acc.Secret.File == "" && (acc.Secret.Netrc == "" || acc.Secret.Netrc == account.DefaultNetrc) {
		return nil
	}
	path := accounts.AbsolutePath(acc.File(cmp.Or(acc.Secret.File, acc.Secret.Netrc)))
	for _, other := range f.Accounts() {
		if other.Secret.File != "" && accounts.AbsolutePath(other.File(other.Secret.File)) == path {
			return nil // another account uses it
		}
	}
	if path != accounts.OwnSecretFile(f, acc.Name) {
		a.Outf("  %s\n", a.T("Its secret is still in %s.", command.QuoteName(path)))
		return nil
	}
	switch err := os.Remove(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("the account was removed, but its secret is still in %s", command.QuoteName(path)), err), a.T("Delete this file."))
	default:
		a.Outf("  %s\n", a.T("Deleted %s with its secret.", command.QuoteName(path)))
	}
	return nil
}
