package cli

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/sandboxtest"
)

// Outcomes fit narrow terminals: no word is split at the edge.
func TestOutcomesFitTheTerminal(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	for _, lang := range []string{"en", "zh"} {
		for _, width := range []int{60, 80} {
			for _, args := range [][]string{
				to(s, "-t", "friend@example.org"),
				to(s, "-t", "rcpt-550@example.org", "-t", "somebody.with.a.long.name@example.org"),
				to(s, "-t", "rcpt-450@example.org"),
				to(s, "-t", "body-cut@example.org"),
				{"explain", "535 Login fail. Account is abnormal", "--provider", "qq"},
				{"explain", "550 something that nobody knows, in more words than fit on a line of this terminal"},
			} {
				w, out, errs := testEnv(login(s))
				w.StdoutWidth, w.StderrWidth = width, width
				Run(t.Context(), append([]string{"--lang", lang}, args...), w)
				for line := range strings.Lines(out.String() + errs.String()) {
					line = strings.TrimRight(line, "\n")
					long := false // a single word, like an address or a URL, that can't be split
					for _, word := range strings.Fields(line) {
						long = long || console.Columns(word) > width-12
					}
					if !long && console.Columns(line) > width {
						t.Errorf("%q at %d: %d columns: %s", args, width, console.Columns(line), line)
					}
				}
			}
		}
	}
}
