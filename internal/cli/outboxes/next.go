package outboxes

import (
	"context"
	"slices"
	"time"

	"github.com/yanmail/yan/internal/daemon"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// NextStepHint wakes a 'yan serve' for new work and returns how that work is sent; later says that its
// time has not come.
func (a *Outboxes) NextStepHint(ctx context.Context, store outbox.Admin, given string, later bool) string {
	woken := a.WakeOwn(ctx, given)
	stats, err := store.Stats(ctx)
	if err != nil {
		stats = queue.Stats{} // the work is stored all the same
	}
	return a.NextSteps(stats, woken, later)
}

// WakeOwn tells the 'yan serve' of an outbox to look for due messages, and reports whether one runs. given
// is the value of --outbox.
func (a *Outboxes) WakeOwn(ctx context.Context, given string) bool {
	name := a.OutboxName(given)
	return name != "" && a.wakeServe(ctx, daemon.SocketPath(name, a.Getenv))
}

// wakeServe tells a 'yan serve' about new work. It does not wait for a stopped process: the message is
// stored, and the store wakes the process later.
func (a *Outboxes) wakeServe(ctx context.Context, socket string) bool {
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := daemon.Dial(ctx, socket)
	if err != nil {
		return false
	}
	defer c.Close()
	return c.Wake(ctx) == nil
}

// HasWorker reports whether a worker is running.
func HasWorker(stats queue.Stats) bool {
	return slices.ContainsFunc(stats.Workers, func(w queue.WorkerStats) bool { return w.For > 0 })
}

// NextSteps returns how waiting messages are sent. served says that a 'yan serve' has replied,
// later that their time has not come.
func (a *Outboxes) NextSteps(stats queue.Stats, served, later bool) string {
	switch {
	case stats.Copied:
		return a.T("This outbox is a copy of another one and delivers nothing.") + " " + a.CopiedHint()
	case served, HasWorker(stats):
		return a.T("A worker is running and will send it; use 'yan queue watch' to follow it.")
	case later:
		return a.T("No worker is running. Keep 'yan serve' running until then, or run 'yan queue run' at that time.")
	}
	return a.T("No worker is running. Run 'yan queue run' to send now, or keep 'yan serve' running.")
}
