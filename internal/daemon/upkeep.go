package daemon

import (
	"context"
	"log/slog"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/telemetry"
)

// firstPrune is the delay of the first pruning: messages that piled up while no daemon ran are sent
// first.
const firstPrune = time.Minute

// pruneRegularly deletes old finished messages every PruneEvery.
func (d *daemon) pruneRegularly(ctx context.Context) error {
	for wait := firstPrune; ; wait = PruneEvery {
		select {
		case <-d.o.After(wait):
		case <-ctx.Done():
			return nil
		}
		r := d.routes.config.Load().Retention
		if r.Bodies == 0 && r.Messages == 0 {
			continue
		}
		began := d.o.Now()
		p, err := d.o.Store.Prune(ctx, r)
		switch {
		case ctx.Err() != nil:
			return nil
		case isBroken(err):
			return err
		case err != nil:
			d.observe(delivery.WorkerEvent{Kind: delivery.StoreError, Err: err})
		case p.Messages > 0 || p.Bodies > 0:
			d.o.Log.Info("pruned", slog.Int("messages", p.Messages), slog.Int("bodies", p.Bodies),
				slog.Int64("bytes", p.Bytes), telemetry.Milliseconds("took_ms", d.o.Now().Sub(began)))
		}
	}
}

// notifyWatchdog notifies systemd's watchdog, twice in the interval after which it would kill the process.
// It does not notify while the outbox does not work or the lease is not renewed. While the daemon
// stops it does notify: the grace period bounds that.
func (d *daemon) notifyWatchdog(ctx context.Context) error {
	for {
		select {
		case <-d.o.After(d.systemd.watchdog / 2):
		case <-ctx.Done():
			return nil
		}
		if ready, _ := d.isReady(); ready || d.stopping.Load() {
			d.systemd.send("WATCHDOG=1")
		}
	}
}

// reloadOnHangup reloads the configuration for each SIGHUP.
func (d *daemon) reloadOnHangup(ctx context.Context) error {
	for {
		select {
		case _, ok := <-d.o.Hangups:
			if !ok {
				return nil
			}
			_ = d.reload(ctx) // which logs the error
		case <-ctx.Done():
			return nil
		}
	}
}

// reload reads the configuration again. An invalid configuration changes nothing.
func (d *daemon) reload(ctx context.Context) error {
	d.reloads.Lock()
	defer d.reloads.Unlock()
	d.systemd.reloading()
	// After a panic, too, systemd must not wait for the end of the reload; the caller handles the
	// panic.
	defer func() { d.systemd.send("READY=1", d.servingLine()) }()
	config, err := d.o.Configure(ctx)
	d.mu.Lock()
	if d.configErr = err; err == nil {
		d.read = d.o.Now()
	}
	d.mu.Unlock()
	if err != nil {
		d.o.Log.Error("invalid configuration, keeping the previous one", telemetry.ErrorField(err))
		return err
	}
	d.routes.config.Store(&config)
	d.deliver.Reload()
	d.o.Log.Info("configuration reloaded", slog.Any("accounts", config.Accounts))
	return nil
}
