package outboxes

import (
	"context"
	"time"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/daemon"
	delivering "github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
)

// LoginWorked ends a pause of the account in the outbox that a refused login began, and prints so
// unless quiet. Errors are ignored: the pause ends by itself.
func (a *Outboxes) LoginWorked(ctx context.Context, account string, quiet bool) {
	const patience = 3 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	store, err := a.OpenExisting(ctx, "")
	if err != nil || store == nil {
		return
	}
	defer store.Close() // returned changes are on disk already
	resumed, err := delivering.LoginWorked(ctx, store, account)
	if err != nil || !resumed {
		return
	}
	if name := a.OutboxName(""); name != "" {
		a.wakeServe(ctx, daemon.SocketPath(name, a.Getenv))
	}
	if !quiet {
		a.Errf("%s\n", a.T("Account %s is no longer paused: its queued messages can be sent.", console.Visible(account)))
	}
}

// IsLocalOutbox reports whether the outbox is a file, which is fast to open.
func (a *Outboxes) IsLocalOutbox() bool {
	name := a.OutboxName("")
	return name != "" && !outbox.IsPostgres(name)
}
