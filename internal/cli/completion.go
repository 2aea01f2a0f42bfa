package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
)

func shellNames() []string { return []string{"bash", "zsh", "fish", "powershell"} }

func (a *front) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "completion " + strings.Join(shellNames(), "|"),
		Short:     a.T("Print the completion script of a shell"),
		Example:   "  source <(yan completion bash)\n  yan completion fish > ~/.config/fish/completions/yan.fish\n  yan completion powershell | Out-String | Invoke-Expression",
		ValidArgs: shellNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shellNames(), args[0]) {
				return a.Usagef("want one shell of %s", a.Listed(shellNames()))
			}
			return a.printCompletion(cmd.Root(), args[0])
		},
	}
}

// bashFallback replaces the function of package bash-completion that cobra's script needs. If that
// package is loaded later, its own function replaces this one.
const bashFallback = `# Works with and without the package bash-completion.
if ! declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref() {
        cur=${COMP_WORDS[COMP_CWORD]}
        prev=
        if ((COMP_CWORD > 0)); then prev=${COMP_WORDS[COMP_CWORD-1]}; fi
        words=("${COMP_WORDS[@]}")
        cword=$COMP_CWORD
    }
fi
`

func (a *front) printCompletion(root *cobra.Command, shell string) error {
	var err error
	switch shell {
	case "bash":
		a.Outf("%s", bashFallback)
		err = root.GenBashCompletionV2(a.Stdout, true)
	case "zsh":
		err = root.GenZshCompletion(a.Stdout)
	case "fish":
		err = root.GenFishCompletion(a.Stdout, true)
	case "powershell":
		err = root.GenPowerShellCompletionWithDesc(a.Stdout)
	}
	if err != nil && a.WriteErr == nil { // finish reports a failed write
		return command.InternalFailure(fmt.Sprintf("making the completion script of %s", shell), err)
	}
	return nil
}
