package queuecmd

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// changer applies a change to the chosen messages.
type changer struct{ chooser }

// verbCommand returns the command hold, release, retry or cancel; more is a further paragraph of
// its help.
func (a *queueCommands) verbCommand(verb queue.Verb, short, more, example string) *cobra.Command {
	q, f := &queueFlags{}, &queueFilter{}
	cmd := &cobra.Command{
		Use:               string(verb) + " [" + a.T("ID…") + "] [" + a.T("FILTER…") + "]",
		Short:             short,
		Example:           example,
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return changer{a.chooser}.queueVerb(cmd, q, f, verb, args)
		},
	}
	cmd.Long = cmd.Short + a.T(".") + "\n\n" + a.T("Give message IDs, or choose messages by filters. Recipient filters also limit which recipients are affected. Recipients in a state that doesn't allow the change are skipped and counted.")
	if more != "" {
		cmd.Long += "\n\n" + more
	}
	f.registerFilter(a.chooser, cmd, a.T("all messages in the outbox"))
	q.registerFlags(a.chooser, cmd)
	return cmd
}

func (a changer) queueVerb(cmd *cobra.Command, q *queueFlags, f *queueFilter, verb queue.Verb, args []string) error {
	if err := command.NoneEmpty(a.Context, cmd, filterFlags()...); err != nil {
		return err
	}
	switch {
	case len(args) == 0 && f.isEmpty() && !f.all:
		return command.Fail(command.ExitUsage, errors.New(a.T("no message selected: give an ID, or use --state, --to, --tag and so on")),
			a.T("--all selects every message in the outbox. See '%s --help'.", a.Command))
	case f.all && (len(args) > 0 || !f.isEmpty()):
		return a.Wrongf("%s selects every message; remove it to choose some", a.Name("all"))
	}
	return a.applyVerb(cmd.Context(), q, f, verb, args)
}

// applyVerb applies the verb to the chosen messages, and prints how many it changed.
func (a changer) applyVerb(ctx context.Context, q *queueFlags, f *queueFilter, verb queue.Verb, args []string) error {
	filter, scheduledOnly, err := f.parseFilter(a.chooser, args)
	if err != nil {
		return err
	}
	store, err := a.OpenExisting(ctx, q.outbox)
	if err != nil {
		return err
	}
	if store == nil {
		return a.reportNoOutbox(q, filter)
	}
	defer store.Close() // returned changes are on disk already
	if err := a.checkAllExist(ctx, q, store, filter.IDs); err != nil {
		return err
	}
	if scheduledOnly {
		list, _, err := a.queueEntries(ctx, store, filter, true, 0)
		if err != nil {
			return a.OutboxProblem(q.outbox, err)
		}
		filter.IDs = nil
		for _, e := range list {
			filter.IDs = append(filter.IDs, e.ID)
		}
		if len(list) == 0 {
			a.printChanged(q, verb, queue.Changed{}, false)
			return nil
		}
	}
	if len(filter.States) == 0 && len(args) == 0 {
		filter.States = defaultStates(verb)
	}
	doubted, err := a.anyDoubted(ctx, store, verb, filter)
	if err != nil {
		return a.OutboxProblem(q.outbox, err)
	}
	changed, err := store.Change(ctx, outbox.Change{Verb: verb, Filter: filter})
	var move *queue.StateError
	switch {
	case errors.As(err, &move):
		return a.moveError(move)
	case errors.Is(err, queue.ErrNotFound) && len(filter.IDs) > 0:
		return a.noMessageError(filter.IDs[0])
	case err != nil:
		return a.OutboxProblem(q.outbox, err)
	}
	a.printChanged(q, verb, changed, doubted && changed.Recipients > 0)
	if doubted && changed.Recipients > 0 && !q.json {
		a.warnDoubted(verb)
	}
	if changed.Recipients == 0 && len(args) > 0 {
		return &command.Failure{Code: command.ExitData, Err: errors.New("nothing changed"), Told: true}
	}
	if verb == queue.Release || verb == queue.Retry || verb == queue.ResolveResend {
		a.hintNext(ctx, q, store, changed)
	}
	return nil
}

// anyDoubted reports whether a server may already have a message that is cancelled or tried again.
func (a changer) anyDoubted(ctx context.Context, store outbox.Admin, verb queue.Verb, filter queue.Filter) (bool, error) {
	filter.Limit = 1
	of := []queue.State{queue.InDoubt}
	switch verb {
	case queue.Cancel:
	case queue.Retry:
		of, filter.Doubted = []queue.State{queue.Failed, queue.Expired, queue.Cancelled}, true
	default:
		return false, nil
	}
	if len(filter.States) > 0 {
		of = slices.DeleteFunc(of, func(s queue.State) bool { return !slices.Contains(filter.States, s) })
	}
	if filter.States = of; len(of) == 0 {
		return false, nil
	}
	page, err := store.List(ctx, filter)
	return len(page.Entries) > 0, err
}

