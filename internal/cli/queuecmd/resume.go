package queuecmd

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/cli/outboxes"
	"github.com/yanmail/yan/internal/daemon"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) resumeCommand() *cobra.Command {
	q, all := &queueFlags{}, false
	cmd := &cobra.Command{
		Use:               "resume [" + a.T("ACCOUNT…") + "]",
		Short:             a.T("Resume paused accounts"),
		Long:              a.T("Yan pauses an account when its login was refused, its quota is used up or its server asks for a pause. The pause ends automatically; 'yan queue stats' shows when. This command ends it now: use it once you have fixed the problem.\n\nIt also ends the pauses of every running 'yan serve', including those known only to that process, for example because its machine lacks the password.\n\nHeld messages stay held: release them with 'yan queue release'."),
		Example:           "  yan queue resume qq\n  yan queue resume --all",
		ValidArgsFunction: a.CompleteAccounts,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return a.Usagef("name the accounts to resume, or use --all")
			}
			return a.withOutbox(cmd.Context(), q, queue.Filter{}, func(store outbox.Store) error { return a.resumeAccounts(cmd.Context(), q, store, args) })
		},
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("all", "", &all, "", a.T("all paused accounts")))
	q.registerFlags(a.chooser, cmd)
	return cmd
}

// localRests returns the accounts that a 'yan serve' on this machine does not use, because of a
// fault of this machine perhaps. The outbox does not know these. known reports whether a 'yan
// serve' replied.
func (a *queueCommands) localRests(ctx context.Context, given string) (names []string, known bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second) // a stopped process never replies
	defer cancel()
	name := a.OutboxName(given)
	if name == "" {
		return nil, false
	}
	c, err := daemon.Dial(ctx, daemon.SocketPath(name, a.Getenv))
	if err != nil {
		return nil, false
	}
	defer c.Close()
	status, err := c.Status(ctx)
	if err != nil {
		return nil, false
	}
	for _, r := range status.Resting {
		if r.Here {
			names = append(names, r.Account)
		}
	}
	return names, true
}

// resumeAccounts ends the pauses of accounts; no name means all accounts.
func (a *queueCommands) resumeAccounts(ctx context.Context, q *queueFlags, store outbox.Admin, names []string) error {
	stats, err := store.Stats(ctx)
	if err != nil {
		return a.OutboxProblem(q.outbox, err)
	}
	resumed := []string{}
	resting, known := a.localRests(ctx, q.outbox)
	for _, acc := range stats.Accounts {
		named := slices.Contains(names, acc.Account)
		if len(names) > 0 && !named {
			continue
		}
		rests := acc.PausedFor > 0 || slices.Contains(resting, acc.Account)
		working := outboxes.HasWorker(stats) // perhaps on another machine, whose rests are not known here
		if !rests && !working {
			continue
		}
		if err := store.Resume(ctx, acc.Account); err != nil {
			return a.OutboxProblem(q.outbox, err)
		}
		if !rests && (known || !named) {
			continue
		}
		resumed = append(resumed, acc.Account)
	}
	if q.json {
		a.PrintJSON(jsonout.Resumed{Accounts: resumed})
	}
	for _, name := range resumed {
		if !q.json {
			a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("account %s resumed", console.Visible(name)))
		}
	}
	for _, name := range names {
		if !slices.Contains(resumed, name) {
			return command.Fail(command.ExitData, errors.New(a.T("account %s is not paused", console.Visible(name))), a.T("'yan queue stats' lists the accounts of the outbox and shows which are paused."))
		}
	}
	if len(resumed) == 0 {
		if !q.json {
			a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Yellow, "–"), a.T("no account is paused"))
		}
		return nil
	}
	if next := a.NextStepHint(ctx, store, q.outbox, false); !q.json {
		a.Hint(next)
	}
	return nil
}
