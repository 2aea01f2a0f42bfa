package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "completion " + strings.Join(shells(), "|"),
		Short:     a.T("Print the completion script of a shell"),
		Example:   "  source <(yan completion bash)\n  yan completion fish > ~/.config/fish/completions/yan.fish\n  yan completion powershell | Out-String | Invoke-Expression",
		ValidArgs: shells(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || !contains(shells(), args[0]) {
				return a.usagef("want one shell of %s", a.listed(shells()))
			}
			return a.completion(cmd.Root(), args[0])
		},
	}
}

func (a *app) completion(root *cobra.Command, shell string) error {
	var err error
	switch shell {
	case "bash":
		err = root.GenBashCompletionV2(a.Stdout, true)
	case "zsh":
		err = root.GenZshCompletion(a.Stdout)
	case "fish":
		err = root.GenFishCompletion(a.Stdout, true)
	case "powershell":
		err = root.GenPowerShellCompletionWithDesc(a.Stdout)
	}
	if err != nil && a.writeErr == nil { // finish tells of what could not be written
		return internal(fmt.Sprintf("making the completion script of %s", shell), err)
	}
	return nil
}
