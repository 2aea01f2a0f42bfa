package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanmail/yan/internal/telemetry"
	"github.com/yanmail/yan/internal/telemetry/redact"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
)

// Errors of [Run] itself. It also returns errors of Options.Configure, of [Listen] and of the
// delivery (after queue.ErrBroken the process has to restart), and a [PanicError].
var (
	// ErrUnfinished: the delivery did not end in time. Its messages stay leased until the lease
	// lapses; then another worker may take them.
	ErrUnfinished = localerr.New("delivery did not end in time: its messages wait until their leases expire")
	// ErrAddress: the address for metrics can't be listened on.
	ErrAddress = localerr.New("can't listen on the metrics address")
	errEnded   = localerr.New("delivery ended unexpectedly")
	// errServiceEnded: a way in ended without having been asked to.
	errServiceEnded = localerr.New("a way in ended unexpectedly")
)

// daemon is the state of one Run.
type daemon struct {
	o        Options
	tasks    *taskGroup
	store    *leaseWatch
	routes   *routes
	deliver  Deliverer
	meter    http.Handler // nil if there is none
	systemd  notifier
	since    time.Time
	stopping atomic.Bool

	socket   *Listener    // nil if there is none
	metrics  net.Listener // nil if there is none
	services []Service

	reloads  sync.Mutex // held during a reload
	standing accountStatsCache

	mu        sync.Mutex
	configErr error     // of the last reload
	read      time.Time // when the current configuration was read
}

// Run delivers from an outbox until ctx is done. It returns nil if all messages in flight were
// finished by then, and always returns within Options.Grace plus a few seconds.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	config, err := o.Configure(ctx)
	if err != nil {
		return err
	}
	d := newDaemon(o, config)
	if err := d.listen(ctx); err != nil {
		return err
	}
	if err = d.openServices(ctx); err == nil {
		err = d.run(ctx)
	} else if d.metrics != nil {
		err = errors.Join(err, d.metrics.Close())
	}
	if d.socket != nil {
		err = errors.Join(err, d.socket.Close())
	}
	return err
}

func newDaemon(o Options, config Config) *daemon {
	d := &daemon{o: o, store: newLeaseWatch(o.Store, o.Now), routes: newRoutes(config), since: o.Now(), read: o.Now()}
	d.tasks = newTaskGroup(d.logFailure)
	d.systemd = newNotifier(o.Getenv, func(err error) { o.Log.Warn("can't notify systemd", telemetry.ErrorField(err)) })
	d.deliver = o.Deliver(delivery.Options{Store: d.store, Route: d.routes.find, Lease: lease, Grace: o.Grace,
		Observe: d.observe, Now: o.Now, After: o.After})
	if o.Meter != nil {
		d.meter = o.Meter.Handler(o.Store, d.deliver.Status, d.routes.openConnections)
	}
	return d
}

// listen opens the socket and the address for metrics. Nothing answers on them yet.
func (d *daemon) listen(ctx context.Context) (err error) {
	if d.o.Socket != "" {
		if d.socket, err = Listen(ctx, d.o.Socket); err != nil {
			return err
		}
	}
	if d.o.Metrics == "" {
		return nil
	}
	if d.metrics, err = net.Listen("tcp", d.o.Metrics); err != nil {
		if d.socket != nil {
			_ = d.socket.Close() // err says more
		}
		return localerr.Errorf("%w: %w", ErrAddress, err)
	}
	if a, ok := d.metrics.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		d.o.Log.Warn("metrics are readable by other machines, unencrypted", slog.String("address", a.String()))
	}
	return nil
}

// run starts the parts, waits for ctx or the first failure, and stops the parts again.
func (d *daemon) run(ctx context.Context) error {
	// Neither context ends with ctx: messages in flight are finished, and requests are answered
	// until the end.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	beside, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()

	delivered := d.tasks.run("delivery", func() error {
		if err := d.deliver.Run(working); err != nil || working.Err() != nil {
			return err
		}
		return errEnded
	})
	others := d.startTasks(working, beside)
	services := d.startServices(working)
	d.announceReady()
	d.warnWrongClock(working)
	d.logRestingAccounts(beside)

	var why error
	select {
	case <-ctx.Done():
	case why = <-d.tasks.failed:
	}
	d.stopping.Store(true)
	d.systemd.send("STOPPING=1", statusLine("stopping"))
	d.o.Log.Info("stopping", telemetry.Milliseconds("grace_ms", d.o.Grace), slog.Int("in_flight", d.deliver.Status().InFlight))
	stop()
	limit := d.afterGrace(beside)
	late := errors.Join(d.awaitDelivery(delivered, limit), d.awaitServices(services, limit))
	end()
	for _, ended := range others {
		<-ended
	}
	if why == nil {
		select {
		case why = <-d.tasks.failed:
		default:
			why = late
		}
	}
	d.o.Log.Info("stopped", slog.Bool("clean", why == nil))
	return why
}

