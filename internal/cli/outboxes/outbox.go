package outboxes

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/daemon"
	delivering "github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
)

// OutboxText returns the help of --outbox.
func OutboxText(a *Outboxes) string {
	return a.T("location of the outbox: a file, or postgres://… (default: from the configuration, else your own)")
}

// OpenQueue opens the outbox, and creates it if there is none. given is the value of
// --outbox.
func (a *Outboxes) OpenQueue(ctx context.Context, given string) (outbox.Store, error) {
	settings, err := a.settingsFor(given)
	if err != nil {
		return nil, err
	}
	where, err := a.FindOutbox(ctx, given, settings)
	var store outbox.Store
	if err == nil {
		store, err = a.OpenOutbox(ctx, where, accountroute.StoreOptions(settings))
	}
	var failed *command.Failure
	if err != nil && !errors.As(err, &failed) {
		err = a.OutboxProblem(given, err)
	}
	return store, err
}

// OpenExisting opens the outbox without creating it. It returns nil if there is none.
func (a *Outboxes) OpenExisting(ctx context.Context, given string) (outbox.Store, error) {
	return a.openExisting(ctx, a.OutboxName(given), given)
}

func (a *Outboxes) openExisting(ctx context.Context, name, given string) (outbox.Store, error) {
	if a.OpenStore == nil && name != "" && !outbox.IsPostgres(name) {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return nil, a.missingError(name, given)
		}
	}
	return a.OpenQueue(ctx, given)
}

// missingError returns an error if the outbox should exist: if it is named on the command line,
// or if it is named in a variable and its folder does not exist. Otherwise the first
// message creates it.
func (a *Outboxes) missingError(name, given string) error {
	_, err := os.Stat(filepath.Dir(name))
	if given == "" || err == nil && a.Origin["outbox"] != "" {
		return nil
	}
	return command.Fail(command.ExitNoInput, errors.New(a.T("outbox %s not found", command.QuoteName(name))),
		a.T("Check the name. 'yan send --queue' creates the outbox with the first message."))
}

// OpenReadOnly is OpenExisting for commands that only read; a read-only disk will do.
func (a *Outboxes) OpenReadOnly(ctx context.Context, given string) (outbox.Store, error) {
	name := a.OutboxName(given)
	store, err := a.openExisting(ctx, name, given)
	var failed *command.Failure
	if errors.As(err, &failed) && failed.Code == command.ExitNoInput || err == nil || a.OpenStore != nil || name == "" || outbox.IsPostgres(name) {
		return store, err
	}
	if store, readErr := stores.OpenToRead(ctx, name, outbox.Options{}); readErr == nil {
		return store, nil
	}
	return nil, err
}

// OutboxSettings returns the settings of the outbox in the configuration.
func (a *Outboxes) OutboxSettings() (account.Outbox, error) {
	path, err := account.Path(a.Getenv)
	if err != nil { // for example a service without a home: use the defaults
		f, err := account.Parse("", nil)
		if err != nil {
			return account.Outbox{}, command.InternalFailure("making an empty configuration", err)
		}
		return f.Outbox(), nil
	}
	f, err := a.LoadCached(path)
	if err != nil {
		return account.Outbox{}, a.BadConfiguration(path, err)
	}
	if p := f.OutboxFault(); p != nil {
		return account.Outbox{}, a.BadConfiguration(path, p)
	}
	return f.Outbox(), nil
}

// FindOutbox returns the selected outbox, in the form that OpenOutbox takes; it may hold a password.
// given is the value of --outbox.
func (a *Outboxes) FindOutbox(ctx context.Context, given string, settings account.Outbox) (string, error) {
	if err := a.noPasswordInFlag(given); err != nil {
		return "", err
	}
	where, err := accountroute.Place{Named: given, Settings: settings, Secrets: a.Secrets(), Getenv: a.Getenv}.Find(ctx)
	var password *accountroute.PasswordError
	if errors.As(err, &password) {
		return "", command.Fail(command.ExitConfig, err, "")
	}
	return where, err
}

// OutboxName returns the outbox as an absolute path, or as a URL that may lack its password; "" if
// there is no path for it.
func (a *Outboxes) OutboxName(given string) string {
	settings, err := a.settingsFor(given)
	if err != nil {
		return ""
	}
	name, err := accountroute.Place{Named: given, Settings: settings, Getenv: a.Getenv}.Name()
	if err != nil {
		return ""
	}
	return name
}

// settingsFor is OutboxSettings, but a faulty configuration yields the defaults if the outbox is
// named.
func (a *Outboxes) settingsFor(given string) (account.Outbox, error) {
	settings, err := a.OutboxSettings()
	if err == nil || given == "" {
		return settings, err
	}
	defaults, err := account.Parse("", nil)
	if err != nil {
		return settings, command.InternalFailure("making an empty configuration", err)
	}
	return defaults.Outbox(), nil
}

// noPasswordInFlag refuses a URL with a password in a flag, because other users can read it.
func (a *Outboxes) noPasswordInFlag(where string) error {
	_, variable := a.Origin["outbox"]
	if !variable && outbox.HoldsPassword(where) {
		return command.Fail(command.ExitUsage, errors.New(a.T("%s: passwords are not allowed on the command line", a.Name("outbox"))),
			a.T("Use ~/.pgpass, PGPASSWORD, or password_command in the configuration."))
	}
	return nil
}

// OpenOutbox opens an outbox, and creates it if it does not exist.
func (a *Outboxes) OpenOutbox(ctx context.Context, where string, o outbox.Options) (outbox.Store, error) {
	if a.OpenStore != nil {
		return a.OpenStore(ctx, where, o)
	}
	return stores.Open(ctx, where, o)
}

// ServeSecrets returns the secrets of this machine for yan serve. It logs a token that can't be
// saved.
func (a *Outboxes) ServeSecrets(log *slog.Logger) *accounts.Secrets {
	s := accounts.NewSecrets(a.SecretVault())
	s.Unsaved = func(error) { log.Warn("a fresh access token could not be kept") }
	return s
}

// LoginWorked ends a pause of the account in the outbox that a refused login began, and prints so
// unless quiet. Errors are ignored: the pause ends by itself.
func (a *Outboxes) LoginWorked(ctx context.Context, account string, quiet bool) {
	a.endLoginPause(ctx, a.OutboxName(""), account, quiet)
}

// LocalLoginWorked is LoginWorked if the outbox is a file, which is fast to open.
func (a *Outboxes) LocalLoginWorked(ctx context.Context, account string, quiet bool) {
	if name := a.OutboxName(""); name != "" && !outbox.IsPostgres(name) {
		a.endLoginPause(ctx, name, account, quiet)
	}
}

func (a *Outboxes) endLoginPause(ctx context.Context, name, account string, quiet bool) {
	const patience = 3 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	store, err := a.openExisting(ctx, name, "")
	if err != nil || store == nil {
		return
	}
	defer store.Close() // returned changes are on disk already
	resumed, err := delivering.LoginWorked(ctx, store, account)
	if err != nil || !resumed {
		return
	}
	if name != "" {
		a.wakeServe(ctx, daemon.SocketPath(name, a.Getenv))
	}
	if !quiet {
		a.Errf("%s\n", a.T("Account %s is no longer paused: its queued messages can be sent.", console.Visible(account)))
	}
}
