package servecmd

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/outboxes"
	"github.com/yanmail/yan/internal/daemon"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/intake"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

type serveFlags struct {
	outbox    string
	socket    string
	metrics   string
	smtp      string
	smtpCert  string
	smtpNames []string
	grace     time.Duration
	logJSON   bool
	logLevel  string
}

// logLevels are the words of --log-level.
func logLevels() []string { return []string{"debug", "info", "warn", "error"} }

func (a *serveCommand) cobraCommand() *cobra.Command {
	s := &serveFlags{grace: daemon.DefaultGrace, logLevel: "info"}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: a.T("Deliver queued mail until stopped"),
		Long: a.T("Deliver queued mail until Ctrl-C or SIGTERM: at each account's pace, retrying when the server asks to try later, and never resending on its own. It then finishes the messages in flight; a second signal stops it at once, and nothing is lost. Several processes can serve one outbox, on several machines if it is in PostgreSQL.") + "\n\n" +
			a.T("SIGHUP reloads the configuration; an invalid one is ignored. docs/serve.md has details and a systemd unit."),
		Example: "  yan serve\n  yan serve --smtp 2525\n  yan serve --metrics 9090 --log-json\n  yan serve --outbox /var/lib/yan/outbox.db",
		Args:    a.AtMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			// An empty value is a variable that is not set: without a listener, mail would be refused later.
			if cmd.Flags().Changed("smtp") && s.smtp == "" {
				_, err := account.ListenAddress(s.smtp)
				return a.Wrongf("%s %v", a.Name("smtp"), err)
			}
			if cmd.Flags().Changed("smtp-cert") && s.smtpCert == "" {
				return a.Wrongf("%s %q: want a folder", a.Name("smtp-cert"), s.smtpCert)
			}
			if s.smtpCert != "" {
				return a.issueCertificate(cmd.Context(), s)
			}
			return a.runServe(cmd.Context(), s)
		},
	}
	command.Add(cmd, a.T("Flags:"),
		command.NewOption("outbox", "", &s.outbox, a.T("OUTBOX"), a.T("file of the outbox, or a URL that starts with postgres:// without a password (default: from the configuration)")),
		command.NewOption("grace", "", &s.grace, a.T("TIME"), a.T("how long to wait for messages in flight when stopping (default: 30s)")),
		command.NewOption("socket", "", &s.socket, a.T("PATH"), a.T("socket for other commands (default: next to the outbox)")),
		command.NewOption("smtp", "", &s.smtp, a.T("ADDRESS"), a.T("take messages from programs over SMTP on this port of this machine, or on address:port; see docs/listener.md")),
		command.NewOption("smtp-cert", "", &s.smtpCert, a.T("FOLDER"), a.T("make or renew a certificate for the SMTP listener, with a CA of its own, print how clients are told to trust it, and exit")),
		command.NewOption("smtp-name", "", &s.smtpNames, a.T("NAME"), a.T("further host name or IP address for --smtp-cert; repeatable")),
		command.NewOption("metrics", "", &s.metrics, a.T("ADDRESS"), a.T("serve Prometheus metrics on this port of 127.0.0.1, or on host:port")),
		command.NewOption("log-json", "", &s.logJSON, "", a.T("write the log as JSON")),
		command.NewOption("log-level", "", &s.logLevel, a.T("LEVEL"), a.T("minimum log level: %s (default: info)", a.Listed(logLevels()))),
	)
	command.Complete(cmd, "log-level", logLevels)
	return cmd
}

func (a *serveCommand) runServe(ctx context.Context, s *serveFlags) error {
	o, err := a.serveOptions(s)
	if err != nil {
		return err
	}
	f, err := a.FaultyConfiguration()
	if err != nil {
		return err
	}
	where, err := a.findOutbox(ctx, s.outbox, f)
	if err != nil {
		return err
	}
	store, err := a.OpenOutbox(ctx, where, accountroute.StoreOptions(f.Outbox()))
	if err != nil {
		return a.badOutbox(where, err)
	}
	defer store.Close() // everything is already on the disk
	o.Store, o.Outbox = store, outbox.DescribeName(where)
	if o.Socket = s.socket; o.Socket == "" {
		o.Socket = daemon.SocketPath(where, a.Getenv)
	}
	in, err := a.openIntake(ctx, s, f, store, where, &o)
	if err != nil {
		return err
	}
	o.Configure = a.configReader(f, o.Log, func(ctx context.Context, f *account.File) error { return a.reconfigure(ctx, s, in, f) })
	o.Ready = func(i daemon.Info) { a.announceServe(i, in.Places(), f.Path()) }
	hangups, stop := a.hangupSignals()
	defer stop()
	o.Hangups = hangups
	return a.explainEnd(s, daemon.Run(ctx, o))
}

// findOutbox returns the place of the outbox.
func (a *serveCommand) findOutbox(ctx context.Context, given string, f *account.File) (string, error) {
	if p := f.OutboxFault(); p != nil && given == "" {
		return "", a.BadConfiguration(f.Path(), p)
	}
	where, err := a.FindOutbox(ctx, given, f.Outbox())
	var failed *command.Failure
	if err != nil && !errors.As(err, &failed) {
		err = command.Fail(command.ExitConfig, err, "")
	}
	return where, err
}