// warnDoubted warns that a server may already have the message.
func (a changer) warnDoubted(verb queue.Verb) {
	text := a.T("some were in doubt: a server may have accepted the message, which can't be recalled")
	if verb == queue.Retry {
		text = a.T("some were in doubt before: recipients who have the message may get a second copy; use 'yan queue hold' to hold it")
	}
	a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Yellow, "?"), text)
}

// defaultStates returns the states that a verb applies to if the flags name none. Retry applies to deferred
// recipients only: it must not bring back cancelled messages or send scheduled ones early. Skipped
// recipients are counted.
func defaultStates(verb queue.Verb) []queue.State {
	if verb == queue.Retry {
		return []queue.State{queue.Deferred}
	}
	var states []queue.State
	for _, s := range queue.States() {
		if _, ok := verb.Target(s); ok || s == queue.Sending && verb != queue.Release {
			states = append(states, s)
		}
	}
	return states
}

func (a changer) hintNext(ctx context.Context, q *queueFlags, store outbox.Admin, changed queue.Changed) {
	if changed.Recipients == 0 {
		return
	}
	if next := a.NextStepHint(ctx, store, q.outbox, false); !q.json {
		a.Hint(next)
	}
}

// printChanged prints how many recipients were changed and skipped.
func (a changer) printChanged(q *queueFlags, verb queue.Verb, c queue.Changed, doubted bool) {
	if q.json {
		a.PrintJSON(jsonout.QueueChanged{Verb: string(verb), Messages: c.Messages, Recipients: c.Recipients, Untouched: c.Untouched, Doubted: doubted})
		return
	}
	if c.Recipients > 0 {
		a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.changedLine(verb, c.Recipients, c.Messages))
	}
	switch {
	case c.Untouched > 0:
		a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Yellow, "–"), a.T("recipients skipped because of their state: %d", c.Untouched))
	case c.Recipients == 0:
		a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Yellow, "–"), a.T("no message matches; nothing was changed"))
	}
}

func (a changer) changedLine(verb queue.Verb, recipients, messages int) string {
	how := a.T("recipients: %d, messages: %d", recipients, messages)
	switch verb {
	case queue.Hold:
		return a.T("held (%s)", how)
	case queue.Release:
		return a.T("released (%s)", how)
	case queue.Retry:
		return a.T("due now (%s)", how)
	case queue.Cancel:
		return a.T("cancelled (%s)", how)
	case queue.ResolveSent, queue.ResolveFound:
		return a.T("recorded as handed over (%s)", how)
	default:
		return a.T("will be sent again (%s)", how)
	}
}

// moveError explains why a message can't be changed like this, with a hint about possible changes.
func (a changer) moveError(e *queue.StateError) error {
	id, hint := e.ID, ""
	switch {
	case e.From == queue.Sending:
		hint = a.T("It is being sent: use 'yan queue watch %d' to see the outcome.", id)
	case e.From == queue.InDoubt:
		hint = a.T("It may have been delivered: decide with 'yan queue resolve %d'.", id)
	case e.Verb == queue.Cancel && e.From == queue.HandedOver:
		hint = a.T("Messages accepted by a server can't be recalled.")
	case e.Verb == queue.Retry && e.From == queue.HandedOver:
		hint = a.T("A server accepted it. To send it again: %s", "yan queue export "+id.String()+" | yan send --raw")
	case e.From == queue.Held:
		hint = a.T("Release it with 'yan queue release %d'.", id)
	case e.From.Final() && e.From != queue.HandedOver:
		hint = a.T("Retry it with 'yan queue retry %d'.", id)
	}
	state := a.stateWord(e.From)
	switch e.Verb {
	case queue.Hold:
		return command.Fail(command.ExitData, errors.New(a.T("message %d can't be held: it is %s", id, state)), hint)
	case queue.Release:
		return command.Fail(command.ExitData, errors.New(a.T("message %d is not held and can't be released: it is %s", id, state)), hint)
	case queue.Retry:
		return command.Fail(command.ExitData, errors.New(a.T("message %d can't be retried now: it is %s", id, state)), hint)
	case queue.Cancel:
		return command.Fail(command.ExitData, errors.New(a.T("message %d can't be cancelled: it is %s", id, state)), hint)
	}
	return command.Fail(command.ExitData, errors.New(a.T("message %d is not in doubt; nothing to resolve: it is %s", id, state)), hint)
}
