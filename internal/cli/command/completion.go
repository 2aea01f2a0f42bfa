package command

import (
	"github.com/spf13/cobra"
)

// Complete offers the words of a flag to the shell.
func Complete(cmd *cobra.Command, flag string, values func() []string) {
	// The error can only mean that the flag was not registered before.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
}
