package cli

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/sandboxtest"
)

// What becomes of a message fits on narrow terminals: no word is broken by their edge.
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
				w, out, errs := world(login(s))
				w.StdoutWidth, w.StderrWidth = width, width
				Run(t.Context(), append([]string{"--lang", lang}, args...), w)
				for line := range strings.Lines(out.String() + errs.String()) {
					line = strings.TrimRight(line, "\n")
					long := false // one word alone, like an address or a URL, which nobody could break
					for _, word := range strings.Fields(visibleWidth(line)) {
						long = long || columns(word) > width-12
					}
					if !long && columns(visibleWidth(line)) > width {
						t.Errorf("%q at %d: %d columns: %s", args, width, columns(visibleWidth(line)), line)
					}
				}
			}
		}
	}
}

func TestHang(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line  string
		width int
		want  string
	}{
		{"✗ a  refused: no such user here", 0, "✗ a  refused: no such user here"},
		{"✗ a  refused: no such user here", 20, "✗ a  refused: no\n    such user here"},
		{"\x1b[31m✗\x1b[0m a  refused", 12, "\x1b[31m✗\x1b[0m a  refused"},
		{"没有这个用户，请检查", 12, "没有这个用\n    户，请检\n    查"},
		{"averyverylongword", 5, "averyverylongword"},
	} {
		if got := hang(c.line, "    ", c.width); got != c.want {
			t.Errorf("%q at %d: %q, want %q", c.line, c.width, got, c.want)
		}
	}
}
