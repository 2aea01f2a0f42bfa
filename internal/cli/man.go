package cli

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/localerr"
)

func (a *front) manCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "man [" + a.T("COMMAND") + "]",
		Short:   a.T("Print a manual page"),
		Example: "  yan man send | man -l -\n  yan man --dir ~/.local/share/man/man1",
		Args:    a.AtMost(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir != "" && len(args) > 0 {
				return a.Usagef("--dir writes all pages; leave out %q", args[0])
			}
			if dir != "" {
				return a.manAll(cmd.Root(), dir)
			}
			return a.manOne(cmd.Root(), args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, sub := range cmd.Root().Commands() {
				if sub.IsAvailableCommand() {
					names = append(names, sub.Name())
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("dir", "", &dir, a.T("FOLDER"), a.T("write all pages to this folder, which is created")))
	return cmd
}

func (a *front) manOne(root *cobra.Command, args []string) error {
	found := root
	if len(args) > 0 {
		var err error
		var rest []string
		found, rest, err = root.Find(args)
		if err != nil || found == root {
			return a.UnknownCommand(root, args[0])
		}
		if len(rest) > 0 {
			return a.UnknownCommand(found, rest[0])
		}
	}
	a.Outf("%s", a.Roff(a.Page(found)))
	return nil
}

func (a *front) manAll(root *cobra.Command, dir string) error {
	cant := func(err error) error {
		return command.Fail(command.ExitCantCreate, localerr.Errorf("%s: %w", a.T("%s %s can't be written", a.Name("dir"), command.QuoteName(dir)), err), "")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return cant(err)
	}
	for _, cmd := range command.WithSubcommands(root) {
		p := a.Page(cmd)
		name := filepath.Join(dir, strings.ReplaceAll(p.Command, " ", "-")+".1")
		if err := os.WriteFile(name, []byte(a.Roff(p)), 0o644); err != nil {
			return cant(err)
		}
	}
	return nil
}
