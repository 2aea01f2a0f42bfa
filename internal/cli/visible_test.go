package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
)

// leafCommands returns the commands that can be run.
func leafCommands(c *cobra.Command) (all []string) {
	if c.Runnable() && c.Name() != "help" {
		all = append(all, c.CommandPath())
	}
	for _, sub := range c.Commands() {
		all = append(all, leafCommands(sub)...)
	}
	return all
}

// TestNoControlsOfAMessageReachTheTerminal shows a hostile message, and hostile texts, with every
// command that can show them. A pipe gets the exact octets.
func TestNoControlsOfAMessageReachTheTerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mail := "From: me@qq.com\r\nTo: a@example.org\r\nSubject: =?UTF-8?q?=1B[31mred=0D=0Anext=07=C2=9B?= \x1b[2J\x07\r\nX-Raw: \x1b]0;owned\x07\r\n\r\n" +
		"\x1b[2Jbody \x9b31m \u202e \u0085\r\n"
	file := filepath.Join(dir, "x\x1b[2J\n\x07.eml")
	for _, name := range []string{file, filepath.Join(dir, "mail.eml")} {
		if err := os.WriteFile(name, []byte(mail), 0o600); err != nil {
			t.Skip(err) // the file system does not allow this name
		}
	}
	plain := filepath.Join(dir, "mail.eml")
	k := newKeeper(t)
	cases := []struct {
		command string // as in the command tree
		args    []string
	}{
		{"yan send", []string{"send", "--dry-run", "--raw", plain}},
		{"yan send", []string{"send", "--dry-run", "--raw", file}},
		{"yan send", []string{"send", "--dry-run", "--json", "--raw", file}},
		{"yan send", []string{"send", "--dry-run", "-t", "a@example.org", "-s", "x", "-b", clitest.Escapes}},
		{"yan send", []string{"send", "-t", clitest.Escapes, "-s", clitest.Escapes, "-b", "x"}},
		{"yan send", []string{"send", "-t", "a@example.org", "-s", clitest.Escapes, "-b", "x"}},
		{"yan send", []string{"send", "--raw", file}},
		{"yan send", []string{"send", "--json", "--raw", file}},
		{"yan send", []string{"send", "--queue", "--raw", file}},
		{"yan send", []string{"send", "--queue", "--json", "--raw", plain}},
		{"yan queue", []string{"queue"}},
		{"yan queue list", []string{"queue", "list", "--all"}},
		{"yan queue list", []string{"queue", "list", "--json"}},
		{"yan sendmail", []string{"sendmail", "-bp"}},
		{"yan sendmail", []string{"sendmail", "-bp", "--json"}},
		{"yan sendmail", []string{"sendmail", clitest.Escapes}},
		{"yan queue show", []string{"queue", "show", "1"}},
		{"yan queue show", []string{"queue", "show", "1", "--json"}},
		{"yan queue export", []string{"queue", "export", "1"}},
		{"yan queue hold", []string{"queue", "hold", "1"}},
		{"yan queue release", []string{"queue", "release", "1"}},
		{"yan queue retry", []string{"queue", "retry", "1"}},
		{"yan queue resolve", []string{"queue", "resolve", "1", "--lost"}},
		{"yan queue run", []string{"queue", "run", "--timeout", "1s"}},
		{"yan queue cancel", []string{"queue", "cancel", "1", "2"}},
		{"yan queue watch", []string{"queue", "watch", "1"}},
		{"yan queue watch", []string{"queue", "watch", "1", "--json"}},
		{"yan queue stats", []string{"queue", "stats"}},
		{"yan queue resume", []string{"queue", "resume", clitest.Escapes}},
		{"yan queue adopt", []string{"queue", "adopt", clitest.Escapes}},
		{"yan queue prune", []string{"queue", "prune", "--older", clitest.Escapes}},
		{"yan explain", []string{"explain", "550 " + clitest.Escapes}},
		{"yan explain", []string{"explain", "--json", "550 " + clitest.Escapes}},
		{"yan explain", []string{"explain", clitest.Escapes}},
		{"yan providers", []string{"providers", clitest.Escapes}},
		{"yan account show", []string{"account", "show", clitest.Escapes}},
		{"yan account edit", []string{"account", "edit", clitest.Escapes}},
		{"yan account remove", []string{"account", "remove", clitest.Escapes}},
		{"yan account default", []string{"account", "default", clitest.Escapes}},
		{"yan account import", []string{"account", "import", file}},
	}
	// These commands show no text of a message. TestNoEscapesReachTheTerminal covers the texts of
	// servers and files that they show.
	others := []string{"yan", "yan account", "yan account list", "yan account test", "yan completion", "yan config", "yan config check", "yan config path",
		"yan config show", "yan demo", "yan doctor", "yan login", "yan man", "yan sandbox", "yan serve", "yan token", "yan token list", "yan token new",
		"yan token remove", "yan version"}
	bad := func(r rune) bool {
		return r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}
	shown := map[string]bool{}
	for _, c := range cases {
		w, out, errs := k.world()
		w.StdoutWidth, w.StderrWidth, w.NoColor = 80, 80, true
		Run(t.Context(), c.args, w)
		all := out.String() + errs.String()
		if all != "" {
			shown[c.command] = true
		}
		if i := strings.IndexFunc(all, bad); i >= 0 {
			t.Errorf("%q: %q", c.args, all[max(0, i-40):])
		}
	}
	a, _, _ := testApp("en")
	for _, path := range leafCommands(a.rootCommand("")) {
		if shown[path] == slices.Contains(others, path) {
			t.Errorf("%s: is it one of the commands that show a message?", path)
		}
	}

	for _, args := range [][]string{{"send", "--dry-run", "-q", "--raw", plain}, {"queue", "export", "1"}} {
		w, out, errs := k.world()
		if code := Run(t.Context(), args, w); code != command.ExitOK || !strings.HasSuffix(out.String(), mail) {
			t.Errorf("%q into a pipe: exit status %d, %q, %s", args, code, out, errs)
		}
	}
}
