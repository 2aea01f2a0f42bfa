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
	// PruneEvery is how often what is finished is forgotten.
	PruneEvery = time.Hour
	// lease is delivery.Options.Lease.
	lease = 30 * time.Second
	// afterCut is how long the results of what was cut off may take to be kept.
	afterCut = 10 * time.Second
)

// Delivery is what sends; *delivery.Delivery is one.
type Delivery interface {
	Run(ctx context.Context) error
	Reload()
	Status() delivery.Status
}

// Meter counts what happens and shows it. Package metrics is one.
type Meter interface {
	Observe(delivery.Event)
	// Handler shows the counts, and what it is given to ask. connections is how many
	// may be open, by account. It is called once.
	Handler(store outbox.Store, status func() delivery.Status, connections func() map[string]int) http.Handler
}

// Config is what a reload changes.
type Config struct {
	// Accounts are the names of those that can be sent from, for people.
	Accounts []string
	// Route finds how an account sends.
	Route func(ctx context.Context, account string) (delivery.Route, error)
	// Retention is what is kept of messages that are finished. Nothing is forgotten
	// where it is zero.
	Retention outbox.Retention
}

// Options is what [Run] needs.
type Options struct {
	Store outbox.Store
	// Outbox names the outbox for people; a password is not in it.
	Outbox string
	// Configure reads the configuration: at the start, where an error ends Run, and
	// at each reload, where the one before stays.
	Configure func(ctx context.Context) (Config, error)
	// Deliver makes the Delivery; nil means delivery.New.
	Deliver func(delivery.Options) Delivery
	// Socket is the path for commands, see [SocketPath]; "" means none.
	Socket string
	// Metrics is the address of /metrics, /healthz and /readyz, see [MetricsAddress];
	// "" means none. Meter is what /metrics shows; nil means that there is none.
	Metrics string
	Meter   Meter
	// Tracer is told of every attempt; nil means nobody.
	Tracer trace.Tracer
	// Log is told what happens; nil means nobody.
	Log *slog.Logger
	// Hangups asks for a reload each time; nil means never.
	Hangups <-chan os.Signal
	// Grace bounds how long what is on the wire is waited for; 0 means DefaultGrace.
	Grace time.Duration
	// Ready is told once that everything runs; nil means nobody.
	Ready func(Info)
	// Getenv has what systemd says; nil means that it says nothing.
	Getenv func(string) string
	// Version is the program's, for the status.
	Version string
	// Now and After are the clock, for tests.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

// Info is what a person wants to know at the start.
type Info struct {
	Outbox   string
	Accounts []string
	Socket   string // "" for none
	Metrics  string // host:port; "" for none
}

func (o Options) withDefaults() Options {
	if o.Deliver == nil {
		o.Deliver = func(d delivery.Options) Delivery { return delivery.New(d) }
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
