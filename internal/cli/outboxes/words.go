package outboxes

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/queue"
)

// NoneEmpty refuses a flag without a value, as of "$KEY" where a script has set none: it
// would mean more messages than are meant, or a message twice.
func (a *Outboxes) NoneEmpty(cmd *cobra.Command, flags ...string) error {
	for _, flag := range flags {
		f := cmd.Flags().Lookup(flag)
		if f == nil || !f.Changed || a.Origin[flag] != "" {
			continue
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if slices.ContainsFunc(values, func(v string) bool { return strings.TrimSpace(v) == "" }) {
			return a.Wrongf("%s is empty; leave it out where nothing is meant", a.Name(flag))
		}
	}
	return nil
}

// OptionalTime is nil for the zero time, which JSON leaves out then.
func OptionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// priorities are the words of --priority.
func PriorityWords() []string { return []string{"high", "normal", "low"} }

// PriorityWord is the word for a priority.
func PriorityWord(p queue.Priority) string {
	switch {
	case p > 0:
		return "high"
	case p < 0:
		return "low"
	}
	return "normal"
}

// PriorityOf is the priority of a word.
func PriorityOf(word string) (p queue.Priority, ok bool) {
	for _, p := range queue.Priorities() {
		if PriorityWord(p) == word {
			return p, true
		}
	}
	return queue.Normal, false
}

// OneLineOf is a text that others chose, on one line that does nothing to a
// terminal, and is not too long for a table.
func OneLineOf(s string) string { return console.Clipped(strings.TrimSpace(console.Visible(s))) }

// NextSteps says how waiting messages get on their way. served: a 'yan serve' has answered;
// later: their time is to come.
func (a *Outboxes) NextSteps(stats queue.Stats, served, later bool) string {
	switch {
	case stats.Copied:
		return a.T("This outbox is a copy of another one and delivers nothing.") + " " + a.CopiedHint()
	case served, SomebodyWorks(stats):
		return a.T("A worker is running and takes it from here; 'yan queue watch' shows how it goes.")
	case later:
		return a.T("Nothing sends it yet: 'yan serve' does when the time has come, if it runs then, or 'yan queue run'.")
	}
	return a.T("Nothing sends it yet: 'yan queue run' does now, 'yan serve' as long as it runs.")
}
