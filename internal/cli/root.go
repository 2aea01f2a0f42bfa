package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/accountcmd"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/doctorcmd"
	"github.com/yanmail/yan/internal/cli/explaincmd"
	"github.com/yanmail/yan/internal/cli/logincmd"
	"github.com/yanmail/yan/internal/cli/providerscmd"
	"github.com/yanmail/yan/internal/cli/queuecmd"
	"github.com/yanmail/yan/internal/cli/sandboxcmd"
	"github.com/yanmail/yan/internal/cli/sendcmd"
	"github.com/yanmail/yan/internal/cli/servecmd"
)

// root makes the command tree.
func (a *front) root() *cobra.Command {
	var showVersion bool
	root := &cobra.Command{
		Use:   "yan",
		Short: a.T("Send e-mail through a mailbox provider, and know what became of it"),
		Long: a.T("Yan sends e-mail through a mailbox provider's SMTP server and tells you what became of it, " +
			"for each recipient. Try 'yan demo' first: it needs no account."),
		Example:       "  yan demo\n  " + a.SendExample() + "\n  yan explain '535 Login fail' --provider qq",
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return a.UnknownCommand(cmd, args[0])
			case showVersion:
				return a.printVersion(false)
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs, // RunE says what is wrong with them
	}
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.PersistentFlags().String("lang", "", a.T("speak en or zh (default: by LC_ALL, LC_MESSAGES, LANG)"))
	root.PersistentFlags().BoolP("help", "h", false, a.T("show this help"))
	root.PersistentFlags().Lookup("lang").Annotations = map[string][]string{command.ValueOf: {a.T("LANGUAGE")}}
	command.Add(root, a.T("Flags:"), command.NewOption("version", "", &showVersion, "", a.T("print the version")))
	command.Complete(root, "lang", func() []string { return []string{"en", "zh"} })
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.Help(a.Page(cmd)) })
	root.SetFlagErrorFunc(a.FlagError)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.Environment(cmd) }
	account, config := accountcmd.New(a.Outboxes)
	sandbox, demo := sandboxcmd.New(a.Outboxes)
	root.AddCommand(sendcmd.New(a.Outboxes), queuecmd.New(a.Outboxes), servecmd.New(a.Outboxes, a.world.Hangups), logincmd.New(a.Outboxes, a.world.OpenBrowser),
		account, config, demo, sandbox, providerscmd.New(a.Outboxes), explaincmd.New(a.Outboxes), doctorcmd.New(a.Outboxes, a.world.Dial),
		a.versionCommand(), a.completionCommand(), a.manCommand())
	root.SetHelpCommand(a.helpCommand())
	return root
}

// helpCommand is what fingers type: yan help send.
func (a *front) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [" + a.T("COMMAND") + "]", Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return a.UnknownCommand(cmd.Root(), strings.Join(args, " "))
			}
			return found.Help()
		},
	}
}
