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

	"github.com/yanmail/yan/internal/scrub"
	"github.com/yanmail/yan/internal/span"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/queue"
)

// The errors of [Run] that are its own. Others are those of Options.Configure, of the
// delivery (queue.ErrBroken: begin anew), of [Listen] and a [PanicError].
var (
	// ErrUnfinished: the delivery did not end in time. What it had is another's when
	// its lease lapses.
	ErrUnfinished = sentence.New("the delivery did not end in time: what it had waits until its lease has lapsed")
	// ErrAddress: the address for metrics can't be listened at.
	ErrAddress = sentence.New("the address for metrics can't be used")
	errEnded   = sentence.New("the delivery ended by itself")
)

// daemon is one Run.
type daemon struct {
	o        Options
	parts    *parts
	store    *watched
	routes   *routes
	deliver  Delivery
	meter    http.Handler // nil for none
	systemd  notifier
	since    time.Time
	stopping atomic.Bool

	socket  *Listener    // nil for none
	metrics net.Listener // nil for none

	reloads  sync.Mutex // one at a time
	standing standing

	mu        sync.Mutex
	configErr error     // of the last reload
	read      time.Time // when the configuration that counts was read
}

// Run delivers what is in an outbox until ctx is over, and gives nil then when all that was on
// the wire has come to its end. It returns within Options.Grace and a few seconds.
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
	err = d.run(ctx)
	if d.socket != nil {
		err = errors.Join(err, d.socket.Close())
	}
	return err
}

func newDaemon(o Options, config Config) *daemon {
	d := &daemon{o: o, store: newWatched(o.Store, o.Now), routes: newRoutes(config), since: o.Now(), read: o.Now()}
	d.parts = newParts(d.tellFailure)
	d.systemd = newNotifier(o.Getenv, func(err error) { o.Log.Warn("systemd can't be told", reason(err)) })
	d.deliver = o.Deliver(delivery.Options{Store: d.store, Route: d.routes.find, Lease: lease, Grace: o.Grace,
		Observe: d.observe, Now: o.Now, After: o.After})
	if o.Meter != nil {
		d.meter = o.Meter.Handler(o.Store, d.deliver.Status, d.routes.open)
	}
	return d
}

// listen opens what others speak to; nobody is answered yet.
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
			_ = d.socket.Close() // the other error is what matters
		}
		return sentence.Errorf("%w: %w", ErrAddress, err)
	}
	if a, ok := d.metrics.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		d.o.Log.Warn("metrics can be read by other machines, without encryption", slog.String("address", a.String()))
	}
	return nil
}

// run is what happens between the first part's beginning and the last one's end.
func (d *daemon) run(ctx context.Context) error {
	// Neither ends with ctx: what is on the wire goes on, and questions are answered
	// until the end.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	beside, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()

	delivered := d.parts.run("delivery", func() error {
		if err := d.deliver.Run(working); err != nil || working.Err() != nil {
			return err
		}
		return errEnded
	})
	others := d.begin(working, beside)
	d.ready()
	d.tellClock(working)
	d.tellRests(beside)

	var why error
	select {
	case <-ctx.Done():
	case why = <-d.parts.failed:
	}
	d.stopping.Store(true)
	d.systemd.say("STOPPING=1", status("stopping"))
	d.o.Log.Info("stopping", milliseconds("grace_ms", d.o.Grace), slog.Int("in_flight", d.deliver.Status().InFlight))
	stop()
	late := d.await(delivered)
	end()
	for _, ended := range others {
		<-ended
	}
	if why == nil {
		select {
		case why = <-d.parts.failed:
		default:
			why = late
		}
	}
	d.o.Log.Info("stopped", slog.Bool("well", why == nil))
	return why
}

// await lets the delivery finish what is on the wire, which it cuts off itself when
// the grace is over. Should it do neither, it is left behind.
func (d *daemon) await(delivered <-chan struct{}) error {
	select {
	case <-delivered:
		return nil
	case <-d.o.After(d.o.Grace + afterCut):
		return ErrUnfinished
	}
}

// begin starts what is beside the delivery, and gives what is closed as each ends.
func (d *daemon) begin(working, beside context.Context) (ended []<-chan struct{}) {
	// Asked for before anything else can be: what happens from now on is seen.
	woke := d.o.Store.Wake()
	ended = append(ended,
		d.parts.run("waking", func() error { return d.store.follow(working, woke) }),
		d.parts.run("pruning", func() error { return d.prune(working) }))
	if d.o.Hangups != nil {
		ended = append(ended, d.parts.run("signals", func() error { return d.hangups(working) }))
	}
	if d.systemd.watchdog > 0 {
		ended = append(ended, d.parts.run("watchdog", func() error { return d.watch(beside) }))
	}
	if d.socket != nil {
		ended = append(ended, d.parts.run("socket", func() error { return d.serve(beside, d.socket, d.commands()) }))
	}
	if d.metrics != nil {
		ended = append(ended, d.parts.run("metrics", func() error { return d.serve(beside, d.metrics, namedHere(d.metrics.Addr(), d.looks())) }))
	}
	return ended
}

// ready tells everybody that everything runs.
func (d *daemon) ready() {
	config := d.routes.config.Load()
	info := Info{Outbox: d.o.Outbox, Accounts: config.Accounts, Socket: d.o.Socket}
	if d.metrics != nil {
		info.Metrics = d.metrics.Addr().String()
	}
	d.o.Ready(info) // first: a person reads it above the log
	d.o.Log.Info("serving", slog.String("outbox", info.Outbox), slog.Any("accounts", info.Accounts),
		slog.String("socket", info.Socket), slog.String("metrics", info.Metrics))
	d.systemd.say("READY=1", d.serving())
}

// tellClock warns of a clock that is behind the newest entry of the outbox.
func (d *daemon) tellClock(ctx context.Context) {
	stats, err := d.o.Store.Stats(ctx)
	if err == nil && stats.Ahead > 0 { // an error is the delivery's to tell
		d.o.Log.Warn("the newest entry of the outbox is ahead of the clock", milliseconds("ahead_ms", stats.Ahead))
	}
}

// serving is what systemd shows while all is well.
func (d *daemon) serving() string {
	return status(fmt.Sprintf("serving %s, accounts: %d", d.o.Outbox, len(d.routes.config.Load().Accounts)))
}

// observe hands an event of the delivery to whom it concerns.
func (d *daemon) observe(e delivery.Event) {
	logEvent(d.o.Log, e)
	span.Record(d.o.Tracer, e)
	if d.o.Meter != nil {
		d.o.Meter.Observe(e)
	}
}

// tellFailure is told why a part ended.
func (d *daemon) tellFailure(part string, err error) {
	attrs := []any{slog.String("part", part), reason(err)}
	var p *PanicError
	if errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	d.o.Log.Error("a part ended", attrs...)
}

// isReady reports whether the delivery works; why says why not. Accounts may rest, see
// blocked.
func (d *daemon) isReady() (ready bool, why string) {
	s := d.deliver.Status()
	switch {
	case d.stopping.Load():
		return false, "stopping"
	case s.StoreErr != nil:
		return false, "the outbox does not work: " + scrub.Text(s.StoreErr.Error())
	case !s.Joined || !s.Accepting:
		return false, "no lease on the outbox"
	case d.store.sinceRenewed() > lease:
		return false, "the lease was not renewed"
	}
	return true, "ready"
}

// broken reports errors of a store that has to be opened anew.
func broken(err error) bool { return errors.Is(err, queue.ErrBroken) }
