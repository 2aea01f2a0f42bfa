package cli

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/daemon"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/route"
	"github.com/yanmail/yan/internal/sentence"
)

type serveFlags struct {
	outbox   string
	socket   string
	metrics  string
	grace    time.Duration
	logJSON  bool
	logLevel string
}

// logLevels are the words of --log-level.
func logLevels() []string { return []string{"debug", "info", "warn", "error"} }

func (a *app) serveCommand() *cobra.Command {
	s := &serveFlags{grace: daemon.DefaultGrace, logLevel: "info"}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: a.T("Deliver what is in the outbox, until it is stopped"),
		Long: a.T("Deliver what is in the outbox until Ctrl-C or SIGTERM: each message at its account's pace, again when the server says later, "+
			"and never twice by itself. It then finishes what is on the wire; a second signal ends it at once, and nothing is lost by that. "+
			"Several may serve one outbox, on several machines where it is in PostgreSQL.") + "\n\n" +
			a.T("SIGHUP has it read the configuration again; one that makes no sense changes nothing. docs/serve.md says more, and has a unit for systemd."),
		Example: "  yan serve\n  yan serve --metrics 9090 --log-json\n  yan serve --outbox /var/lib/yan/outbox.db",
		Args:    a.atMost(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.runServe(cmd.Context(), s) },
	}
	add(cmd, a.T("Flags:"),
		newOption("outbox", "", &s.outbox, a.T("OUTBOX"), a.T("the file of the outbox, or a URL that begins with postgres:// and has no password (default: that of the configuration)")),
		newOption("grace", "", &s.grace, a.T("TIME"), a.T("how long to wait at the end for what is on the wire (default 30s)")),
		newOption("socket", "", &s.socket, a.T("PATH"), a.T("where other commands reach this one (default: beside the outbox)")),
		newOption("metrics", "", &s.metrics, a.T("ADDRESS"), a.T("show metrics to Prometheus at this port of 127.0.0.1, or at host:port")),
		newOption("log-json", "", &s.logJSON, "", a.T("write the log as JSON")),
		newOption("log-level", "", &s.logLevel, a.T("LEVEL"), a.T("the least that is logged: %s (default info)", a.listed(logLevels()))),
	)
	complete(cmd, "log-level", logLevels)
	return cmd
}

func (a *app) runServe(ctx context.Context, s *serveFlags) error {
	o, err := a.serveOptions(s)
	if err != nil {
		return err
	}
	f, err := a.faultyConfiguration()
	if err != nil {
		return err
	}
	where, err := a.serveWhere(ctx, s.outbox, f)
	if err != nil {
		return err
	}
	store, err := a.openOutbox(ctx, where, route.StoreOptions(f.Outbox()))
	if err != nil {
		return a.badOutbox(where, err)
	}
	defer store.Close() // what was kept is on the disk already
	o.Store, o.Outbox = store, outbox.Describe(where)
	if o.Socket = s.socket; o.Socket == "" {
		o.Socket = daemon.SocketPath(where, a.Getenv)
	}
	o.Configure = a.configuring(f, o.Log)
	o.Ready = func(i daemon.Info) { a.announceServe(i, f.Path()) }
	hangups, stop := a.hangups()
	defer stop()
	o.Hangups = hangups
	return a.served(s, daemon.Run(ctx, o))
}

// serveOptions are those that flags say.
func (a *app) serveOptions(s *serveFlags) (daemon.Options, error) {
	o := daemon.Options{Grace: s.grace, Getenv: a.Getenv, Version: version().Version,
		// The global one does nothing until somebody attaches: the API is all there is of
		// OpenTelemetry in this program.
		Tracer: otel.Tracer("github.com/yanmail/yan")}
	if s.grace <= 0 {
		return o, a.wrongf("%s %q: want a time above zero", a.name("grace"), s.grace.String())
	}
	var level slog.Level
	if !slices.Contains(logLevels(), s.logLevel) || level.UnmarshalText([]byte(s.logLevel)) != nil {
		return o, a.wrongf("%s %q: want one of %s", a.name("log-level"), s.logLevel, a.listed(logLevels()))
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
		return o, a.wrongf("%s %v", a.name("metrics"), err)
	}
	o.Meter = newMeter()
	return o, nil
}

// hangups are the SIGHUPs that come until stop is called.
func (a *app) hangups() (<-chan os.Signal, func()) {
	if a.signals == nil {
		return nil, func() {}
	}
	return a.signals()
}

// announceServe says to a person what runs, and how it ends. Programs have the log.
func (a *app) announceServe(i daemon.Info, config string) {
	if a.StdoutWidth == 0 {
		return
	}
	a.heading(a.T("Delivering what is in the outbox; Ctrl-C ends it well."))
	rows := []entry{{a.T("outbox"), printable(i.Outbox)}, {a.T("accounts"), a.T("%s (%s)", a.listed(i.Accounts), printable(config))}}
	if i.Socket == "" {
		rows = append(rows, entry{a.T("socket"), a.T("none: set XDG_RUNTIME_DIR, or name one with --socket")})
	} else {
		rows = append(rows, entry{a.T("socket"), printable(i.Socket)})
	}
	if i.Metrics != "" {
		rows = append(rows, entry{a.T("metrics"), "http://" + i.Metrics + "/metrics"})
	}
	width := 0
	for _, row := range rows {
		width = max(width, columns(row.term))
	}
	for _, row := range rows {
		a.outf("  %s  %s\n", pad(row.term, width), row.text)
	}
	a.outf("\n")
}

// served explains why it ended, and gives the exit status: systemd begins anew for
// all of them but 64 and 78.
func (a *app) served(s *serveFlags, err error) error {
	var (
		failed *failure
		busy   *daemon.BusyError
		mishap *daemon.PanicError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failed):
		return failed
	case errors.As(err, &mishap):
		return fail(exitInternal, err, a.T("The log has where it happened; please report it."))
	case errors.As(err, &busy):
		return fail(exitTemporary, err, a.T("Stop it, or name another place with --socket to serve beside it."))
	case errors.Is(err, outbox.ErrCopied):
		return fail(exitConfig, err, a.copiedHint())
	case errors.Is(err, outbox.ErrBroken), errors.Is(err, outbox.ErrClosed):
		return fail(exitIO, outbox.WhyBroken(err), a.T("Look at the disk, and start it again: nothing that was accepted is lost."))
	case errors.Is(err, daemon.ErrUnfinished):
		return fail(exitTemporary, err, "")
	case errors.Is(err, daemon.ErrAddress):
		return fail(exitUnavailable, err, a.T("Choose another address with --metrics."))
	case errors.Is(err, daemon.ErrSocket):
		return fail(exitCantCreate, err, a.T("Name another place with --socket."))
	}
	return fail(exitUnavailable, sentence.Errorf("%s: %w", a.T("the delivery failed"), err), "")
}

// badOutbox: the outbox can't be opened.
func (a *app) badOutbox(where string, err error) error {
	var newer *outbox.NewerError
	code, hint := exitTemporary, ""
	switch {
	case errors.As(err, &newer):
		code, hint = exitConfig, a.T("Update this program.")
	case errors.Is(err, outbox.ErrBroken):
		code = exitIO
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		code = exitCantCreate
	case !outbox.IsPostgres(where) && strings.Contains(where, "://"):
		code = exitConfig
	}
	shown := outbox.Describe(where)
	return fail(code, ofOutbox(shown, err, a.T("the outbox %s can't be opened", printable(shown))), hint)
}
