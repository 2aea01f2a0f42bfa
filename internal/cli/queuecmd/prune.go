package queuecmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/cli/times"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) pruneCommand() *cobra.Command {
	q := &queueFlags{}
	var bodies, messages string
	cmd := &cobra.Command{
		Use:     "prune",
		Short:   a.T("Delete old finished messages"),
		Long:    a.T("Delete the content of messages that every recipient got, and all records of finished messages, once they are old enough. Unfinished messages are kept, and so is the content of a message that a recipient did not get. 'yan serve' does this automatically."),
		Example: "  yan queue prune\n  yan queue prune --bodies 0s --messages 30d",
		Args:    a.AtMost(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.queuePrune(cmd.Context(), q, bodies, messages) },
	}
	command.Add(cmd, a.T("Age:"),
		command.NewOption("bodies", "", &bodies, a.T("DURATION"), a.T("delete content this long after the message was finished (default: keep_bodies of the configuration, else 7d)")),
		command.NewOption("messages", "", &messages, a.T("DURATION"), a.T("delete all records of a message after this long (default: keep_messages of the configuration, else 90d)")))
	q.registerFlags(a.chooser, cmd)
	return cmd
}

func (a *queueCommands) queuePrune(ctx context.Context, q *queueFlags, bodies, messages string) error {
	r, err := a.parseRetention(bodies, messages)
	if err != nil {
		return err
	}
	return a.withOutbox(ctx, q, queue.Filter{}, func(store outbox.Store) error { return a.pruneOutbox(ctx, q, store, r) })
}

func (a *queueCommands) pruneOutbox(ctx context.Context, q *queueFlags, store outbox.Admin, r outbox.Retention) error {
	p, err := store.Prune(ctx, r)
	if err != nil {
		return a.OutboxProblem(q.outbox, err)
	}
	switch {
	case q.json:
		a.PrintJSON(jsonout.QueuePruned{Bodies: p.Bodies, Messages: p.Messages, Bytes: p.Bytes})
	case p.Bodies+p.Messages == 0:
		a.Outf("%s\n", a.T("Nothing is old enough to be deleted."))
	default:
		a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("deleted: %d messages, the content of %d others, %s", p.Messages, p.Bodies, console.Size(p.Bytes)))
	}
	return nil
}

// parseRetention returns how long finished messages are kept: from the flags, then the configuration.
func (a *queueCommands) parseRetention(bodies, messages string) (outbox.Retention, error) {
	settings, err := a.OutboxSettings()
	if err != nil {
		return outbox.Retention{}, err
	}
	r := accountroute.Retention(settings)
	for _, f := range []struct {
		flag, value string
		to          *time.Duration
	}{{"bodies", bodies, &r.Bodies}, {"messages", messages, &r.Messages}} {
		if f.value == "" {
			continue
		}
		d, ok := times.ParseDuration(f.value)
		if !ok {
			return r, a.Wrongf("%s %q: want a duration, like 12h or 30d", a.Name(f.flag), f.value)
		}
		*f.to, r.Automatic = d, false // given by the user, so the current clock counts
	}
	return r, nil
}
