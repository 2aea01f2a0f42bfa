package cli

import (
	"slices"
	"testing"

	"github.com/yanmail/yan/internal/cli/command"
)

// Only the package of the requested command is built; commands that need the whole tree get it.
func TestOnlyTheCommandThatIsAskedForIsMade(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp("en")
	all := len(a.rootCommand("").Commands())
	for _, c := range a.commandMakers() {
		for _, name := range c.names {
			if got := a.requestedCommand([]string{name, "-t", "a@example.org"}); got != name {
				t.Errorf("%s: %q is made", name, got)
			}
			var made []string
			for _, cmd := range a.rootCommand(name).Commands() {
				made = append(made, cmd.Name())
			}
			slices.Sort(made)
			want := slices.Sorted(slices.Values(append([]string{"help"}, c.names...)))
			if !slices.Equal(slices.DeleteFunc(made, func(s string) bool { return s == "help" }), slices.DeleteFunc(want, func(s string) bool { return s == "help" })) {
				t.Errorf("%s makes %q", name, made)
			}
		}
	}
	for _, args := range [][]string{nil, {"help"}, {"send", "--help"}, {"send", "-vh"}, {"man"}, {"completion", "bash"}, {"__complete", "s"}, {"senf"}, {"--lang", "zh"}, {"SEND"}} {
		if got := a.requestedCommand(args); got != "" {
			t.Errorf("%q: only %s is made", args, got)
		}
	}
	if all < 14 || len(command.WithSubcommands(a.rootCommand(""))) < 30 {
		t.Errorf("only %d commands are made for a help", all)
	}
}
