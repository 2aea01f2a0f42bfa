package queuecmd

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// queueEntries lists the messages that a filter chooses, newest first, at most limit (0: all), and
// reports whether there are more.
func (a chooser) queueEntries(ctx context.Context, store outbox.Admin, f queue.Filter, scheduledOnly bool, limit int) (list []queue.Entry, more bool, err error) {
	const page = 500
	for {
		f.Limit = page
		if limit > 0 && !scheduledOnly {
			f.Limit = min(page, limit-len(list))
		}
		p, err := store.List(ctx, f)
		if err != nil {
			return nil, false, err
		}
		for _, e := range p.Entries {
			if scheduledOnly && !a.isScheduled(e) {
				continue
			}
			if limit > 0 && len(list) == limit {
				return list, true, nil
			}
			list = append(list, e)
		}
		if !p.More || len(p.Entries) == 0 || limit > 0 && len(list) == limit {
			return list, p.More, nil
		}
		f.Before = p.Entries[len(p.Entries)-1].ID
	}
}

// checkAllExist returns an error if a named message does not exist, before any message is changed.
func (a chooser) checkAllExist(ctx context.Context, q *queueFlags, store outbox.Admin, ids []queue.ID) error {
	if len(ids) == 0 {
		return nil
	}
	list, _, err := a.queueEntries(ctx, store, queue.Filter{IDs: ids}, false, 0)
	if err != nil {
		return a.OutboxProblem(q.outbox, err)
	}
	if missing := missingIDs(ids, list); len(missing) > 0 {
		return a.noMessageError(missing[0])
	}
	return nil
}

// withOutbox calls use with the outbox, and closes it. If there is no outbox, it reports that instead.
func (a chooser) withOutbox(ctx context.Context, q *queueFlags, filter queue.Filter, use func(outbox.Store) error) error {
	store, err := a.OpenExisting(ctx, q.outbox)
	if err != nil {
		return err
	}
	if store == nil {
		return a.reportNoOutbox(q, filter)
	}
	defer store.Close() // returned changes are on disk already
	return use(store)
}

// reportNoOutbox reports that there is no outbox yet.
func (a chooser) reportNoOutbox(q *queueFlags, filter queue.Filter) error {
	if len(filter.IDs) > 0 {
		return a.noMessageError(filter.IDs[0])
	}
	if !q.json {
		a.Errf("%s\n", a.T("The outbox is empty: 'yan send --queue' enqueues a message."))
	}
	return nil
}

// missingIDs returns the IDs that list lacks.
func missingIDs(ids []queue.ID, list []queue.Entry) []queue.ID {
	return slices.DeleteFunc(slices.Clone(ids), func(id queue.ID) bool {
		return slices.ContainsFunc(list, func(e queue.Entry) bool { return e.ID == id })
	})
}

// isID reports whether a word is the number of a message.
func isID(word string) bool { _, err := parseID(word); return err == nil }

func parseID(word string) (queue.ID, error) {
	n, err := strconv.ParseInt(word, 10, 64)
	if err == nil && n < 1 {
		err = strconv.ErrRange
	}
	return queue.ID(n), err
}

// parseIDs parses the numbers of messages and removes duplicates.
func (a chooser) parseIDs(args []string) ([]queue.ID, error) {
	var list []queue.ID
	seen := map[queue.ID]bool{}
	for _, arg := range args {
		id, err := parseID(arg)
		if err != nil {
			return nil, command.Fail(command.ExitUsage, errors.New(a.T("%q is not a message ID", arg)), a.T("'yan queue' lists messages and their IDs."))
		}
		if !seen[id] {
			list = append(list, id)
		}
		seen[id] = true
	}
	return list, nil
}

// parseOneID parses exactly one number.
func (a chooser) parseOneID(args []string) (queue.ID, error) {
	if len(args) == 0 {
		return 0, a.Usagef("give the ID of the message; 'yan queue' lists them")
	}
	if len(args) > 1 {
		return 0, a.Usagef("unexpected argument %q", args[1])
	}
	ids, err := a.parseIDs(args)
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// noMessageError returns the error for a message that is not, or no longer, in the outbox.
func (a chooser) noMessageError(id queue.ID) error {
	return command.Fail(command.ExitData, errors.New(a.T("message %d is not in the outbox", id)), a.T("'yan queue --all' lists all messages; finished messages are deleted after a while."))
}

// completeIDs completes the numbers of unfinished messages.
func (a chooser) completeIDs(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	states := unfinishedStates()
	if cmd.Name() == "resolve" { // only messages in doubt can be resolved
		states = []queue.State{queue.InDoubt}
	}
	given, _ := cmd.Flags().GetString("outbox")
	if given == "" {
		given = a.Getenv(command.Variable("outbox"))
	}
	store, err := a.OpenExisting(cmd.Context(), given)
	if err != nil || store == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer store.Close() // opened for reading only
	page, err := store.List(cmd.Context(), queue.Filter{States: states})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var words []string
	for _, e := range page.Entries {
		if id := e.ID.String(); !slices.Contains(args, id) {
			words = append(words, id+"\t"+a.stateSummary(e)+" "+console.OneLine(recipientsOf(e)))
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// chooser finds the messages that arguments and flags name.
type chooser struct{ describer }
