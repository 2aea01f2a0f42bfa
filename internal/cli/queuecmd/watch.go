package queuecmd

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

func (a *queueCommands) watchCommand() *cobra.Command {
	q := &queueFlags{}
	cmd := &cobra.Command{
		Use:               "watch [" + a.T("ID…") + "]",
		Short:             a.T("Watch the outbox live"),
		Long:              a.T("Watch messages live. With IDs, shows their full history and exits when they are finished; otherwise watches everything until Ctrl-C. If the output is not a terminal, prints one line per event.\n\nWith IDs, the exit status reports the outcome, as for 'yan queue run'."),
		Example:           "  yan queue watch\n  yan queue watch 12 13\n  yan queue watch 12 --json",
		ValidArgsFunction: a.completeIDs,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.queueWatch(cmd.Context(), q, args) },
	}
	q.registerFlags(a.chooser, cmd)
	return cmd
}

// pollInterval is the interval between looks at the outbox: changes by other processes do not wake this
// one.
const pollInterval = 500 * time.Millisecond

// queueWatcher prints the events of some messages, or of all.
type queueWatcher struct {
	a      *queueCommands
	q      *queueFlags
	store  outbox.Admin
	ids    []queue.ID
	cursor queue.Cursor
	seen   map[queue.Cursor]bool // events of named messages printed before the cursor
	live   bool                  // redraw the terminal
	drawn  int                   // number of drawn lines
	text   string                // the drawn lines
	recent []queue.Event
}

func (a *queueCommands) queueWatch(ctx context.Context, q *queueFlags, args []string) error {
	ids, err := a.parseIDs(args)
	if err != nil {
		return err
	}
	var store outbox.Store
	if len(ids) > 0 {
		store, err = a.OpenExisting(ctx, q.outbox)
	} else {
		store, err = a.OpenQueue(ctx, q.outbox)
	}
	if err != nil {
		return err
	}
	if store == nil {
		return a.noMessageError(ids[0])
	}
	defer store.Close() // opened for reading only
	w := &queueWatcher{a: a, q: q, store: store, ids: ids, seen: map[queue.Cursor]bool{},
		live: a.StdoutWidth > 0 && !q.json && !a.NoColor && a.Getenv("TERM") != "dumb"}
	if err := w.watchEvents(ctx); err != nil && ctx.Err() == nil {
		var told *command.Failure
		if errors.As(err, &told) {
			return err
		}
		return a.OutboxProblem(q.outbox, err)
	}
	return w.exitStatus(context.WithoutCancel(ctx))
}

