package command

import (
	"github.com/spf13/cobra"
)

// Complete registers the values of a flag for shell completion.
func Complete(cmd *cobra.Command, flag string, values func() []string) {
	// The only possible error is that the flag is not registered.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
}