// afterGrace returns a channel that is closed when the parts have had the grace period, and the time
// that they need afterwards.
func (d *daemon) afterGrace(ctx context.Context) <-chan struct{} {
	limit, after := make(chan struct{}), d.o.After(d.o.Grace+afterCut)
	go func() {
		select {
		case <-after:
			close(limit)
		case <-ctx.Done(): // everything ended
		}
	}()
	return limit
}

// awaitDelivery waits until the delivery has finished the messages in flight. After the grace period the
// delivery cuts them off itself; if it still does not end, await abandons it.
func (d *daemon) awaitDelivery(delivered, limit <-chan struct{}) error {
	select {
	case <-delivered:
		return nil
	case <-limit:
		return ErrUnfinished
	}
}

// startTasks starts the parts other than the delivery. It returns one channel per part, closed when the
// part ends.
func (d *daemon) startTasks(working, beside context.Context) (ended []<-chan struct{}) {
	// Wake is called before any other part runs, so that no wake is missed.
	woke := d.o.Store.Wake()
	ended = append(ended,
		d.tasks.run("waking", func() error { return d.store.forwardWakes(working, woke) }),
		d.tasks.run("pruning", func() error { return d.pruneRegularly(working) }))
	if d.o.Hangups != nil {
		ended = append(ended, d.tasks.run("signals", func() error { return d.reloadOnHangup(working) }))
	}
	if d.systemd.watchdog > 0 {
		ended = append(ended, d.tasks.run("watchdog", func() error { return d.notifyWatchdog(beside) }))
	}
	if d.socket != nil {
		ended = append(ended, d.tasks.run("socket", func() error { return d.serve(beside, d.socket, d.controlMux()) }))
	}
	if d.metrics != nil {
		ended = append(ended, d.tasks.run("metrics", func() error { return d.serve(beside, d.metrics, requireLoopbackHost(d.metrics.Addr(), d.publicMux())) }))
	}
	return ended
}

// announceReady reports that all parts run: to the user, to the log and to systemd.
func (d *daemon) announceReady() {
	config := d.routes.config.Load()
	info := Info{Outbox: d.o.Outbox, Accounts: config.Accounts, Socket: d.o.Socket}
	if d.metrics != nil {
		info.Metrics = d.metrics.Addr().String()
	}
	d.o.Ready(info) // before the log, so that the user reads it first
	d.o.Log.Info("serving", slog.String("outbox", info.Outbox), slog.Any("accounts", info.Accounts),
		slog.String("socket", info.Socket), slog.String("metrics", info.Metrics))
	d.systemd.send("READY=1", d.servingLine())
}

// warnWrongClock warns if the newest entry of the outbox is later than the clock.
func (d *daemon) warnWrongClock(ctx context.Context) {
	stats, err := d.o.Store.Stats(ctx)
	if err == nil && stats.Ahead > 0 { // the delivery reports the error
		d.o.Log.Warn("the newest entry of the outbox is ahead of the clock", telemetry.Milliseconds("ahead_ms", stats.Ahead))
	}
}

// servingLine is the status line that systemd shows while nothing is wrong.
func (d *daemon) servingLine() string {
	return statusLine(fmt.Sprintf("serving %s, accounts: %d", d.o.Outbox, len(d.routes.config.Load().Accounts)))
}

// observe passes an event of the delivery to the log, the tracer and the meter.
func (d *daemon) observe(e delivery.WorkerEvent) {
	telemetry.LogEvent(d.o.Log, e)
	telemetry.RecordAttempt(d.o.Tracer, e)
	if d.o.Meter != nil {
		d.o.Meter.Observe(e)
	}
}

// logFailure logs why a part ended, with the stack if it panicked.
func (d *daemon) logFailure(part string, err error) {
	attrs := []any{slog.String("part", part), telemetry.ErrorField(err)}
	var p *PanicError
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	d.o.Log.Error("component failed", attrs...)
}

// isReady reports whether the delivery works, and why not. It does not look at paused accounts; see
// blocked.
func (d *daemon) isReady() (ready bool, why string) {
	s := d.deliver.Status()
	switch {
	case d.stopping.Load():
		return false, "stopping"
	case s.StoreErr != nil:
		return false, "the outbox does not work: " + redact.Text(s.StoreErr.Error())
	case !s.Joined || !s.Accepting:
		return false, "no lease on the outbox"
	case d.store.sinceRenewed() > lease:
		return false, "the lease was not renewed"
	}
	return true, "ready"
}

// isBroken reports whether the store has to be reopened.
func isBroken(err error) bool { return errors.Is(err, queue.ErrBroken) }
