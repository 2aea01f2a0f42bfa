package outboxes

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/daemon"
	delivering "github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/internal/route"
	"github.com/yanmail/yan/internal/scrub"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/internal/wholefile"
	"github.com/yanmail/yan/queue"
)

// OutboxText is the help of --outbox.
func OutboxText(a *Outboxes) string {
	return a.T("where the outbox is: a file, or postgres://… (default: that of the configuration, else the user's own)")
}

// OpenQueue opens the outbox and makes one where there is none. given is the flag.
func (a *Outboxes) OpenQueue(ctx context.Context, given string) (outbox.Store, error) {
	settings, where, err := a.outboxPlace(ctx, given)
	if err != nil {
		return nil, err
	}
	store, err := a.OpenOutbox(ctx, where, route.StoreOptions(settings))
	if err != nil {
		return nil, a.OutboxProblem(given, err)
	}
	return store, nil
}

// LookIntoQueue opens the outbox for who only wants what is in it: a file that is not
// there is not made, and the store is nil.
func (a *Outboxes) LookIntoQueue(ctx context.Context, given string) (outbox.Store, error) {
	name := a.OutboxName(ctx, given)
	if a.OpenStore == nil && name != "" && !outbox.IsPostgres(name) {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return nil, a.notThere(name, given)
		}
	}
	return a.OpenQueue(ctx, given)
}

// notThere is nil where it is usual that there is no outbox yet: the first message makes it.
// One that is named in a command is expected to be there, and the folder of one that is
// named in a variable.
func (a *Outboxes) notThere(name, given string) error {
	_, err := os.Stat(filepath.Dir(name))
	if given == "" || err == nil && a.Origin["outbox"] != "" {
		return nil
	}
	return command.Fail(command.ExitNoInput, errors.New(a.T("there is no outbox %s", command.Printable(name))),
		a.T("Check the name. 'yan send --queue' makes the outbox with the first message."))
}

// ReadQueue is lookIntoQueue for who changes nothing: it is content with a disk that can't
// be written.
func (a *Outboxes) ReadQueue(ctx context.Context, given string) (outbox.Store, error) {
	store, err := a.LookIntoQueue(ctx, given)
	name := a.OutboxName(ctx, given)
	var failed *command.Failure
	if errors.As(err, &failed) && failed.Code == command.ExitNoInput || err == nil || a.OpenStore != nil || name == "" || outbox.IsPostgres(name) {
		return store, err
	}
	if store, readErr := stores.OpenToRead(ctx, name, outbox.Options{}); readErr == nil {
		return store, nil
	}
	return nil, err
}