// serveOptions returns the options that flags set.
func (a *serveCommand) serveOptions(s *serveFlags) (daemon.Options, error) {
	o := daemon.Options{Grace: s.grace, Getenv: a.Getenv, Version: command.Version().Version,
		// The global tracer does nothing unless an SDK is attached: this
		// program contains only the API of OpenTelemetry.
		Tracer: otel.Tracer("github.com/yanmail/yan")}
	if s.grace <= 0 {
		return o, a.Wrongf("%s %q: want a time above zero", a.Name("grace"), s.grace.String())
	}
	var level slog.Level
	if !slices.Contains(logLevels(), s.logLevel) || level.UnmarshalText([]byte(s.logLevel)) != nil {
		return o, a.Wrongf("%s %q: want one of %s", a.Name("log-level"), s.logLevel, a.Listed(logLevels()))
	}
	form := daemon.LogText
	switch {
	case s.logJSON:
		form = daemon.LogJSON
	case a.Getenv("JOURNAL_STREAM") != "" && a.StderrWidth == 0:
		form = daemon.LogJournal
	}
	o.Log = daemon.NewLog(a.Stderr, form, level)
	if s.metrics == "" {
		return o, nil
	}
	var err error
	if o.Metrics, err = daemon.MetricsAddress(s.metrics); err != nil {
		return o, a.Wrongf("%s %v", a.Name("metrics"), err)
	}
	o.Meter = newMeter()
	return o, nil
}

// hangupSignals returns the SIGHUPs that come until stop is called.
func (a *serveCommand) hangupSignals() (<-chan os.Signal, func()) {
	if a.signals == nil {
		return nil, func() {}
	}
	return a.signals()
}

// announceServe prints the outbox, the accounts and the addresses, and how to stop. Programs read the
// log.
func (a *serveCommand) announceServe(i daemon.Info, places []intake.Place, config string) {
	if a.StdoutWidth == 0 {
		return
	}
	a.Heading(a.T("Delivering the outbox. Press Ctrl-C to stop gracefully."))
	rows := []command.ListEntry{{Term: a.T("outbox"), Text: command.QuoteName(i.Outbox)}, {Term: a.T("accounts"), Text: a.T("%s (%s)", a.Listed(i.Accounts), command.QuoteName(config))}}
	if i.Socket == "" {
		rows = append(rows, command.ListEntry{Term: a.T("socket"), Text: a.T("none: set XDG_RUNTIME_DIR, or use --socket")})
	} else {
		rows = append(rows, command.ListEntry{Term: a.T("socket"), Text: command.QuoteName(i.Socket)})
	}
	for _, p := range places {
		rows = append(rows, command.ListEntry{Term: a.wayName(p.Way), Text: placeText(p)})
	}
	if i.Metrics != "" {
		rows = append(rows, command.ListEntry{Term: a.T("metrics"), Text: "http://" + i.Metrics + "/metrics"})
	}
	width := 0
	for _, row := range rows {
		width = max(width, console.Columns(row.Term))
	}
	for _, row := range rows {
		a.Outf("  %s  %s\n", console.Pad(row.Term, width), row.Text)
	}
	a.Outf("\n")
}

// explainEnd explains the end of the daemon, and returns the exit status: systemd
// restarts it for all of them except 64 and 78.
func (a *serveCommand) explainEnd(s *serveFlags, err error) error {
	var (
		failed *command.Failure
		busy   *daemon.BusyError
		mishap *daemon.PanicError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failed):
		return failed
	case errors.As(err, &mishap):
		return command.Fail(command.ExitInternal, err, a.T("The log shows where it happened; please report it."))
	case errors.Is(err, intake.ErrSubmitSocket), errors.Is(err, intake.ErrDrop), errors.Is(err, intake.ErrListen):
		return a.explainWay(err)
	case errors.As(err, &busy):
		return command.Fail(command.ExitTemporary, err, a.T("Stop it, or use --socket to run beside it."))
	case errors.Is(err, queue.ErrCopied):
		return command.Fail(command.ExitConfig, err, a.CopiedHint())
	case errors.Is(err, queue.ErrBroken), errors.Is(err, queue.ErrClosed):
		return command.Fail(command.ExitIO, outbox.WhyBroken(err), a.T("Check the disk and restart it: no accepted message is lost."))
	case errors.Is(err, daemon.ErrUnfinished):
		return command.Fail(command.ExitTemporary, err, "")
	case errors.Is(err, daemon.ErrAddress):
		return command.Fail(command.ExitUnavailable, err, a.T("Choose another address with --metrics."))
	case errors.Is(err, daemon.ErrSocket):
		return command.Fail(command.ExitCantCreate, err, a.T("Use --socket to choose another place."))
	}
	return command.Fail(command.ExitUnavailable, localerr.Errorf("%s: %w", a.T("delivery failed"), err), "")
}

// badOutbox explains why the outbox can't be opened, with the exit status of
// every other command.
func (a *serveCommand) badOutbox(where string, err error) error {
	var newer *queue.NewerError
	var untrusted *atomicfile.UntrustedError
	code, hint := command.ExitTemporary, ""
	switch {
	case errors.As(err, &newer):
		code, hint = command.ExitConfig, a.T("Update yan.")
	case errors.As(err, &untrusted):
		code = command.ExitConfig
	case errors.Is(err, queue.ErrBroken):
		code = command.ExitIO
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		code = command.ExitCantCreate
	case !outbox.IsPostgres(where) && strings.Contains(where, "://"):
		code = command.ExitConfig
	case !outbox.IsPostgres(where) && !errors.Is(err, queue.ErrFull): // something that is no outbox is there
		code = command.ExitIO
	}
	shown := outbox.DescribeName(where)
	return command.Fail(code, outboxes.WithOutboxName(shown, err, a.T("can't open the outbox %s", command.QuoteName(shown))), hint)
}
