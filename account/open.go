package account

import (
	"context"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/secret"
)

// Secrets reads and keeps the secrets of accounts.
type Secrets struct {
	vault *secret.Vault
}

// NewSecrets reads them from the places of a vault.
func NewSecrets(v *secret.Vault) *Secrets { return &Secrets{vault: v} }

// Password reads the password of an account. The error is a *secret.Error.
func (s *Secrets) Password(ctx context.Context, a Account) (string, error) { return "", nil }

// KeepPassword keeps it where the account's Secret is the zero value.
func (s *Secrets) KeepPassword(ctx context.Context, a Account, password string) (secret.Place, error) {
	return "", nil
}

// Tokens gives the access tokens of an account that uses OAuth 2.0, and keeps
// the fresh ones.
func (s *Secrets) Tokens(ctx context.Context, a Account) (*oauth.Source, error) { return nil, nil }

// KeepToken keeps the token that a consent gave.
func (s *Secrets) KeepToken(ctx context.Context, a Account, t oauth.Token) (secret.Place, error) {
	return "", nil
}

// Forget forgets what is kept for an account.
func (s *Secrets) Forget(ctx context.Context, a Account) error { return nil }

// OAuthClient is the registration that an account logs in with; ok is false
// when it uses a password.
func (a Account) OAuthClient() (c oauth.Client, ok bool) { return oauth.Client{}, false }

// Options is what yan.Open takes beside a.Server. It reads the secret.
func (a Account) Options(ctx context.Context, s *Secrets) (yan.Options, error) {
	return yan.Options{}, nil
}

// Open makes a client for an account of this user: the one of that name, or the
// default for "". It asks nobody for anything.
func Open(ctx context.Context, name string) (*yan.Client, error) { return nil, ErrNone }
