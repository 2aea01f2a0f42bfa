package cli

import (
	"context"
	"path/filepath"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/secret"
)

// configuration reads the accounts of this user. A file that can't be
// understood is explained.
func (a *app) configuration() (*account.File, error) {
	path, err := account.Path(a.Getenv)
	if err != nil {
		return nil, a.configf("the configuration can't be found: %v", err)
	}
	f, err := account.Load(path)
	if err != nil {
		return nil, a.badConfiguration(path, err)
	}
	return f, nil
}

// badConfiguration says what is wrong with the file, where, and what is meant
// perhaps.
func (a *app) badConfiguration(path string, err error) error {
	return a.configf("%s: can't be read: %v", path, err)
}

// secrets are the places of this machine where secrets are kept.
func (a *app) secrets() *account.Secrets { return account.NewSecrets(a.vault()) }

func (a *app) vault() *secret.Vault {
	v := &secret.Vault{Keyring: a.Keyring, Getenv: a.Getenv, Home: a.Getenv("HOME")}
	if path, err := account.Path(a.Getenv); err == nil {
		v.File = filepath.Join(filepath.Dir(path), "secrets.age")
	}
	if a.ReadSecret != nil {
		v.Passphrase = func(ctx context.Context, anew bool) (string, error) { return a.askPassphrase(ctx, anew) }
	}
	return v
}

// askPassphrase asks for the passphrase of the encrypted file, twice for a new
// one.
func (a *app) askPassphrase(ctx context.Context, anew bool) (string, error) {
	return a.ReadSecret(ctx)
}

// badSecret says what is wrong with the place of a secret and what to do.
func (a *app) badSecret(acc account.Account, err error) error {
	return a.configf("the secret of account %s: %v", acc.Name, err)
}
