package cli

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/notices"
)

func (a *front) versionCommand() *cobra.Command {
	var asJSON, licences bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: a.T("Print the version"),
		Args:  a.AtMost(0),
		RunE: func(*cobra.Command, []string) error {
			if licences {
				a.Outf("%s", notices.Text())
				return nil
			}
			return a.printVersion(asJSON)
		},
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("json", "", &asJSON, "", a.T("print JSON")),
		command.NewOption("licenses", "", &licences, "", a.T("print the licenses of all components of the program")))
	return cmd
}

func (a *front) printVersion(asJSON bool) error {
	v := command.Version()
	if asJSON {
		a.PrintJSON(v)
		return nil
	}
	a.Outf("yan %s (%s, %s)\n", v.Version, v.Go, v.Platform)
	return nil
}
