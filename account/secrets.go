package account

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/yanmail/yan/internal/homedir"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/transport"
)

// Secrets reads and keeps the secrets of accounts. The zero value uses the
// places of this machine, and asks nobody for anything. It is safe for concurrent
// use.
type Secrets struct {
	// Unsaved is told why a fresh token could not be kept; it is used all the same.
	// nil tells nobody.
	Unsaved func(error)

	once  sync.Once
	vault *secret.Vault
}

// NewSecrets reads them from the places of a vault.
func NewSecrets(v *secret.Vault) *Secrets { return &Secrets{vault: v} }

func (s *Secrets) places() *secret.Vault {
	s.once.Do(func() {
		if s.vault == nil {
			s.vault = SystemVault(os.Getenv)
		}
	})
	return s.vault
}

// SystemVault is the places of this machine: its keyring, and the encrypted file
// beside the configuration.
func SystemVault(getenv func(string) string) *secret.Vault {
	v := &secret.Vault{Keyring: secret.System(), Getenv: getenv, Home: homedir.Find(getenv)}
	if path, err := Path(getenv); err == nil {
		v.File = filepath.Join(filepath.Dir(path), "secrets.age")
	}
	return v
}

// File is the path of a file that the account names: ~ is the user's folder, and
// a relative name stands beside the configuration.
func (a Account) File(name string) string {
	name = homedir.Expand(name, homedir.Find(os.Getenv))
	switch {
	case name == "":
		return ""
	case filepath.IsAbs(name) || a.dir == "":
		return name
	}
	return filepath.Join(a.dir, name)
}

// What is kept for an account.
const (
	itemPassword = "password"
	itemOAuth2   = "oauth2"
)

// key names what is kept, and what for: a password for who logs in and where, a
// token for who gave it as well. Where a provider is known it is that, whose hosts
// and ports may change.
func (a Account) key(item string) secret.Key {
	k := secret.Key{Account: a.Name, Item: item, User: a.User}
	place := "?" // of an account that can't be used
	address, err := a.Address()
	if err == nil {
		if server, err := transport.ParseServer(a.Server, address); err == nil {
			k.Host = server.Host
			k.User = cmp.Or(k.User, server.User)
			place = cmp.Or(server.Provider.ID, strings.ToLower(server.Host), server.Socket)
		}
		k.User = cmp.Or(k.User, address.String())
	}
	if client, ok := a.OAuthClient(); ok && item == itemOAuth2 {
		place += ", " + hostOf(client.TokenURL)
	}
	k.For = k.User + " (" + place + ")"
	return k
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "?"
	}
	return strings.ToLower(u.Host)
}

// Source is where the vault finds the account's password.
func (a Account) source() secret.Source {
	switch s := a.Secret; {
	case s.Command != "":
		return secret.Source{Kind: secret.Command, Value: s.Command}
	case s.File != "":
		return secret.Source{Kind: secret.File, Value: a.File(s.File)}
	case s.Env != "":
		return secret.Source{Kind: secret.Env, Value: s.Env}
	case s.Netrc == DefaultNetrc:
		return secret.Source{Kind: secret.Netrc}
	case s.Netrc != "":
		return secret.Source{Kind: secret.Netrc, Value: a.File(s.Netrc)}
	case s.Credential != "":
		return secret.Source{Kind: secret.Credential, Value: s.Credential}
	}
	return secret.Source{}
}

// Password reads the password of an account. The error is a *secret.Error. One that
// was kept for another server or login name than the account's is not given.
func (s *Secrets) Password(ctx context.Context, a Account) (string, error) {
	return s.places().Get(ctx, a.source(), a.key(itemPassword))
}

// KeepPassword keeps it in the keyring or the encrypted file, for an account
// whose Secret is the zero value.
func (s *Secrets) KeepPassword(ctx context.Context, a Account, password string) (secret.Place, error) {
	return s.places().Set(ctx, a.key(itemPassword), password)
}

// Tokens gives the access tokens of an account that uses OAuth 2.0, and keeps
// the fresh ones. Among all processes of this user that have the same
// configuration, one at a time refreshes; the others take what it kept. The error is
// a *secret.Error if no token is kept.
func (s *Secrets) Tokens(ctx context.Context, a Account) (*oauth.Source, error) {
	client, ok := a.OAuthClient()
	if !ok {
		return nil, oauth.ErrNoClientID
	}
	token, err := s.token(ctx, a)
	if err != nil {
		return nil, err
	}
	return &oauth.Source{Client: client, Token: token, Unsaved: s.Unsaved,
		Lock: func(ctx context.Context) (func(), error) { return s.places().Alone(ctx, a.key(itemOAuth2)) },
		Load: func(ctx context.Context) (oauth.Token, error) {
			t, err := s.token(ctx, a)
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

// tokenOf reads an access token from where the account's secret is. Programs that
// print tokens refresh them, and not all of them can run twice at once, so one at a
// time runs for an account.
func (s *Secrets) tokenOf(ctx context.Context, a Account) (string, error) {
	if a.Secret.Command != "" {
		if unlock, err := s.places().Alone(ctx, a.key(itemOAuth2)); err == nil {
			defer unlock()
		}
	}
	return s.Password(ctx, a)
}

// alone keeps refreshes of an account's token from running while it is replaced by a
// consent or forgotten. Without a lock the user's will is done all the same.
func (s *Secrets) alone(ctx context.Context, a Account) (unlock func()) {
	unlock, err := s.places().Alone(ctx, a.key(itemOAuth2))
	if err != nil {
		return func() {}
	}
	return unlock
}

// token reads the one that is kept.
func (s *Secrets) token(ctx context.Context, a Account) (t oauth.Token, err error) {
	kept, err := s.places().Get(ctx, secret.Source{}, a.key(itemOAuth2))
	if err != nil {
		return t, err
	}
	if json.Unmarshal([]byte(kept), &t) != nil { // its error would show the token
		return t, &secret.Error{Problem: secret.Damaged, Key: a.key(itemOAuth2), Err: errors.New("what is kept is no token")}
	}
	return t, nil
}

// KeepToken keeps the token that a consent gave. It waits for a refresh of the former
// token, which would be saved over the new one.
func (s *Secrets) KeepToken(ctx context.Context, a Account, t oauth.Token) (secret.Place, error) {
	defer s.alone(ctx, a)()
	return s.keepToken(ctx, a, t)
}

func (s *Secrets) keepToken(ctx context.Context, a Account, t oauth.Token) (secret.Place, error) {
	encoded, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("encoding the token: %w", err)
	}
	return s.places().Set(ctx, a.key(itemOAuth2), string(encoded))
}

// Forget forgets what is kept under the name of an account.
func (s *Secrets) Forget(ctx context.Context, a Account) error {
	return errors.Join(s.ForgetPassword(ctx, a), s.ForgetToken(ctx, a))
}

// ForgetPassword forgets the password, and not the token.
func (s *Secrets) ForgetPassword(ctx context.Context, a Account) error {
	return s.places().Delete(ctx, a.key(itemPassword))
}

// ForgetToken forgets the token, and not the password. It waits for a refresh, which
// would save it again.
func (s *Secrets) ForgetToken(ctx context.Context, a Account) error {
	defer s.alone(ctx, a)()
	return s.places().Delete(ctx, a.key(itemOAuth2))
}

// InFile reports whether what an account logs in with is known to be kept in the
// encrypted file. It needs no passphrase, and does not touch the keyring.
func (s *Secrets) InFile(a Account) bool {
	item := itemPassword
	if a.UsesOAuth2() {
		item = itemOAuth2
	}
	return s.places().FileHolds(a.key(item))
}
