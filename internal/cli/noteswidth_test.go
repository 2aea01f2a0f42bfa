package cli

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// The notes under the list and the statistics of the outbox fit terminals of 60 and 80 columns.
func TestNotesOfTheOutboxFitTheTerminal(t *testing.T) {
	t.Parallel()
	for _, width := range []int{60, 80} {
		for _, lang := range []string{"en", "zh"} {
			k := newKeeper(t)
			k.enqueues("-t", "a@example.org")
			k.sends(queue.InDoubt, queue.Answer{Stage: smtp.StageBody, Err: "lost"})
			k.enqueues("-t", "b@example.org")
			for _, args := range [][]string{{"queue"}, {"queue", "stats"}} {
				w, out, errs := k.world()
				w.StdoutWidth, w.StderrWidth = width, width
				if code := Run(t.Context(), append([]string{"--lang", lang}, args...), w); code != command.ExitOK {
					t.Fatalf("%q: exit status %d: %s", args, code, errs)
				}
				if errs.Len() == 0 && args[len(args)-1] == "queue" {
					t.Errorf("%q, %s: no note", args, lang)
				}
				for line := range strings.Lines(out.String() + errs.String()) {
					if line = strings.TrimRight(line, "\n"); console.Columns(line) > width {
						t.Errorf("%q, %s, %d columns: %q", args, lang, width, line)
					}
				}
			}
		}
	}
}