// OutboxSettings are what the configuration says about the outbox.
func (a *Outboxes) OutboxSettings() (account.Outbox, error) {
	path, err := account.Path(a.Getenv)
	if err != nil { // as of a service without a home: the defaults
		f, err := account.Parse("", nil)
		if err != nil {
			return account.Outbox{}, command.Internal("making an empty configuration", err)
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

// outboxPlace is where the outbox is: as the flag or its variable says, else the
// configuration; "" is the user's own. It may hold a password.
func (a *Outboxes) outboxPlace(ctx context.Context, given string) (account.Outbox, string, error) {
	if err := a.noPasswordInFlag(given); err != nil {
		return account.Outbox{}, "", err
	}
	settings, err := a.OutboxSettings()
	if err != nil && given != "" {
		// Where the outbox is has been said: what is wrong with an account is no reason not
		// to look.
		defaults, emptyErr := account.Parse("", nil)
		if emptyErr != nil {
			return settings, given, command.Internal("making an empty configuration", emptyErr)
		}
		return defaults.Outbox(), given, nil
	}
	if err != nil || given != "" {
		return settings, given, err
	}
	where, err := settings.Where(ctx, a.Secrets(), a.Getenv)
	if err != nil {
		return settings, "", command.Fail(command.ExitConfig, sentence.Errorf("%s: %w", a.T("the password of the outbox can't be had"), err), "")
	}
	return settings, where, nil
}

// OutboxName is the outbox as an absolute path, or as a URL that may lack its password;
// "" where there is no place for it.
func (a *Outboxes) OutboxName(ctx context.Context, given string) string {
	where := given
	if where == "" {
		settings, err := a.OutboxSettings()
		if err != nil {
			return ""
		}
		if where = settings.URL; !outbox.IsPostgres(where) { // then nobody asks for a password
			if where, err = settings.Where(ctx, a.Secrets(), a.Getenv); err != nil {
				return ""
			}
		}
	}
	if outbox.IsPostgres(where) {
		return where
	}
	path, err := stores.Path(where, a.Getenv)
	if err != nil {
		return ""
	}
	return path
}

// WhatNext wakes a 'yan serve' for new work and says how that work gets on its way; later
// says that its time is to come.
func (a *Outboxes) WhatNext(ctx context.Context, store outbox.Store, given string, later bool) string {
	name := a.OutboxName(ctx, given)
	woken := name != "" && a.wake(ctx, daemon.SocketPath(name, a.Getenv))
	stats, err := store.Stats(ctx)
	if err != nil {
		stats = queue.Stats{} // the work is kept all the same
	}
	return a.NextSteps(stats, woken, later)
}

// wake tells a 'yan serve' that there is something to do. One that was stopped and does not
// answer is not waited for: the message is kept, and the store tells it later.
func (a *Outboxes) wake(ctx context.Context, socket string) bool {
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := daemon.Dial(ctx, socket)
	if err != nil {
		return false
	}
	defer c.Close()
	return c.Wake(ctx) == nil
}

// SomebodyWorks reports whether a worker lives.
func SomebodyWorks(stats queue.Stats) bool {
	return slices.ContainsFunc(stats.Workers, func(w queue.WorkerStats) bool { return w.For > 0 })
}

// OutboxProblem is why the outbox can't be used.
func (a *Outboxes) OutboxProblem(given string, err error) error {
	shown := outbox.Describe(a.OutboxName(context.Background(), given))
	var newer *queue.NewerError
	var mishap *delivering.PanicError
	var untrusted *wholefile.UntrustedError
	code, hint := command.ExitIO, ""
	switch {
	case errors.Is(err, context.Canceled):
		return command.Fail(command.ExitTemporary, errors.New(a.T("interrupted")), "")
	case errors.As(err, &mishap):
		a.Errf("%s\n", console.VisibleLines(scrub.Text(string(mishap.Stack))))
		return command.Fail(command.ExitInternal, err, a.T("Please report this, with the lines above."))
	case errors.Is(err, queue.ErrUncertain):
		code, hint = command.ExitUnknown, a.T("Look before you do it again: %s", "yan queue")
	case errors.Is(err, queue.ErrCopied):
		code, hint = command.ExitConfig, a.CopiedHint()
	case errors.As(err, &untrusted):
		code = command.ExitConfig
	case errors.Is(err, queue.ErrFull):
		code, hint = command.ExitTemporary, a.T("Make room on the disk, or forget what is finished: %s", "yan queue prune")
	case errors.As(err, &newer):
		code, hint = command.ExitConfig, a.T("Update this program, or name another outbox with --outbox.")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		code = command.ExitCantCreate
	case errors.Is(err, queue.ErrClosed): // by this program
		code = command.ExitUnavailable
	case outbox.IsPostgres(shown):
		code = command.ExitTemporary
	}
	return command.Fail(code, OfOutbox(shown, err, a.T("the outbox %s", command.Printable(shown))), hint)
}

// OfOutbox says of which outbox an error is, where it does not say that itself.
func OfOutbox(shown string, err error, as string) error {
	if shown == "" || strings.Contains(err.Error(), shown) {
		return err
	}
	return sentence.Errorf("%s: %w", as, err)
}

// CopiedHint says what to do with a copied outbox.
func (a *Outboxes) CopiedHint() string {
	return a.T("If the original is gone: %s. If it is not, or you do not know: %s; what waits here is in doubt then.", "yan queue adopt --moved", "yan queue adopt")
}

// ServeWhere is the outbox that is meant: that of the flag, of YAN_OUTBOX, of the
// configuration, the usual one. The path of a file is absolute.
func (a *Outboxes) ServeWhere(ctx context.Context, given string, f *account.File) (string, error) {
	where := given
	if err := a.noPasswordInFlag(where); err != nil {
		return "", err
	}
	if where == "" {
		if p := f.OutboxFault(); p != nil {
			return "", a.BadConfiguration(f.Path(), p)
		}
		var err error
		if where, err = f.Outbox().Where(ctx, a.ServeSecrets(slog.New(slog.DiscardHandler)), a.Getenv); err != nil {
			return "", command.Fail(command.ExitConfig, err, "")
		}
	}
	if outbox.IsPostgres(where) {
		return where, nil
	}
	path, err := stores.Path(where, a.Getenv)
	if err != nil {
		return "", command.Fail(command.ExitConfig, err, "")
	}
	return path, nil
}

// noPasswordInFlag refuses a URL with a password where others can read it.
func (a *Outboxes) noPasswordInFlag(where string) error {
	_, variable := a.Origin["outbox"]
	if !variable && outbox.HoldsPassword(where) {
		return command.Fail(command.ExitUsage, errors.New(a.T("%s: a password does not belong on the command line", a.Name("outbox"))),
			a.T("Leave it to ~/.pgpass or PGPASSWORD, or to password_command in the configuration."))
	}
	return nil
}

// OpenOutbox opens an outbox, creating it if it is not there.
func (a *Outboxes) OpenOutbox(ctx context.Context, where string, o outbox.Options) (outbox.Store, error) {
	if a.OpenStore != nil {
		return a.OpenStore(ctx, where, o)
	}
	return stores.Open(ctx, where, o)
}

// ServeSecrets are those of this machine; a token that can't be kept is logged.
func (a *Outboxes) ServeSecrets(log *slog.Logger) *account.Secrets {
	s := account.NewSecrets(a.Vault())
	s.Unsaved = func(error) { log.Warn("a fresh access token could not be kept") }
	return s
}
