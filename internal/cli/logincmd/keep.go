package logincmd

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/sasl"
)

// newTrialSecrets returns secrets in memory. They hold the account's secret until the login has worked, so
// that an account is tested exactly as it will be used.
func (a *loginCommand) newTrialSecrets() *accounts.Secrets {
	v := a.SecretVault()
	v.Keyring, v.File, v.Passphrase = memoryKeyring{}, "", nil
	return accounts.NewSecrets(v)
}

// memoryKeyring is a keyring in memory.
type memoryKeyring map[[2]string]string

func (m memoryKeyring) Get(service, user string) (string, error) {
	if s, ok := m[[2]string{service, user}]; ok {
		return s, nil
	}
	return "", secret.ErrNotFound
}

func (m memoryKeyring) Set(service, user, s string) error {
	m[[2]string{service, user}] = s
	return nil
}

func (m memoryKeyring) Delete(service, user string) error {
	delete(m, [2]string{service, user})
	return nil
}

// keeper stores a tested account and its secret.
type keeper struct {
	*loginSetup
	// sealed is the vault that stores the secret. aside is the encrypted file that was replaced for
	// it; "" if none was.
	sealed *secret.Vault
	aside  string
}

// storeAccount stores the secret, then the account. It first checks that the account can be written. If
// writing fails all the same, it restores the previous secret, so that everything that worked
// before still works.
func (k *keeper) storeAccount(ctx context.Context) error {
	read := k.file.Bytes()
	if err := k.putAccount(); err != nil {
		return err
	}
	if err := accounts.CheckSavable(k.file, read); err != nil {
		return k.saveError(err)
	}
	vault := k.newVault()
	putBack, err := k.keepSecret(ctx, vault)
	if err != nil {
		return err
	}
	if err = k.putAccount(); err == nil { // the secret may have got its own file
		err = k.saveError(k.file.Save())
	}
	if err != nil {
		if backErr := putBack(); backErr != nil {
			k.say(k.a.T("The stored secret could not be removed again: %v", backErr))
		}
		return err
	}
	secrets, kept := accounts.NewSecrets(vault), k.place != ""
	switch {
	case k.old == nil:
	case kept && k.browsed:
		k.a.ForgetFormer(ctx, secrets, k.acc, accounts.KeptToken)
	case kept:
		k.a.ForgetFormer(ctx, secrets, k.acc, accounts.KeptPassword)
	case k.acc.Secret != (account.Secret{}) || k.acc.Auth == sasl.External || k.acc.NoLogin():
		k.a.ForgetFormer(ctx, secrets, k.acc, accounts.KeptNothing)
	}
	return nil
}

// keepSecret stores a typed secret or a token, unless the secret stays where it is. putBack undoes
// that.
func (k *keeper) keepSecret(ctx context.Context, vault *secret.Vault) (putBack func() error, err error) {
	secrets := accounts.NewSecrets(vault)
	var before accounts.PreviousSecret
	switch {
	case k.browsed:
		if before, err = k.rememberSecret(ctx, accounts.ItemOAuth2); err != nil {
			break
		}
		// The check may have refreshed it.
		source, tokenErr := k.trial.Tokens(ctx, k.acc)
		if tokenErr != nil {
			return nil, command.InternalFailure("the token", tokenErr)
		}
		k.place, err = k.storeSecret(ctx, func() (secret.Location, error) { return secrets.KeepToken(ctx, k.acc, source.Token) })
	case k.password != "" && k.intoOwn:
		return k.writeOwnFile()
	case k.password != "":
		if before, err = k.rememberSecret(ctx, accounts.ItemPassword); err != nil {
			break
		}
		k.place, err = k.storeSecret(ctx, func() (secret.Location, error) { return secrets.KeepPassword(ctx, k.acc, k.password) })
		if errors.Is(err, errOwnFile) && ctx.Err() == nil {
			return k.writeOwnFile()
		}
	default:
		return func() error { return nil }, nil
	}
	switch {
	case err == nil:
		return func() error { return k.restoreSecret(ctx, before) }, nil
	case ctx.Err() != nil, errors.Is(err, prompt.ErrCancelled):
		return nil, k.answerError(prompt.ErrCancelled, "", "")
	}
	return nil, k.notKept(err)
}

