package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/ask"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/sasl"
)

// trial keeps secrets in memory until they are proven, so that an account is
// tried in the very way in which it will be used.
func (a *app) trial() *account.Secrets {
	v := a.vault()
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

// keep stores the secret, then the account. If the second fails, the first is
// taken back: nothing is left half done.
func (l *setup) keep(ctx context.Context) error {
	secrets := l.secrets()
	before := l.keptBefore(ctx, secrets)
	kept, err := l.keepSecret(ctx, secrets)
	if err != nil {
		return err
	}
	if err := l.keepAccount(); err != nil {
		if kept {
			l.takeBack(ctx, secrets, before)
		}
		return err
	}
	switch {
	case l.old == nil:
	case kept && l.browsed:
		l.a.forgetFormer(ctx, secrets, l.acc, keptToken)
	case kept:
		l.a.forgetFormer(ctx, secrets, l.acc, keptPassword)
	case l.acc.Secret != (account.Secret{}) || l.acc.Auth == sasl.External:
		l.a.forgetFormer(ctx, secrets, l.acc, keptNothing)
	}
	return nil
}

// keepSecret stores what was typed or consented to; kept is false where the
// secret stays in a place of its own.
func (l *setup) keepSecret(ctx context.Context, secrets *account.Secrets) (kept bool, err error) {
	switch {
	case l.browsed:
		// The check may have refreshed it.
		source, tokenErr := l.trial.Tokens(ctx, l.acc)
		if tokenErr != nil {
			return false, internal("the token", tokenErr)
		}
		l.place, err = secrets.KeepToken(ctx, l.acc, source.Token)
	case l.password != "":
		l.place, err = secrets.KeepPassword(ctx, l.acc, l.password)
		if errors.Is(err, errOwnFile) && ctx.Err() == nil {
			return false, l.ownFile()
		}
	default:
		return false, nil
	}
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil, errors.Is(err, ask.ErrCancelled):
		return false, l.answer(ask.ErrCancelled, "", "")
	}
	return false, l.notKept(err)
}

// notKept adds to what is wrong with the keyring the way around it.
func (l *setup) notKept(err error) error {
	explained := l.a.badSecret(l.acc, err)
	var failed *failure
	if errors.As(explained, &failed) && !l.person {
		failed.hint = strings.TrimSpace(failed.hint + "\n     " +
			l.a.T("Or leave the secret in a file that only you can read: %s", "--secret-file code.txt"))
	}
	return explained
}

// errOwnFile: the user prefers a file to a passphrase.
var errOwnFile = errors.New("the secret goes into a file of its own")

// secrets are the places of this machine. Where there is no keyring, the user hears
// once what that means, and chooses.
func (l *setup) secrets() *account.Secrets {
	v := l.a.vault()
	if !l.person {
		return account.NewSecrets(v)
	}
	told := false
	v.Passphrase = func(ctx context.Context, anew bool) (string, error) {
		if anew && !told {
			told = true
			if own, err := l.prefersFile(ctx); err != nil {
				return "", err
			} else if own {
				return "", errOwnFile
			}
		}
		return l.passphrase(ctx, anew)
	}
	return account.NewSecrets(v)
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

// passphrase asks for that of the encrypted file, twice for a new one.
func (l *setup) passphrase(ctx context.Context, anew bool) (string, error) {
	if !anew {
		return l.ask.Secret(ctx, ask.Question{Title: l.a.T("Passphrase of the encrypted file")})
	}
	for range 3 {
		first, err := l.ask.Secret(ctx, ask.Question{Title: l.a.T("New passphrase")})
		if err != nil {
			return "", err
		}
		second, err := l.ask.Secret(ctx, ask.Question{Title: l.a.T("The same again")})
		if err != nil || first == second {
			return first, err
		}
		l.say(l.a.T("The two are not the same."))
	}
	return "", ask.ErrCancelled
}

// ownFile writes the secret beside the configuration, for its owner alone.
func (l *setup) ownFile() error {
	path := filepath.Join(filepath.Dir(l.file.Path()), l.acc.Name+".secret")
	if err := writeOwn(path, l.password+"\n"); err != nil {
		return fail(exitCantCreate, fmt.Errorf("%s: %w", l.a.T("the secret can't be written"), err), "")
	}
	l.acc.Secret.File = path
	return nil
}

// writeOwn writes a file that only its owner can read, whole or not at all.
func writeOwn(path, text string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".yan-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the error is told already
		}
	}()
	if _, err = f.WriteString(text); err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// keepAccount writes the configuration.
func (l *setup) keepAccount() error {
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
		return l.a.configf("the account can't be kept: %v", err)
	}
	err = f.Save()
	switch {
	case errors.Is(err, account.ErrChanged):
		return fail(exitTemporary, errors.New(l.a.T("%s was changed by another program meanwhile; nothing was kept", printable(f.Path()))), l.a.T("Run yan login again."))
	case err != nil:
		return fail(exitCantCreate, fmt.Errorf("%s: %w", l.a.T("the account can't be written"), err), "")
	}
	return nil
}

// keptBefore is the password of the account that is replaced, if it is known
// without asking anybody.
func (l *setup) keptBefore(ctx context.Context, _ *account.Secrets) string {
	if l.old == nil || l.old.Secret != (account.Secret{}) || l.old.UsesOAuth2() || l.a.Keyring == nil {
		return ""
	}
	v := l.a.vault()
	v.File, v.Passphrase = "", nil
	before, err := account.NewSecrets(v).Password(ctx, *l.old)
	if err != nil {
		return ""
	}
	return before
}

// takeBack undoes keepSecret.
func (l *setup) takeBack(ctx context.Context, secrets *account.Secrets, before string) {
	var err error
	if before != "" {
		_, err = secrets.KeepPassword(ctx, *l.old, before) // for whom it was kept
	} else {
		err = secrets.Forget(ctx, l.acc)
	}
	if err != nil {
		l.say(l.a.T("The secret that was kept could not be taken back: %v", err))
	}
}
