package account

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/yanmail/yan/internal/credentials"
	"github.com/yanmail/yan/internal/files/homedir"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/transport"
)

// Secrets supplies the secrets of accounts. [SystemSecrets] returns those of this user; a program
// with its own store implements the interface.
type Secrets interface {
	// Password returns the password of an account.
	Password(ctx context.Context, a Account) (string, error)
	// FreshToken returns the function that gets access tokens for an account that logs in
	// with them; see Options.FreshToken of package yan.
	FreshToken(ctx context.Context, a Account) (func(ctx context.Context, refused string) (string, error), error)
}

// SystemSecrets returns the secrets that `yan login` has stored and those that the
// configuration names. It asks the user nothing. It is safe for concurrent use.
func SystemSecrets() Secrets {
	path, _ := Path(os.Getenv) // without a path only the keyring is used
	return credentials.New[Account](credentials.SystemVault(os.Getenv, path))
}

// SecretError says that the secret of an account could not be read.
type SecretError struct {
	Account string
	Problem SecretProblem
	Err     error // contains no secret
}

func (e *SecretError) Error() string { return e.Err.Error() }
func (e *SecretError) Unwrap() error { return e.Err }

// SecretProblem is the reason of a [SecretError], as a stable word: "not_found", "empty",
// "locked", "passphrase", "command_failed", …
type SecretProblem string

// The problems that a program can react to.
const (
	SecretNotFound    SecretProblem = "not_found"   // nothing is stored: yan login stores it
	SecretLocked      SecretProblem = "locked"      // the keyring is locked
	SecretUnavailable SecretProblem = "unavailable" // no keyring, and no passphrase for the encrypted file
	SecretOtherLogin  SecretProblem = "other_login" // stored for another server or user
)

// secretError wraps an error about a secret in a SecretError.
func (a Account) secretError(err error) error {
	if problem, ok := errors.AsType[*secret.Error](err); ok {
		return &SecretError{Account: a.Name, Problem: SecretProblem(problem.Problem), Err: err}
	}
	return err
}

// File returns the path of a file that the account names: ~ is the user's folder, and a
// relative name is in the folder of the configuration.
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

// LoginKey returns the name of the account, its user, its server, and the text that distinguishes
// this login from those at other servers and of other users: the provider if it is known, as its
// hosts may change, else the host or socket.
func (a Account) LoginKey() (name, user, host, login string) {
	user, login = a.User, "?" // of an unusable account
	address, err := a.Address()
	if err != nil {
		return a.Name, user, "", login
	}
	if server, err := transport.ParseServer(a.Server, address); err == nil {
		host = server.Host
		user = cmp.Or(user, server.User)
		login = cmp.Or(server.Provider.ID, strings.ToLower(server.Host), server.Socket)
	}
	return a.Name, cmp.Or(user, address.String()), host, login
}

// SecretSource returns the place of the password: "command", "file", "env", "netrc" or
// "credential" with its value, files by their path; "" for the keyring or the encrypted
// file.
func (a Account) SecretSource() (kind, value string) {
	switch s := a.Secret; {
	case s.Command != "":
		return string(secret.Command), s.Command
	case s.File != "":
		return string(secret.File), a.File(s.File)
	case s.Env != "":
		return string(secret.Env), s.Env
	case s.Netrc == DefaultNetrc:
		return string(secret.Netrc), ""
	case s.Netrc != "":
		return string(secret.Netrc), a.File(s.Netrc)
	case s.Credential != "":
		return string(secret.Credential), s.Credential
	}
	return string(secret.Stored), ""
}
