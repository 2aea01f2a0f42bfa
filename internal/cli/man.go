package cli

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func (a *app) manCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "man [COMMAND]",
		Short:   a.T("Print a manual page"),
		Example: "  yan man send | man -l -\n  yan man --dir /usr/local/share/man/man1",
		Args:    a.atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir != "" && len(args) > 0 {
				return a.usagef("--dir writes all pages; leave out %q", args[0])
			}
			return a.man(cmd.Root(), dir, args)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", a.T("write all pages into this `FOLDER`"))
	return cmd
}

func (a *app) man(root *cobra.Command, dir string, args []string) error {
	root.DisableAutoGenTag = true // a page must not change with the day
	header := &doc.GenManHeader{Title: "YAN", Section: "1", Source: "Yan", Manual: a.T("Yan Manual")}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fail(exitCantCreate, err, "")
		}
		if err := doc.GenManTree(root, header, dir); err != nil {
			return fail(exitCantCreate, err, "")
		}
		return nil
	}
	page := root
	if len(args) == 1 {
		found, _, err := root.Find(args)
		if err != nil || found == root {
			return a.usagef("unknown command %q", args[0])
		}
		page = found
	}
	if err := doc.GenMan(page, header, a.Stdout); err != nil {
		return internal("writing the manual page", err)
	}
	return nil
}
