package cli

import (
	"context"
	"errors"
	"log/slog"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/daemon"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/internal/route"
)

// serveWhere is the outbox that is meant: that of the flag, of YAN_OUTBOX, of the
// configuration, the usual one. The path of a file is absolute.
func (a *app) serveWhere(ctx context.Context, given string, f *account.File) (string, error) {
	where := given
	if err := a.noPasswordInFlag(where); err != nil {
		return "", err
	}
	if where == "" {
		if p := f.OutboxFault(); p != nil {
			return "", a.badConfiguration(f.Path(), p)
		}
		var err error
		if where, err = f.Outbox().Where(ctx, a.serveSecrets(slog.New(slog.DiscardHandler)), a.Getenv); err != nil {
			return "", fail(exitConfig, err, "")
		}
	}
	if outbox.IsPostgres(where) {
		return where, nil
	}
	path, err := stores.Path(where, a.Getenv)
	if err != nil {
		return "", fail(exitConfig, err, "")
	}
	return path, nil
}

// noPasswordInFlag refuses a URL with a password where others can read it.
func (a *app) noPasswordInFlag(where string) error {
	_, variable := a.origin["outbox"]
	if !variable && outbox.HoldsPassword(where) {
		return fail(exitUsage, errors.New(a.T("%s: a password does not belong on the command line", a.name("outbox"))),
			a.T("Leave it to ~/.pgpass or PGPASSWORD, or to password_command in the configuration."))
	}
	return nil
}

func (a *app) openOutbox(ctx context.Context, where string, o outbox.Options) (outbox.Store, error) {
	if a.openStore != nil {
		return a.openStore(ctx, where, o)
	}
	return stores.Open(ctx, where, o)
}

// configuring reads the configuration: at the start that which was read already, in
// which one account that makes no sense does not stop the others. Later on all of it
// has to make sense, because there is one that works.
func (a *app) configuring(first *account.File, log *slog.Logger) func(context.Context) (daemon.Config, error) {
	return func(context.Context) (daemon.Config, error) {
		f := first
		if first = nil; f == nil {
			var err error
			if f, err = a.configuration(); err != nil {
				return daemon.Config{}, err
			}
		}
		for _, p := range f.Faults() {
			log.Error("an account can't be used", slog.String("key", p.Key), slog.Int("line", p.Line))
		}
		if len(f.Accounts()) == 0 {
			return daemon.Config{}, fail(exitConfig, errors.New(a.T("%s: there is no account to send from", printable(f.Path()))),
				a.T("Set one up with 'yan login'."))
		}
		return a.serveConfig(f, log), nil
	}
}

func (a *app) serveConfig(f *account.File, log *slog.Logger) daemon.Config {
	router := route.Router{File: f, Secrets: a.serveSecrets(log)}
	c := daemon.Config{Route: router.Find, Retention: route.Retention(f.Outbox())}
	for _, acc := range f.Accounts() {
		if f.FaultOf(acc.Name) == nil {
			c.Accounts = append(c.Accounts, acc.Name)
		}
	}
	return c
}

// serveSecrets are those of this machine; a token that can't be kept is logged.
func (a *app) serveSecrets(log *slog.Logger) *account.Secrets {
	s := account.NewSecrets(a.vault())
	s.Unsaved = func(error) { log.Warn("a fresh access token could not be kept") }
	return s
}
