package daemon

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

func configRetaining(r outbox.Retention) func(context.Context) (Config, error) {
	return func(ctx context.Context) (Config, error) {
		c, err := oneAccount(ctx)
		c.Retention = r
		return c, err
	}
}

func TestReloads(t *testing.T) {
	t.Parallel()
	nonsense := errors.New("line 3 makes no sense")
	configs := make(chan func(context.Context) (Config, error), 1)
	configs <- oneAccount
	hangups := make(chan os.Signal)
	manager := listenAsSystemd(t)
	r := startDaemon(t, func(o *Options) {
		o.Configure = func(ctx context.Context) (Config, error) { return (<-configs)(ctx) }
		o.Hangups, o.Getenv = hangups, environmentOf("NOTIFY_SOCKET", manager.path)
	})
	if got := manager.receiveLines(t); !slices.Equal(got, []string{"READY=1", "STATUS=serving /somewhere/outbox.db, accounts: 1"}) {
		t.Errorf("systemd received at the start: %q", got)
	}
	two := func(ctx context.Context) (Config, error) {
		c, err := oneAccount(ctx)
		c.Accounts = []string{"home", "work"}
		return c, err
	}
	reloading := func(accounts string) {
		t.Helper()
		if got := manager.receiveLines(t); len(got) == 0 || got[0] != "RELOADING=1" || len(got) == 2 && !strings.HasPrefix(got[1], "MONOTONIC_USEC=") {
			t.Errorf("systemd received %q", got)
		}
		if got := manager.receiveLines(t); got[0] != "READY=1" || !strings.Contains(got[1], "accounts: "+accounts) {
			t.Errorf("systemd received after the reload: %q", got)
		}
	}
	configs <- two
	hangups <- os.Interrupt
	receiveWithin(t, r.reloaded, "the delivery is told")
	reloading("2")

	// An invalid configuration is reported and keeps the previous one.
	configs <- func(context.Context) (Config, error) { return Config{}, nonsense }
	told, err := r.client.Reload(t.Context())
	if err != nil || told.Error != nonsense.Error() || len(told.Accounts) != 2 {
		t.Errorf("reload: %+v, %v", told, err)
	}
	reloading("2")
	s, err := r.client.Status(t.Context())
	if err != nil || s.ConfigError != nonsense.Error() || len(s.Accounts) != 2 || !s.Ready {
		t.Errorf("then: %+v, %v", s, err)
	}
	if !strings.Contains(r.log.String(), "keeping the previous one") {
		t.Errorf("the error is not in the log:\n%s", r.log)
	}
	if len(r.reloaded) != 0 {
		t.Error("the delivery reloaded an invalid configuration")
	}
	configs <- oneAccount
	if told, err := r.client.Reload(t.Context()); err != nil || told.Error != "" || len(told.Accounts) != 1 {
		t.Errorf("reload: %+v, %v", told, err)
	}
	receiveWithin(t, r.reloaded, "the delivery is told")
	reloading("1")
	if s, err := r.client.Status(t.Context()); err != nil || s.ConfigError != "" {
		t.Errorf("after the last reload: %+v, %v", s, err)
	}
	r.stop()
	if got := manager.receiveLines(t); got[0] != "STOPPING=1" {
		t.Errorf("systemd received at the end: %q", got)
	}
}

// An account that begins to send after a reload uses the new route.
func TestRouteOfTheNewConfiguration(t *testing.T) {
	t.Parallel()
	first, second := errors.New("the first"), errors.New("the second")
	next := first
	r := startDaemon(t, func(o *Options) {
		o.Configure = func(context.Context) (Config, error) {
			err := next
			return Config{Route: func(context.Context, string) (delivery.Route, error) { return delivery.Route{}, err }}, nil
		}
	})
	if _, err := r.o.Route(t.Context(), "work"); !errors.Is(err, first) {
		t.Errorf("before: %v", err)
	}
	next = second
	if _, err := r.client.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.o.Route(t.Context(), "work"); !errors.Is(err, second) {
		t.Errorf("after: %v", err)
	}
}