// notKept adds the alternative to an error of the keyring.
func (k *keeper) notKept(err error) error {
	explained := k.a.BadSecretOf(k.acc, err, k.commandLine())
	var failed *command.Failure
	if !errors.As(explained, &failed) {
		return explained
	}
	lines := []string{k.a.T("Nothing was saved."), failed.Hint}
	if !k.person && !strings.Contains(failed.Hint, "--secret-file") {
		lines = append(lines, k.a.T("Or keep the secret in a file that only you can read: %s", "--secret-file code.txt"))
	}
	failed.Hint = strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), "\n     ")
	return explained
}

// errOwnFile means that the user prefers a secret file to a passphrase.
var errOwnFile = errors.New("the secret goes into a file of its own")

// newVault returns this machine's vault. If there is no keyring, it asks once where
// the secret goes.
func (k *keeper) newVault() *secret.Vault {
	v := k.a.SecretVault()
	k.sealed = v
	if !k.person {
		return v
	}
	told, tries := false, k.a.PassphraseTries()
	v.Passphrase = func(ctx context.Context, anew bool) (string, error) {
		if err := tries(anew); err != nil {
			return "", err
		}
		if anew && !told {
			told = true
			if own, err := k.prefersFile(ctx); err != nil {
				return "", err
			} else if own {
				return "", errOwnFile
			}
		}
		return k.a.PromptPassphrase(anew, func(title string) (string, error) {
			return k.ask.Secret(ctx, prompt.Question{Title: title})
		})
	}
	return v
}

func (k *keeper) prefersFile(ctx context.Context) (bool, error) {
	if k.browsed {
		k.say(k.a.T("This system has no open keyring. The secret will be stored in an encrypted file."))
		return false, nil
	}
	i, err := k.ask.Choose(ctx, prompt.Question{Title: k.a.T("Where should the secret be stored?"),
		Help: k.a.T("This system has no open keyring.")},
		[]string{k.a.T("in an encrypted file; yan asks for its passphrase when sending"),
			k.a.T("in a file that only you can read; for servers and scheduled jobs")}, 0)
	return i == 1, err
}

// writeOwnFile writes the secret to a private file next to the configuration.
func (k *keeper) writeOwnFile() (putBack func() error, err error) {
	path := accounts.OwnSecretFile(k.file, k.acc.Name)
	before, err := accounts.ReadPreviousFile(path)
	if err == nil {
		err = accounts.WriteSecretFile(path, k.password)
	}
	if err != nil {
		return nil, command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", k.a.T("can't write the secret"), err), "")
	}
	k.acc.Secret.File = path
	return before.PutBack, nil
}

// putAccount puts the account into the configuration in memory.
func (k *keeper) putAccount() error {
	f, before := k.file, k.file.Default()
	err := f.Put(k.acc)
	switch {
	case err != nil:
	case k.s.makeDefault || before == "":
		err = f.SetDefault(k.acc.Name)
	case f.Default() != before: // it was the default only because it was the only one
		err = f.SetDefault(before)
	}
	if err != nil {
		return k.a.Configf("can't save the account: %v", err)
	}
	return nil
}

// saveError explains why the configuration could not be written.
func (k *keeper) saveError(err error) error {
	switch {
	case errors.Is(err, account.ErrChanged):
		return command.Fail(command.ExitTemporary, errors.New(k.a.T("another program changed %s at the same time; the account was not saved", command.QuoteName(k.file.Path()))), k.a.T("Run yan login again."))
	case err != nil:
		return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", k.a.T("can't write the account"), err), "")
	}
	return nil
}
