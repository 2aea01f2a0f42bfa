package logincmd

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/ask"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/sasl"
)

// trial keeps secrets in memory until they are proven, so that an account is
// tried in the very way in which it will be used.
func (a *runner) trial() *account.Secrets {
	v := a.Vault()
	v.Keyring, v.File, v.Passphrase = memory{}, "", nil
	return account.NewSecrets(v)
}

// memory is a keyring that ends with the process.
type memory map[[2]string]string

func (m memory) Get(service, user string) (string, error) {
	if s, ok := m[[2]string{service, user}]; ok {
		return s, nil
	}
	return "", secret.ErrNotFound
}

func (m memory) Set(service, user, s string) error {
	m[[2]string{service, user}] = s
	return nil
}

func (m memory) Delete(service, user string) error {
	delete(m, [2]string{service, user})
	return nil
}

// keep stores the secret, then the account. That the account can be written is
// looked at first; if it can't be all the same, what the secret took the place of is
// put back. So what worked before still works, and nothing is left half done.
func (l *setup) keep(ctx context.Context) error {
	read := l.file.Bytes()
	if err := l.enter(); err != nil {
		return err
	}
	if err := accounts.CheckSavable(l.file, read); err != nil {
		return l.notSaved(err)
	}
	vault := l.vault()
	putBack, err := l.keepSecret(ctx, vault)
	if err != nil {
		return err
	}
	if err = l.enter(); err == nil { // the secret may have got a file of its own
		err = l.notSaved(l.file.Save())
	}
	if err != nil {
		if backErr := putBack(); backErr != nil {
			l.say(l.a.T("The secret that was kept could not be taken back: %v", backErr))
		}
		return err
	}
	secrets, kept := account.NewSecrets(vault), l.place != ""
	switch {
	case l.old == nil:
	case kept && l.browsed:
		l.a.ForgetFormer(ctx, secrets, l.acc, accounts.KeptToken)
	case kept:
		l.a.ForgetFormer(ctx, secrets, l.acc, accounts.KeptPassword)
	case l.acc.Secret != (account.Secret{}) || l.acc.Auth == sasl.External || l.acc.NoLogin():
		l.a.ForgetFormer(ctx, secrets, l.acc, accounts.KeptNothing)
	}
	return nil
}

// keepSecret stores what was typed or consented to, if it does not stay in a
// place of its own. putBack undoes that.
func (l *setup) keepSecret(ctx context.Context, vault *secret.Vault) (putBack func() error, err error) {
	secrets := account.NewSecrets(vault)
	var before accounts.KeptBefore
	switch {
	case l.browsed:
		if before, err = l.remember(ctx, accounts.ItemOAuth2); err != nil {
			break
		}
		// The check may have refreshed it.
		source, tokenErr := l.trial.Tokens(ctx, l.acc)
		if tokenErr != nil {
			return nil, command.Internal("the token", tokenErr)
		}
		l.place, err = l.store(ctx, func() (secret.Place, error) { return secrets.KeepToken(ctx, l.acc, source.Token) })
	case l.password != "" && l.intoOwn:
		return l.ownFile()
	case l.password != "":
		if before, err = l.remember(ctx, accounts.ItemPassword); err != nil {
			break
		}
		l.place, err = l.store(ctx, func() (secret.Place, error) { return secrets.KeepPassword(ctx, l.acc, l.password) })
		if errors.Is(err, errOwnFile) && ctx.Err() == nil {
			return l.ownFile()
		}
	default:
		return func() error { return nil }, nil
	}
	switch {
	case err == nil:
		return func() error { return l.restore(ctx, before) }, nil
	case ctx.Err() != nil, errors.Is(err, ask.ErrCancelled):
		return nil, l.answer(ask.ErrCancelled, "", "")
	}
	return nil, l.notKept(err)
}

// notKept adds to what is wrong with the keyring the way around it.
func (l *setup) notKept(err error) error {
	explained := l.a.BadSecretOf(l.acc, err, l.command())
	var failed *command.Failure
	if !errors.As(explained, &failed) {
		return explained
	}
	lines := []string{l.a.T("Nothing was kept."), failed.Hint}
	if !l.person && !strings.Contains(failed.Hint, "--secret-file") {
		lines = append(lines, l.a.T("Or leave the secret in a file that only you can read: %s", "--secret-file code.txt"))
	}
	failed.Hint = strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), "\n     ")
	return explained
}

// errOwnFile: the user prefers a file to a passphrase.
var errOwnFile = errors.New("the secret goes into a file of its own")

// vault is the places of this machine. Where there is no keyring, the user hears
// once what that means, and chooses.
func (l *setup) vault() *secret.Vault {
	v := l.a.Vault()
	l.sealed = v
	if !l.person {
		return v
	}
	told, tries := false, l.a.PassphraseTries()
	v.Passphrase = func(ctx context.Context, anew bool) (string, error) {
		if err := tries(anew); err != nil {
			return "", err
		}
		if anew && !told {
			told = true
			if own, err := l.prefersFile(ctx); err != nil {
				return "", err
			} else if own {
				return "", errOwnFile
			}
		}
		return l.a.Passphrase(anew, func(title string) (string, error) {
			return l.ask.Secret(ctx, ask.Question{Title: title})
		})
	}
	return v
}

func (l *setup) prefersFile(ctx context.Context) (bool, error) {
	if l.browsed {
		l.say(l.a.T("This system has no keyring that is open. The secret goes into an encrypted file."))
		return false, nil
	}
	i, err := l.ask.Choose(ctx, ask.Question{Title: l.a.T("Where shall the secret be kept?"),
		Help: l.a.T("This system has no keyring that is open.")},
		[]string{l.a.T("in an encrypted file; its passphrase is asked for when yan sends"),
			l.a.T("in a file that only you can read; for servers and scheduled jobs")}, 0)
	return i == 1, err
}

// ownFile writes the secret beside the configuration, for its owner alone.
func (l *setup) ownFile() (putBack func() error, err error) {
	path := accounts.OwnSecretFile(l.file, l.acc.Name)
	before, err := accounts.RememberFile(path)
	if err == nil {
		err = accounts.WriteSecretFile(path, l.password)
	}
	if err != nil {
		return nil, command.Fail(command.ExitCantCreate, sentence.Errorf("%s: %w", l.a.T("the secret can't be written"), err), "")
	}
	l.acc.Secret.File = path
	return before.PutBack, nil
}

// enter puts the account into the configuration in memory.
func (l *setup) enter() error {
	f, before := l.file, l.file.Default()
	err := f.Put(l.acc)
	switch {
	case err != nil:
	case l.s.makeDefault || before == "":
		err = f.SetDefault(l.acc.Name)
	case f.Default() != before: // it was the default only because it was alone
		err = f.SetDefault(before)
	}
	if err != nil {
		return l.a.Configf("the account can't be kept: %v", err)
	}
	return nil
}

// notSaved says why the configuration could not be written, if so.
func (l *setup) notSaved(err error) error {
	switch {
	case errors.Is(err, account.ErrChanged):
		return command.Fail(command.ExitTemporary, errors.New(l.a.T("%s was changed by another program meanwhile; the account was not kept", command.Printable(l.file.Path()))), l.a.T("Run yan login again."))
	case err != nil:
		return command.Fail(command.ExitCantCreate, sentence.Errorf("%s: %w", l.a.T("the account can't be written"), err), "")
	}
	return nil
}
