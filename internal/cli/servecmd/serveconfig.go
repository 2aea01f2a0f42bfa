package servecmd

import (
	"context"
	"errors"
	"log/slog"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/daemon"
)

// configReader reads the configuration. At the start it uses the file that was
// already read, in which one invalid account does not stop the others. Later
// the whole file must be valid, because a working configuration is in use; again makes the ways in use it.
func (a *serveCommand) configReader(first *account.File, log *slog.Logger, again func(context.Context, *account.File) error) func(context.Context) (daemon.Config, error) {
	return func(ctx context.Context) (daemon.Config, error) {
		f, starting := first, first != nil
		if first = nil; f == nil {
			var err error
			if f, err = a.ReloadConfiguration(); err != nil {
				return daemon.Config{}, err
			}
		}
		for _, p := range f.Faults() {
			log.Error("an account can't be used", slog.String("key", p.Key), slog.Int("line", p.Line))
		}
		if len(f.Accounts()) == 0 {
			return daemon.Config{}, command.Fail(command.ExitConfig, errors.New(a.T("%s: there are no accounts to send from", command.QuoteName(f.Path()))),
				a.T("Run 'yan login' to create one."))
		}
		if !starting {
			if err := again(ctx, f); err != nil {
				return daemon.Config{}, err
			}
		}
		return a.serveConfig(f, log), nil
	}
}

func (a *serveCommand) serveConfig(f *account.File, log *slog.Logger) daemon.Config {
	router := accountroute.Router{File: f, Secrets: a.ServeSecrets(log)}
	c := daemon.Config{Route: router.Find, Retention: accountroute.Retention(f.Outbox())}
	for _, acc := range f.Accounts() {
		if f.FaultOf(acc.Name) == nil {
			c.Accounts = append(c.Accounts, acc.Name)
		}
	}
	return c
}