// watchEvents returns when all named messages are finished or ctx is done.
func (w *queueWatcher) watchEvents(ctx context.Context) error {
	var err error
	if _, w.cursor, err = w.store.Events(ctx, queue.CursorNow, 1); err != nil {
		return err
	}
	if err := w.printPast(ctx); err != nil {
		return err
	}
	if len(w.ids) == 0 && !w.live && !w.q.json {
		w.a.Hint(w.a.T("Watching; press Ctrl-C to stop."))
	}
	for {
		wake := w.store.Wake()
		if err := w.readEvents(ctx); err != nil {
			return err
		}
		finished, err := w.allFinished(ctx)
		if err != nil || finished {
			return err
		}
		select {
		case <-wake:
		case <-w.a.After(pollInterval):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// printPast prints the past events of the named messages.
func (w *queueWatcher) printPast(ctx context.Context) error {
	for _, id := range w.ids {
		e, err := w.store.Show(ctx, id)
		if errors.Is(err, queue.ErrNotFound) {
			return w.a.noMessageError(id)
		}
		if err != nil {
			return err
		}
		for _, ev := range e.Events {
			w.seen[ev.Cursor] = true
			w.printEvent(ev)
		}
	}
	return nil
}

// readEvents prints the events since the last call.
func (w *queueWatcher) readEvents(ctx context.Context) error {
	for {
		events, next, err := w.store.Events(ctx, w.cursor, 500)
		if err != nil {
			return err
		}
		for _, e := range events {
			if (len(w.ids) == 0 || slices.Contains(w.ids, e.ID)) && !w.seen[e.Cursor] {
				w.printEvent(e)
			}
		}
		w.cursor = next
		if len(events) == 0 {
			return w.draw(ctx)
		}
	}
}

// maxRecent is how many events are shown below the messages.
const maxRecent = 8

func (w *queueWatcher) printEvent(e queue.Event) {
	switch {
	case w.q.json:
		w.a.PrintJSON(newQueueEvent(e, "", false))
	case w.live:
		if w.recent = append(w.recent, e); len(w.recent) > maxRecent {
			w.recent = w.recent[1:]
		}
	default:
		w.a.Outf("%s  %s\n", e.At.In(w.a.Now().Location()).Format("15:04:05"), w.a.eventLine(e, 0))
	}
}

func (w *queueWatcher) allFinished(ctx context.Context) (bool, error) {
	if len(w.ids) == 0 {
		return false, nil
	}
	list, _, err := w.a.queueEntries(ctx, w.store, queue.Filter{IDs: w.ids, States: unfinishedStates()}, false, 1)
	return len(list) == 0, err
}

// maxDrawn limits the lines of messages: a terminal can't be redrawn beyond its height.
const maxDrawn = 14

// draw redraws the messages and the recent events.
func (w *queueWatcher) draw(ctx context.Context) error {
	if !w.live {
		return nil
	}
	f := queue.Filter{IDs: w.ids, Limit: maxDrawn + 1}
	if len(w.ids) == 0 {
		f.States = unfinishedStates()
	}
	page, err := w.store.List(ctx, f)
	if err != nil {
		return err
	}
	var lines []string
	for _, e := range page.Entries {
		s := urgentRecipient(e)
		line := e.ID.String() + "  " + console.OneLine(recipientsOf(e)) + "  " + w.a.stateSummary(e)
		if next := w.a.nextStep(s); next != "" {
			line += " · " + next
		}
		if e.Subject != "" {
			line += " · " + console.OneLine(e.Subject)
		}
		mark, _ := stateMark(s.State)
		lines = append(lines, mark+" "+line)
	}
	if len(lines) > maxDrawn {
		lines = append(lines[:maxDrawn], w.a.T("… and more: 'yan queue' lists them all."))
	}
	if len(lines) == 0 {
		lines = []string{w.a.T("Nothing is waiting.") + " " + w.a.T("Press Ctrl-C to stop.")}
	}
	if len(w.recent) > 0 {
		lines = append(lines, "")
	}
	for _, e := range w.recent {
		lines = append(lines, e.At.In(w.a.Now().Location()).Format("15:04:05")+"  "+w.a.eventLine(e, 0))
	}
	w.redraw(lines)
	return nil
}

func (w *queueWatcher) redraw(lines []string) {
	for i, line := range lines {
		lines[i] = console.Truncate(line, w.a.StdoutWidth-1)
	}
	text := strings.Join(lines, "\n") + "\n"
	if text == w.text {
		return
	}
	if w.drawn > 0 {
		w.a.Outf("\x1b[%dA\x1b[J", w.drawn)
	}
	w.a.Outf("%s", text)
	w.drawn, w.text = len(lines), text
}

// exitStatus returns the exit status for the outcomes of the named messages.
func (w *queueWatcher) exitStatus(ctx context.Context) error {
	worst := command.ExitOK
	for _, id := range w.ids {
		e, err := w.store.Show(ctx, id)
		if err != nil {
			continue // pruned meanwhile
		}
		provider, code, served := w.a.providerOf(e.Account), command.ExitOK, false
		for _, s := range e.Recipients {
			one := answerExit(s.State, s.Answer, provider)
			if s.State.Waiting() {
				one = command.ExitTemporary
			}
			code, served = command.WorseStatus(code, one), served || s.State == queue.HandedOver
		}
		if served && code != command.ExitOK && code != command.ExitUnknown {
			code = command.ExitPartial
		}
		worst = command.WorseStatus(worst, code)
	}
	if worst == command.ExitOK {
		return nil
	}
	return &command.Failure{Code: worst, Err: errors.New("not handed over to all"), Told: true}
}
