// Package credentials reads and keeps the secrets of accounts: passwords, and OAuth 2.0
// tokens, which it refreshes. It does not know the configuration; package account
// describes an account to it by the methods of [Account].
package credentials

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/yanmail/yan/internal/files/homedir"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/provider"
)

// Account is the part of an account that its secrets depend on. account.Account has
// these methods.
type Account interface {
	// LoginKey returns the name of the account, its user and host, and a text that differs for
	// each login at another server or by another user.
	LoginKey() (name, user, host, login string)
	// SecretSource returns the place of the password: a word of secret.SourceKind with its
	// value, with the paths of files made absolute.
	SecretSource() (kind, value string)
	// OAuth2Client returns the registration with an authorization server; ok is false if
	// the account logs in with a password.
	OAuth2Client() (c OAuth2Client, ok bool)
}

// OAuth2Client is a registration with an authorization server, by public types.
type OAuth2Client = struct {
	ID, Secret       string
	Server           provider.OAuth2
	LoginHint, Proxy string
}

// Client returns the OAuth 2.0 client of an account; ok is false if it logs in with a
// password.
func Client(a Account) (c oauth.Client, ok bool) {
	o, ok := a.OAuth2Client()
	if !ok {
		return c, false
	}
	c = oauth.ForServer(o.Server)
	c.ID, c.Secret, c.LoginHint, c.Proxy = o.ID, o.Secret, o.LoginHint, o.Proxy
	return c, true
}

// Secrets reads and keeps the secrets of accounts of type A. It is safe for concurrent
// use.
type Secrets[A Account] struct {
	// Unsaved is called with the reason if a fresh token could not be saved; the token is
	// used all the same. nil ignores it.
	Unsaved func(error)

	vault *secret.Vault
}

// New returns Secrets that are kept in a vault.
func New[A Account](v *secret.Vault) *Secrets[A] { return &Secrets[A]{vault: v} }

// SystemVault returns the vault of this machine: its keyring and, if config is known, the
// encrypted file in the folder of the configuration.
func SystemVault(getenv func(string) string, config string) *secret.Vault {
	v := &secret.Vault{Keyring: secret.System(), Getenv: getenv, Home: homedir.Find(getenv)}
	if config != "" {
		v.File = filepath.Join(filepath.Dir(config), "secrets.age")
	}
	return v
}

// The items of an account, see secret.Key.
const (
	itemPassword = "password"
	itemOAuth2   = "oauth2"
)

// secretKey names a secret and its purpose: a password belongs to a user at a server, a token
// to the authorization server that issued it as well.
func secretKey(a Account, item string) secret.Key {
	k := secret.Key{Item: item}
	var login string
	k.Account, k.User, k.Host, login = a.LoginKey()
	if client, ok := a.OAuth2Client(); ok && item == itemOAuth2 {
		login += ", " + hostOf(client.Server.TokenURL)
	}
	k.For = k.User + " (" + login + ")"
	return k
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "?"
	}
	return strings.ToLower(u.Host)
}

func secretSource(a Account) secret.Source {
	kind, value := a.SecretSource()
	return secret.Source{Kind: secret.SourceKind(kind), Value: value}
}

// Password returns the password of an account. The error is a *secret.Error, also if the
// password was kept for another server or user than the account's.
func (s *Secrets[A]) Password(ctx context.Context, a A) (string, error) {
	return s.vault.Get(ctx, secretSource(a), secretKey(a, itemPassword))
}

// KeepPassword stores a password in the keyring or the encrypted file, for an account
// that names no other place.
func (s *Secrets[A]) KeepPassword(ctx context.Context, a A, password string) (secret.Location, error) {
	return s.vault.Set(ctx, secretKey(a, itemPassword), password)
}

