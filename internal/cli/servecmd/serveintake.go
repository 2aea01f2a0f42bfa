package servecmd

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/daemon"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/intake"
	"github.com/yanmail/yan/internal/intake/tokens"
	"github.com/yanmail/yan/internal/outbox"
)

// openIntake prepares the ways in, and makes them parts of the daemon.
func (a *serveCommand) openIntake(ctx context.Context, s *serveFlags, f *account.File, store outbox.Store, where string, o *daemon.Options) (*intake.Intake, error) {
	settings, err := a.intakeSettings(s, f)
	if err != nil {
		return nil, err
	}
	options := intake.Options{Store: store, Tokens: tokens.Path(f.Path()), Machine: a.isMachineDaemon(), Log: o.Log}
	if !outbox.IsPostgres(where) {
		options.Spool = filepath.Dir(where)
	}
	if m, ok := o.Meter.(interface{ CountMessage(way, rule string) }); ok {
		options.Count = m.CountMessage
	}
	in, err := intake.New(ctx, options, settings)
	if err != nil {
		return nil, a.explainIntake(f, err)
	}
	o.Services, o.Ways = in.Services, in.Ways
	return in, nil
}

// reconfigure makes the ways in use a configuration that was read again.
func (a *serveCommand) reconfigure(ctx context.Context, s *serveFlags, in *intake.Intake, f *account.File) error {
	settings, err := a.intakeSettings(s, f)
	if err != nil {
		return err
	}
	if err := in.Configure(ctx, settings); err != nil {
		return a.explainIntake(f, err)
	}
	return nil
}

// isMachineDaemon reports whether systemd started this process as the daemon of the machine: with
// RuntimeDirectory=yan in the system's manager (systemd.exec(5)).
func (a *serveCommand) isMachineDaemon() bool {
	return slices.Contains(filepath.SplitList(a.Getenv("RUNTIME_DIRECTORY")), filepath.Dir(account.DefaultSubmitSocket))
}

// intakeSettings returns the ways in of the configuration and of --smtp. An invalid table is an error
// at the start, too: a listener that is not the configured one could be open to others.
func (a *serveCommand) intakeSettings(s *serveFlags, f *account.File) (intake.Settings, error) {
	if p := f.SubmissionFault(); p != nil {
		return intake.Settings{}, a.BadConfiguration(f.Path(), p)
	}
	settings := intake.Settings{File: f}
	l, ok := f.ListenSMTP()
	if s.smtp != "" {
		if _, err := account.ListenAddress(s.smtp); err != nil {
			return settings, a.Wrongf("%s %v", a.Name("smtp"), err)
		}
		if !ok && len(f.Accounts()) == 0 {
			return settings, a.NoAccountsError(f, command.ExitConfig)
		}
		if !ok && f.Default() == "" {
			return settings, command.Fail(command.ExitConfig, errors.New(a.T("there is no default account, from which programs without a login could send")),
				a.T("Set one: yan account default %s; or add [listen.smtp] to %s.", a.T("NAME"), command.QuoteName(f.Path())))
		}
		var err error
		if l, err = f.ListenAt(s.smtp); err != nil {
			return settings, command.Fail(command.ExitConfig, errors.New(a.T("%s %q: %v", a.Name("smtp"), s.smtp, err)),
				a.T("Set it up in [listen.smtp] of %s; 'yan serve --help' names the document.", command.QuoteName(f.Path())))
		}
		ok = true
	}
	if ok {
		settings.Listen = &l
	}
	return settings, nil
}

// explainIntake explains why the ways in can't be used as configured.
func (a *serveCommand) explainIntake(f *account.File, err error) error {
	untrusted, isUntrusted := errors.AsType[*atomicfile.UntrustedError](err)
	_, isTokens := errors.AsType[*tokens.FileError](err)
	switch {
	case errors.Is(err, intake.ErrNoToken):
		return command.Fail(command.ExitConfig, err, a.T("Create a login for each program: yan token new %s; or listen at 127.0.0.1.", a.T("NAME")))
	case errors.Is(err, intake.ErrCertificate) && isUntrusted && untrusted.Reason == atomicfile.OthersRead:
		return command.Fail(command.ExitConfig, err, a.T("Make the key private: %s", "chmod 600 "+command.QuoteName(untrusted.Path)))
	case errors.Is(err, intake.ErrCertificate) && errors.Is(err, fs.ErrPermission):
		return command.Fail(command.ExitConfig, err, a.T("The user that runs 'yan serve' must be able to read both files."))
	case isTokens && isUntrusted:
		return command.Fail(command.ExitConfig, err, a.T("Check its contents, then make it private: %s", "chmod go-w "+command.QuoteName(untrusted.Path)))
	case isTokens && errors.Is(err, fs.ErrPermission):
		return command.Fail(command.ExitConfig, err, a.T("The user that runs 'yan serve' must be able to read it."))
	}
	return command.Fail(command.ExitConfig, err, "")
}

// explainWay explains why a way in can't be opened.
func (a *serveCommand) explainWay(err error) error {
	var busy *daemon.BusyError
	switch {
	case errors.As(err, &busy):
		return command.Fail(command.ExitTemporary, err, a.T("Stop it, or set another socket in [submit]."))
	case errors.Is(err, intake.ErrSubmitSocket):
		return command.Fail(command.ExitCantCreate, err, a.T("Set another socket in [submit]; %s turns it off.", `socket = "none"`))
	case errors.Is(err, intake.ErrDrop):
		return command.Fail(command.ExitCantCreate, err, a.T("Create it as docs/listener.md shows; %s turns it off.", `drop = "none"`))
	case errors.Is(err, syscall.EADDRINUSE):
		return command.Fail(command.ExitUnavailable, err, a.T("Another program listens there: stop it, or choose another port."))
	case errors.Is(err, fs.ErrPermission):
		return command.Fail(command.ExitUnavailable, err, a.T("Ports below 1024 need a privilege: choose a higher one, such as 2525."))
	}
	return command.Fail(command.ExitUnavailable, err, a.T("Choose another address."))
}

// placeText returns where a way in is. Listeners have addresses, with commas between them; only a path may
// need quotes.
func placeText(p intake.Place) string {
	if p.Way == intake.WaySMTP {
		return p.Address
	}
	return command.QuoteName(p.Address)
}

// wayName returns the name of a way in for people.
func (a *serveCommand) wayName(way string) string {
	switch way {
	case intake.WaySocket:
		return a.T("submission")
	case intake.WayDrop:
		return a.T("drop folder")
	}
	return "SMTP"
}