// The watchdog is not notified while the outbox does not work, the lease is lost, or the lease is
// not renewed.
func TestWatchdog(t *testing.T) {
	t.Parallel()
	manager := listenAsSystemd(t)
	r := startDaemon(t, func(o *Options) {
		o.Getenv = environmentOf("NOTIFY_SOCKET", manager.path, "WATCHDOG_USEC", "20000000")
	})
	const half = 10 * time.Second
	alive := func() {
		t.Helper()
		if got := manager.receiveLines(t); !slices.Equal(got, []string{"WATCHDOG=1"}) {
			t.Errorf("systemd received %q", got)
		}
	}
	if got := manager.receiveLines(t); got[0] != "READY=1" {
		t.Errorf("systemd received %q", got)
	}
	r.clock.fire(t, half)
	alive()
	good := r.status
	asked := make(chan struct{}, 10)
	for name, bad := range map[string]delivery.WorkerStatus{
		"an outbox that does not work": {Joined: true, Accepting: true, StoreErr: errors.New("disk")},
		"no lease":                     {Accepting: true},
	} {
		r.setStatus(func() delivery.WorkerStatus { asked <- struct{}{}; return bad })
		r.clock.fire(t, half)
		receiveWithin(t, asked, name+": somebody looks")
		r.setStatus(good)
		if err := r.o.Store.Join(t.Context(), queue.Worker{}, lease); err != nil {
			t.Fatal(err)
		}
		r.clock.fire(t, half)
		alive() // and not twice
	}
	r.setStatus(func() delivery.WorkerStatus { defer func() { asked <- struct{}{} }(); return good() })
	for range 3 { // the clock is 10, 20 and 30 seconds after the last renewal
		r.clock.fire(t, half)
		receiveWithin(t, asked, "somebody looks")
	}
	alive()
	alive()
	r.clock.fire(t, half) // more than the lease
	receiveWithin(t, asked, "somebody looks")
	if code, text := requestPath(t, r.socket, pathReady); code != 503 || !strings.Contains(text, "renewed") {
		t.Errorf("readiness then: %d %s", code, text)
	}
	r.stop()
	if got := manager.receiveLines(t); got[0] != "STOPPING=1" {
		t.Errorf("systemd received %q without a heartbeat", got)
	}
	r.clock.fire(t, half) // now the grace period is the bound
	alive()
}

func TestWatchdogOfAnother(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		env      []string
		watchdog time.Duration
	}{
		"none":           {nil, 0},
		"ours":           {[]string{"NOTIFY_SOCKET", "x", "WATCHDOG_USEC", "3000000"}, 3 * time.Second},
		"of another one": {[]string{"NOTIFY_SOCKET", "x", "WATCHDOG_USEC", "3000000", "WATCHDOG_PID", "1"}, 0},
		"nonsense":       {[]string{"NOTIFY_SOCKET", "x", "WATCHDOG_USEC", "soon"}, 0},
	} {
		if n := newNotifier(environmentOf(want.env...), nil); n.watchdog != want.watchdog {
			t.Errorf("%s: %v", name, n.watchdog)
		}
	}
}

func TestPrunes(t *testing.T) {
	t.Parallel()
	next := outbox.Retention{Bodies: time.Hour, Messages: 2 * time.Hour}
	r := startDaemon(t, func(o *Options) {
		o.Configure = func(ctx context.Context) (Config, error) { return configRetaining(next)(ctx) }
	})
	r.clock.fire(t, firstPrune)
	if got := receiveWithin(t, r.store.pruned, "it is pruned"); got != next {
		t.Errorf("pruned with %+v", got)
	}
	next.Messages = 3 * time.Hour
	if _, err := r.client.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	// An error is logged and has no other effect unless the store is broken.
	r.store.setPrune(func(outbox.Retention) (outbox.Pruned, error) { return outbox.Pruned{}, errors.New("later") })
	r.clock.fire(t, PruneEvery)
	if got := receiveWithin(t, r.store.pruned, "it is pruned again"); got != next {
		t.Errorf("pruned with %+v", got)
	}
	r.store.setPrune(func(outbox.Retention) (outbox.Pruned, error) { return outbox.Pruned{}, queue.ErrBroken })
	r.clock.fire(t, PruneEvery)
	receiveWithin(t, r.store.pruned, "it is pruned a third time")
	receiveWithin(t, r.told, "the delivery is told to end")
	r.end <- nil
	if err := receiveWithin(t, r.ended, "the end"); !errors.Is(err, queue.ErrBroken) {
		t.Errorf("Run returned %v", err)
	}
	if !strings.Contains(r.log.String(), "store_error") {
		t.Errorf("the error is not in the log:\n%s", r.log)
	}
}