// Tokens returns the access tokens of an account that uses OAuth 2.0, and saves fresh
// ones. One process of this user refreshes at a time; the others take the token that it
// saved. The error is a *secret.Error if no token is stored.
func (s *Secrets[A]) Tokens(ctx context.Context, a A) (*oauth.TokenSource, error) {
	client, ok := Client(a)
	if !ok {
		return nil, oauth.ErrNoClientID
	}
	token, err := s.storedToken(ctx, a)
	if err != nil {
		return nil, err
	}
	return &oauth.TokenSource{Client: client, Token: token, Unsaved: s.Unsaved,
		Lock: func(ctx context.Context) (func(), error) { return s.vault.LockKey(ctx, secretKey(a, itemOAuth2)) },
		Load: func(ctx context.Context) (oauth.Token, error) {
			t, err := s.storedToken(ctx, a)
			var e *secret.Error
			if errors.As(err, &e) && (e.Problem == secret.NotFound || e.Problem == secret.OtherLogin) {
				err = fmt.Errorf("%w: %w", oauth.ErrForgotten, err)
			}
			return t, err
		},
		Save: func(ctx context.Context, t oauth.Token) error {
			_, err := s.keepToken(ctx, a, t)
			return err
		}}, nil
}

// FreshToken returns the function that gets access tokens: OAuth 2.0 tokens, or those that the
// account's password command prints. refused is a token that the server has refused.
func (s *Secrets[A]) FreshToken(ctx context.Context, a A) (func(ctx context.Context, refused string) (string, error), error) {
	if usesOAuth2(a) {
		tokens, err := s.Tokens(ctx, a)
		if err != nil {
			return nil, err
		}
		return tokens.Access, nil
	}
	return func(ctx context.Context, _ string) (string, error) {
		// Commands that print tokens refresh them, and not all of them can run twice at once.
		if secretSource(a).Kind == secret.Command {
			if unlock, err := s.vault.LockKey(ctx, secretKey(a, itemOAuth2)); err == nil {
				defer unlock()
			}
		}
		return s.Password(ctx, a)
	}, nil
}

func usesOAuth2(a Account) bool {
	_, ok := a.OAuth2Client()
	return ok
}

// lockToken prevents refreshes of an account's token while it is replaced or forgotten. The
// caller goes on even if there is no lock.
func (s *Secrets[A]) lockToken(ctx context.Context, a A) (unlock func()) {
	unlock, err := s.vault.LockKey(ctx, secretKey(a, itemOAuth2))
	if err != nil {
		return func() {}
	}
	return unlock
}

// storedToken returns the stored token.
func (s *Secrets[A]) storedToken(ctx context.Context, a A) (t oauth.Token, err error) {
	kept, err := s.vault.Get(ctx, secret.Source{}, secretKey(a, itemOAuth2))
	if err != nil {
		return t, err
	}
	if json.Unmarshal([]byte(kept), &t) != nil { // its error would show the token
		return t, &secret.Error{Problem: secret.Damaged, Key: secretKey(a, itemOAuth2), Err: errors.New("what is kept is no token")}
	}
	return t, nil
}

// KeepToken stores the token of a new consent. It first waits for a refresh of the former
// token, which would otherwise overwrite the new one.
func (s *Secrets[A]) KeepToken(ctx context.Context, a A, t oauth.Token) (secret.Location, error) {
	defer s.lockToken(ctx, a)()
	return s.keepToken(ctx, a, t)
}

func (s *Secrets[A]) keepToken(ctx context.Context, a A, t oauth.Token) (secret.Location, error) {
	encoded, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("encoding the token: %w", err)
	}
	return s.vault.Set(ctx, secretKey(a, itemOAuth2), string(encoded))
}

// Forget deletes the stored secrets of an account.
func (s *Secrets[A]) Forget(ctx context.Context, a A) error {
	return errors.Join(s.ForgetPassword(ctx, a), s.ForgetToken(ctx, a))
}

// ForgetPassword deletes the stored password, and not the token.
func (s *Secrets[A]) ForgetPassword(ctx context.Context, a A) error {
	return s.vault.Delete(ctx, secretKey(a, itemPassword))
}

// ForgetToken deletes the stored token, and not the password. It first waits for a refresh,
// which would otherwise save the token again.
func (s *Secrets[A]) ForgetToken(ctx context.Context, a A) error {
	defer s.lockToken(ctx, a)()
	return s.vault.Delete(ctx, secretKey(a, itemOAuth2))
}

// InFile reports whether the secret of an account is in the encrypted file. It needs no
// passphrase, and does not touch the keyring.
func (s *Secrets[A]) InFile(a A) bool {
	item := itemPassword
	if usesOAuth2(a) {
		item = itemOAuth2
	}
	return s.vault.FileHolds(secretKey(a, item))
}
