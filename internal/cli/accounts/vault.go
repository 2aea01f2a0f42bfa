package accounts

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/credentials"
	"github.com/yanmail/yan/internal/files/homedir"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/internal/secret"
)

// Secrets reads and stores the secrets of accounts.
type Secrets = credentials.Secrets[account.Account]

// NewSecrets returns the secrets in a vault.
func NewSecrets(v *secret.Vault) *Secrets { return credentials.New[account.Account](v) }

// Secrets returns the secrets of this machine.
func (a *Accounts) Secrets() *Secrets {
	s := NewSecrets(a.SecretVault())
	s.Unsaved = func(err error) {
		a.Errf("%s\n", a.T("The new access token could not be saved: %v", err))
	}
	return s
}

// SecretVault returns the store of secrets: the keyring, or the encrypted file. It asks for the
// passphrase on the terminal.
func (a *Accounts) SecretVault() *secret.Vault {
	v := &secret.Vault{Keyring: a.Keyring, Getenv: a.Getenv, Home: homedir.Find(a.Getenv), WorkFactor: a.WorkFactor}
	if path, err := account.Path(a.Getenv); err == nil {
		v.File = filepath.Join(filepath.Dir(path), "secrets.age")
	}
	if a.ReadSecret != nil {
		tries := a.PassphraseTries()
		v.Passphrase = func(ctx context.Context, anew bool) (string, error) {
			if err := tries(anew); err != nil {
				return "", err
			}
			return a.askPassphrase(ctx, anew)
		}
	}
	return v
}

// maxTries limits how often a run asks for the passphrase of the encrypted file.
const maxTries = 3

// ErrNoMoreTries is the error after the passphrase was wrong maxTries times.
var ErrNoMoreTries = errors.New("the passphrase was wrong each time")

// PassphraseTries returns a function that counts the questions for the passphrase. A correct one is
// not asked for again.
func (a *Accounts) PassphraseTries() func(anew bool) error {
	asked := 0
	return func(anew bool) error {
		if anew {
			return nil
		}
		if asked > 0 {
			a.Errf("%s\n", a.T("Wrong passphrase."))
		}
		if asked++; asked > maxTries {
			return ErrNoMoreTries
		}
		return nil
	}
}

// askPassphrase asks for the passphrase of the encrypted file on the terminal.
func (a *Accounts) askPassphrase(ctx context.Context, anew bool) (string, error) {
	return a.PromptPassphrase(anew, func(title string) (string, error) {
		defer a.WithoutEcho()()
		a.Errf("%s", a.T("%s (not shown): ", title))
		defer a.Errf("\n")
		return a.ReadSecret(ctx)
	})
}

// PromptPassphrase asks for the passphrase of the encrypted file; twice for a new one.
func (a *Accounts) PromptPassphrase(anew bool, question func(title string) (string, error)) (string, error) {
	if !anew {
		return question(a.T("Passphrase of the encrypted file"))
	}
	a.Errf("%s\n", a.T("Remember it: if you forget it, you must log in again."))
	for range 3 {
		first, err := question(a.T("New passphrase of the encrypted file"))
		if err != nil {
			return "", err
		}
		second, err := question(a.T("Repeat it"))
		if err != nil || first == second && first != "" {
			return first, err
		}
		a.Errf("%s\n", a.T("The two entries differ or are empty."))
	}
	return "", prompt.ErrCancelled
}
