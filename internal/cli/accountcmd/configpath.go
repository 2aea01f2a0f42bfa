package accountcmd

import (
	"github.com/spf13/cobra"
)

func (a *accountCommands) configPathCommand() *cobra.Command {
	return &cobra.Command{
		Use: "path", Short: a.T("Print the location of the configuration"),
		Long:    a.T("Print the current or future location of the configuration: the file set by YAN_CONFIG, else yan/config.toml in your settings folder."),
		Example: "  yan config path",
		Args:    a.AtMost(0),
		RunE: func(*cobra.Command, []string) error {
			path, err := a.ConfigPath()
			if err != nil {
				return err
			}
			a.Outf("%s\n", path)
			return nil
		},
	}
}
