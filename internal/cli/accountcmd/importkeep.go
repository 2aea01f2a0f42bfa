package accountcmd

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/secret"
)

// storeChosen imports the chosen accounts: all of them, or none if one can't be imported.
func (a *importer) storeChosen(ctx context.Context, s *importFlags, f *account.File, list []*importCandidate) error {
	read, before, first := f.Bytes(), f.Default(), len(f.Accounts()) == 0
	chosen := ""
	for _, h := range list {
		if !h.chosen {
			continue
		}
		if err := a.checkCandidate(f, s, h); err != nil {
			return err
		}
		if err := f.Put(completeCandidate(f, h)); err != nil {
			return a.BadConfiguration(f.Path(), err)
		}
		if h.Default && chosen == "" {
			chosen = h.name
		}
	}
	if !first {
		chosen = before // the default stays the same
	}
	if chosen != "" && f.Default() != chosen {
		if err := f.SetDefault(chosen); err != nil {
			return a.BadConfiguration(f.Path(), err)
		}
	}
	if !slices.ContainsFunc(list, func(h *importCandidate) bool { return h.chosen }) {
		return nil
	}
	if err := accounts.CheckSavable(f, read); err != nil {
		return a.SaveError(f, err)
	}
	return a.storeSecrets(ctx, s, f, list)
}

// storePassword stores the password of a found account. putBack undoes it.
func (a *importer) storePassword(ctx context.Context, s *importFlags, f *account.File, vault *secret.Vault, h *importCandidate) (putBack func(context.Context) error, err error) {
	acc, _ := f.Account(h.name)
	if s.files {
		path := accounts.OwnSecretFile(f, h.name)
		before, err := accounts.ReadPreviousFile(path)
		if err == nil {
			err = accounts.WriteSecretFile(path, h.Password.Reveal())
		}
		if err != nil {
			return nil, command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("can't write the secret"), err), "")
		}
		acc.Secret = account.Secret{File: path}
		return func(context.Context) error { return before.PutBack() }, f.Put(acc)
	}
	before, err := accounts.ReadPreviousSecret(ctx, vault, h.name, accounts.ItemPassword)
	if err == nil {
		_, err = accounts.NewSecrets(vault).KeepPassword(ctx, acc, h.Password.Reveal())
	}
	return before.PutBack, err
}

// dropUnstored drops an account whose password can't be stored on this machine, so that the
// others can be imported. It returns false for any other failure.
func (h *importCandidate) dropUnstored(f *account.File, was map[string]account.Account, err error) bool {
	var e *secret.Error
	if !errors.As(err, &e) || e.Problem != secret.Unavailable && e.Problem != secret.Locked {
		return false
	}
	var undo error
	if old, ok := was[h.name]; ok {
		undo = f.Put(old)
	} else {
		undo = f.Remove(h.name)
	}
	h.chosen, h.unkept = undo != nil, err
	return undo == nil
}

// checkCandidate refuses an account that exists already, and one without a sender.
func (a *importer) checkCandidate(f *account.File, s *importFlags, h *importCandidate) error {
	_, exists := f.Account(h.name)
	h.replaces = exists
	switch {
	case exists && !s.replace && !h.consented:
		return command.Fail(command.ExitUsage, errors.New(a.T("account %s exists already; nothing was saved", h.name)),
			a.T("Use %s to replace it, or %s to give the new one another name.", "--replace", "--name "+h.Account.Name+" --as "+a.T("NAME")))
	case h.Account.From == "":
		return command.Fail(command.ExitData, errors.New(a.T("no sender address given for %s; nothing was saved", h.name)), a.T("Use %s.", "--sender "+a.T("ADDRESS")))
	}
	return nil
}

// completeCandidate returns a found account with the inherited settings added. Server and login are those
// shown on the screen, whatever the defaults say.
func completeCandidate(f *account.File, h *importCandidate) account.Account {
	acc := accounts.NewAccount(f, h.name)
	from, to := reflect.ValueOf(h.Account), reflect.ValueOf(&acc).Elem()
	for i := range from.NumField() {
		if field := to.Field(i); field.CanSet() && !from.Field(i).IsZero() {
			field.Set(from.Field(i))
		}
	}
	acc.Name = h.name
	if !h.Password.IsZero() {
		acc.Secret = account.Secret{}
	}
	if acc.SignatureFile != "" && h.Account.SignatureFile != "" {
		acc.Signature = ""
	}
	return acc
}

// storeSecrets stores the passwords, then writes the configuration. If that fails, it restores the
// secrets that were replaced.
func (a *importer) storeSecrets(ctx context.Context, s *importFlags, f *account.File, list []*importCandidate) error {
	vault := a.SecretVault()
	secrets := accounts.NewSecrets(vault)
	var replaced []func(context.Context) error
	was := map[string]account.Account{}
	if before, err := account.Load(f.Path()); err == nil { // the file is not changed yet
		for _, acc := range before.Accounts() {
			was[acc.Name] = acc
		}
	}
	err := func() error {
		for _, h := range list {
			if !h.chosen || h.Password.IsZero() {
				continue
			}
			acc, _ := f.Account(h.name)
			putBack, err := a.storePassword(ctx, s, f, vault, h)
			if h.dropUnstored(f, was, err) {
				continue
			}
			if err != nil {
				return a.BadSecret(acc, err)
			}
			replaced = append(replaced, putBack)
		}
		if !slices.ContainsFunc(list, func(h *importCandidate) bool { return h.chosen }) {
			return nil
		}
		return a.SaveAccounts(f)
	}()
	if err != nil {
		for _, putBack := range replaced {
			if backErr := putBack(ctx); backErr != nil {
				a.Errf("%s\n", a.T("The stored secret could not be removed again: %v", backErr))
			}
		}
		return err
	}
	for _, h := range list {
		h.kept = h.chosen
		if acc, ok := f.Account(h.name); ok && h.kept && h.replaces {
			kept := accounts.KeptNothing
			if !h.Password.IsZero() {
				kept = accounts.KeptPassword
			}
			a.ForgetFormer(ctx, secrets, acc, kept)
		}
	}
	return nil
}
