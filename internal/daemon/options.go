package daemon

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
)

// Defaults of Options.
const (
	DefaultGrace = 30 * time.Second
	// PruneEvery is the interval between prunings.
	PruneEvery = time.Hour
	// lease is delivery.Options.Lease.
	lease = 30 * time.Second
	// afterCut is how long recording the outcomes of cut-off messages may take after the grace
	// period.
	afterCut = 10 * time.Second
)

// Deliverer sends the messages of an outbox; *delivery.Delivery implements it.
type Deliverer interface {
	Run(ctx context.Context) error
	Reload()
	Status() delivery.WorkerStatus
}

// Meter counts events and exports the counts; *metrics.Metrics implements it.
type Meter interface {
	Observe(delivery.WorkerEvent)
	// Handler returns the handler of /metrics. connections returns how many connections may be
	// open, by account. It is called once.
	Handler(store outbox.Admin, status func() delivery.WorkerStatus, connections func() map[string]int) http.Handler
}

// Config is the part of the configuration that a reload changes.
type Config struct {
	// Accounts are the names of the usable accounts, for display.
	Accounts []string
	// Route returns the route of an account.
	Route func(ctx context.Context, account string) (delivery.Route, error)
	// Retention says how long finished messages are kept. Zero keeps them forever.
	Retention outbox.Retention
}

// Options configures [Run].
type Options struct {
	Store outbox.Store
	// Outbox is the name of the outbox for display, without a password.
	Outbox string
	// Configure reads the configuration. At the start its error ends Run; at a reload an error
	// keeps the previous configuration.
	Configure func(ctx context.Context) (Config, error)
	// Deliver creates the Delivery; nil means delivery.New.
	Deliver func(delivery.Options) Deliverer
	// Socket is the path of the command socket, see [SocketPath]; "" means none.
	Socket string
	// Metrics is the address of /metrics, /healthz and /readyz, see [MetricsAddress]; "" means
	// none. Meter serves /metrics; if it is nil there is no /metrics.
	Metrics string
	Meter   Meter
	// Services returns the ways in for messages; nil means none. It is called once; wake makes the
	// delivery look for due messages.
	Services func(wake func()) []Service
	// Ways counts the messages of the ways in, for /status; nil means none.
	Ways func() []WayStatus
	// Tracer records a span for every attempt; nil means none.
	Tracer trace.Tracer
	// Log receives the events; nil discards them.
	Log *slog.Logger
	// Hangups triggers a reload for each value received; nil means never.
	Hangups <-chan os.Signal
	// Grace bounds the wait for messages in flight after ctx is done; 0 means DefaultGrace.
	Grace time.Duration
	// Ready is called once, when everything runs; nil means no call.
	Ready func(Info)
	// Getenv returns the variables that systemd sets; nil means none are set.
	Getenv func(string) string
	// Version is the program's version, shown in the status.
	Version string
	// Now and After replace the clock in tests.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

// Info describes a daemon that has just started, for display.
type Info struct {
	Outbox   string
	Accounts []string
	Socket   string // "" if there is none
	Metrics  string // host:port; "" if there is none
}

func (o Options) withDefaults() Options {
	if o.Deliver == nil {
		o.Deliver = func(d delivery.Options) Deliverer { return delivery.New(d) }
	}
	if o.Tracer == nil {
		o.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Grace <= 0 {
		o.Grace = DefaultGrace
	}
	if o.Ways == nil {
		o.Ways = func() []WayStatus { return []WayStatus{} }
	}
	if o.Ready == nil {
		o.Ready = func(Info) {}
	}
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	return o
}
