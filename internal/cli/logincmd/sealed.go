package logincmd

import (
	"context"
	"errors"
	"slices"

	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/internal/secret"
)

// storeSecret stores a secret with keep. A damaged encrypted file would block every login, so the user
// may replace it.
func (k *keeper) storeSecret(ctx context.Context, keep func() (secret.Location, error)) (secret.Location, error) {
	if k.s.newFile && k.sealed.Exists() {
		return k.storeInNewFile(ctx, secret.QuarantineForgotten, keep)
	}
	place, err := keep()
	var problem *secret.Error
	if !errors.As(err, &problem) || problem.Problem != secret.Damaged || problem.Path != k.sealed.File || !k.person {
		return place, err
	}
	title := k.a.T("The encrypted file %s is damaged. Set it aside and start a new one?", command.QuoteName(k.sealed.File))
	yes, askErr := k.ask.Confirm(ctx, prompt.Question{Title: title, Help: k.losingAccounts()}, true)
	if askErr != nil {
		return "", askErr
	}
	if !yes {
		return "", err
	}
	return k.storeInNewFile(ctx, secret.QuarantineDamaged, keep)
}

// storeInNewFile sets the encrypted file aside first, and puts it back if keep fails.
func (k *keeper) storeInNewFile(ctx context.Context, why string, keep func() (secret.Location, error)) (secret.Location, error) {
	losing := k.losingAccounts()
	to, err := k.sealed.Quarantine(ctx, why, k.a.Now())
	if err != nil {
		return "", err
	}
	place, err := keep()
	switch {
	case err != nil && !errors.Is(err, errOwnFile):
		return "", errors.Join(err, k.sealed.PutBack(context.WithoutCancel(ctx), to))
	case err == nil:
		k.aside = to
	}
	k.say(k.a.T("The old encrypted file is now %s.", command.QuoteName(to)))
	if losing != "" {
		k.say(losing)
	}
	return place, err
}

// rememberSecret reads the stored secret of the account. An encrypted file that is replaced is not
// opened, since its passphrase may be forgotten: it is restored as a whole.
func (k *keeper) rememberSecret(ctx context.Context, item string) (accounts.PreviousSecret, error) {
	v := k.sealed
	if k.s.newFile {
		v = k.a.SecretVault()
		v.File = ""
	}
	return accounts.ReadPreviousSecret(ctx, v, k.acc.Name, item)
}

// losingAccounts returns a warning that names the other accounts with secrets in the encrypted file; "" if
// there are none.
func (k *keeper) losingAccounts() string {
	others := k.sealed.Accounts()
	if others == nil {
		return k.a.T("It is unknown which accounts have their secret in it; those accounts must log in again.")
	}
	others = slices.DeleteFunc(others, func(name string) bool { return name == k.acc.Name })
	if len(others) == 0 {
		return ""
	}
	return k.a.T("These accounts lose the secret in it and must log in again: %s", k.a.Listed(others))
}

// restoreSecret undoes store if the account could not be stored. before is the value that store replaced.
func (k *keeper) restoreSecret(ctx context.Context, before accounts.PreviousSecret) error {
	if k.aside == "" {
		return before.PutBack(ctx)
	}
	var err error
	if k.place != secret.InFile {
		err = before.PutBack(ctx)
	}
	return errors.Join(err, k.sealed.PutBack(context.WithoutCancel(ctx), k.aside))
}
