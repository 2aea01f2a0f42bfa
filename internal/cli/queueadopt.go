package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/outbox"
)

func (a *app) queueAdoptCommand() *cobra.Command {
	q, moved := &queueFlags{}, false
	cmd := &cobra.Command{
		Use:   "adopt",
		Short: a.T("Let a copy of an outbox deliver"),
		Long: a.T("An outbox that was copied, restored from a backup or moved to another disk or machine delivers nothing: the original may have " +
			"sent the same messages. This command makes it an outbox of its own.\n\n" +
			"Everything in it that is not finished is in doubt afterwards, because the original may have sent it since the copy was made; " +
			"'yan queue resolve' decides about each message. If you moved the outbox and the original is gone, use --moved: " +
			"then only what was being sent at that moment is in doubt."),
		Example: "  yan queue adopt\n  yan queue adopt --moved",
		Args:    a.atMost(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.queueAdopt(cmd.Context(), q, moved) },
	}
	add(cmd, a.T("Flags:"), newOption("moved", "", &moved, "", a.T("the original is gone, and nothing was sent from it since")))
	q.register(a, cmd)
	return cmd
}

func (a *app) queueAdopt(ctx context.Context, q *queueFlags, moved bool) error {
	store, err := a.lookIntoQueue(ctx, q.outbox)
	if err != nil {
		return err
	}
	if store == nil {
		return a.nothingThere(q, outbox.Filter{})
	}
	defer store.Close() // what has returned is on the disk
	adopted, err := store.Adopt(ctx, moved)
	if err != nil {
		return a.outboxProblem(q.outbox, err)
	}
	switch {
	case q.json:
		a.printJSON(adoptedJSON{Adopted: adopted.Was, InDoubt: adopted.Doubted})
	case !adopted.Was:
		a.outf("%s %s\n", a.paint(a.StdoutWidth, yellow, "–"), a.T("this outbox is not a copy; nothing was changed"))
	default:
		a.outf("%s %s\n", a.paint(a.StdoutWidth, green, "✓"), a.T("adopted; recipients in doubt: %d", adopted.Doubted))
		if adopted.Doubted > 0 {
			a.hint(a.T("'yan queue --state in_doubt' lists them, 'yan queue resolve' decides about them."))
		}
	}
	return nil
}

// adoptedJSON is what yan queue adopt prints.
type adoptedJSON struct {
	Adopted bool `json:"adopted"`
	InDoubt int  `json:"in_doubt"`
}

func (a *app) copiedHint() string {
	return a.T("If the original is gone: %s. If it is not, or you do not know: %s; what waits here is in doubt then.", "yan queue adopt --moved", "yan queue adopt")
}

// warnings are about the outbox as a whole.
func (a *app) warnings(stats outbox.Stats) (lines []string) {
	if stats.Copied {
		lines = append(lines, a.T("This outbox is a copy of another one and delivers nothing."), "  "+a.copiedHint())
	}
	if stats.Ahead > 0 {
		lines = append(lines, a.T("The newest entry is %s ahead of the clock: the clock was wrong then, or is wrong now.", a.roughly(max(stats.Ahead, time.Minute))))
	}
	return lines
}
