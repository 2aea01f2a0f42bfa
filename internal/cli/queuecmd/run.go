package queuecmd

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/verdict"
	delivering "github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) runCommand() *cobra.Command {
	q := &queueFlags{}
	var quiet bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:     "run",
		Short:   a.T("Send due messages once and exit"),
		Long:    a.T("Send all due messages in the outbox and exit, reporting the outcome of each recipient. Deferred messages stay in the outbox until they are due again: run this again then, for example from cron, or let 'yan serve' do it. Several can run at the same time, also with 'yan serve': no message is sent by two.\n\nThe exit status is that of 'yan send' for several messages; 0 if nothing was due.\n\nAfter --timeout no further message is started, and messages in flight have 30 seconds to finish. The rest stays in the outbox, and the exit status is at least 75."),
		Example: "  yan queue run\n  */5 * * * * yan queue run -q --timeout 4m",
		Args:    a.AtMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if quiet && q.json {
				return a.Wrongf("use either %s or %s: the first prints no results, the second prints them all", a.Name("quiet"), a.Name("json"))
			}
			if !cmd.Flags().Changed("timeout") {
				return a.queueRun(cmd.Context(), q, quiet)
			}
			if timeout <= 0 {
				return a.Wrongf("%s %q: want a time above zero, like 30s", a.Name("timeout"), timeout.String())
			}
			ctx, cancel := context.WithTimeoutCause(cmd.Context(), timeout, verdict.ErrTimeout{})
			defer cancel()
			return a.queueRun(ctx, q, quiet)
		},
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("quiet", "q", &quiet, "", a.T("print only permanent failures and messages that need a decision")),
		command.NewOption("timeout", "", &timeout, a.T("TIME"), a.T("start no message after this time, such as 30s or 5m (default: no limit)")))
	cmd.Flags().Lookup("timeout").DefValue = "" // the help text says it
	q.registerFlags(a.chooser, cmd)
	a.AddLists(cmd, func() []command.List { return []command.List{a.ExitStatuses()} })
	return cmd
}

func (a *queueCommands) queueRun(ctx context.Context, q *queueFlags, quiet bool) error {
	store, err := a.OpenExisting(ctx, q.outbox)
	if err != nil {
		return a.orTimeout(ctx, err)
	}
	if store == nil {
		if quiet {
			return nil
		}
		return a.reportNoOutbox(q, queue.Filter{})
	}
	defer store.Close() // all outcomes are stored already
	_, began, err := store.Events(ctx, queue.CursorNow, 1)
	if err != nil {
		return a.orTimeout(ctx, a.OutboxProblem(q.outbox, err))
	}
	f, err := a.FaultyConfiguration()
	if err != nil {
		return err
	}
	r := newRunReporter(a, q, store, quiet)
	routes := accountroute.Router{File: f, Secrets: a.Secrets()}
	drained, err := delivering.New(delivering.Options{Store: store, Route: routes.Find, Observe: r.queueEvent, After: a.After, Now: a.Now}).Drain(ctx)
	interrupted := context.Cause(ctx)
	r.close()
	if err != nil && interrupted == nil {
		return a.OutboxProblem(q.outbox, err)
	}
	r.printExpired(context.WithoutCancel(ctx), began)
	return r.printConclusion(context.WithoutCancel(ctx), interrupted, drained)
}

// orTimeout returns err, or the error of --timeout if it ended before the run began.
func (a *queueCommands) orTimeout(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, verdict.ErrTimeout{}) {
		return command.Fail(command.ExitTemporary, errors.New(a.LocalError(cause)), "")
	}
	return err
}
