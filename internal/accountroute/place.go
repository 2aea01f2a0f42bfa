package accountroute

import (
	"context"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
)

// Place selects the outbox: the named one, else $YAN_OUTBOX, else the configured one, else the
// user's own file.
type Place struct {
	Named    string // by a flag or a caller; "" if none is
	Settings account.Outbox
	Secrets  account.Secrets
	Getenv   func(string) string
}

// Find returns the outbox as stores.Open takes it: an absolute path, or the URL of a
// PostgreSQL database with its password. The error is a [*PasswordError] if
// password_command fails.
func (p Place) Find(ctx context.Context) (string, error) {
	where := p.chosenName()
	if where == "" {
		var err error
		if where, err = p.Settings.Where(ctx, p.Secrets); err != nil {
			return "", &PasswordError{err}
		}
	}
	return absolutePath(where, p.Getenv)
}

// Name returns the outbox for display and for the name of a socket. A URL may lack its password; no
// password_command runs.
func (p Place) Name() (string, error) {
	where := p.chosenName()
	if where == "" {
		where = p.Settings.Location()
	}
	return absolutePath(where, p.Getenv)
}

func (p Place) chosenName() string {
	if p.Named != "" {
		return p.Named
	}
	return p.Getenv("YAN_OUTBOX")
}

func absolutePath(where string, getenv func(string) string) (string, error) {
	if outbox.IsPostgres(where) {
		return where, nil
	}
	return stores.FilePath(where, getenv)
}

// PasswordError: the password of the outbox's database is not available.
type PasswordError struct{ Err error }

// Error describes the problem with its cause.
func (e *PasswordError) Error() string { return e.Unwrap().Error() }

// Unwrap returns the same text as an error that can be translated, which wraps the cause.
func (e *PasswordError) Unwrap() error {
	return localerr.Errorf("can't get the password of the outbox: %w", e.Err)
}
