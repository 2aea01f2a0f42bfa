package cli

import (
	"slices"
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
	"github.com/yanmail/yan/internal/cli/sendmailcmd"
	"github.com/yanmail/yan/internal/cli/servecmd"
	"github.com/yanmail/yan/internal/cli/tokencmd"
)

// commandMaker builds the commands of one package.
type commandMaker struct {
	names []string
	make  func() []*cobra.Command
}

// commandMakers returns the makers of all commands except completion and man, which need the whole tree.
func (a *front) commandMakers() []commandMaker {
	one := func(cmd *cobra.Command) []*cobra.Command { return []*cobra.Command{cmd} }
	return []commandMaker{
		{[]string{"send"}, func() []*cobra.Command { return one(sendcmd.New(a.Outboxes)) }},
		{[]string{"sendmail"}, func() []*cobra.Command { return one(sendmailcmd.New(a.Outboxes, "")) }},
		{[]string{"queue"}, func() []*cobra.Command { return one(queuecmd.New(a.Outboxes)) }},
		{[]string{"serve"}, func() []*cobra.Command { return one(servecmd.New(a.Outboxes, a.env.Hangups)) }},
		{[]string{"token"}, func() []*cobra.Command { return one(tokencmd.New(a.Outboxes)) }},
		{[]string{"login"}, func() []*cobra.Command { return one(logincmd.New(a.Outboxes, a.env.FindBrowser)) }},
		{[]string{"account", "config"}, func() []*cobra.Command {
			account, config := accountcmd.New(a.Outboxes)
			return []*cobra.Command{account, config}
		}},
		{[]string{"sandbox", "demo"}, func() []*cobra.Command {
			sandbox, demo := sandboxcmd.New(a.Outboxes)
			return []*cobra.Command{demo, sandbox}
		}},
		{[]string{"providers"}, func() []*cobra.Command { return one(providerscmd.New(a.Outboxes)) }},
		{[]string{"explain"}, func() []*cobra.Command { return one(explaincmd.New(a.Outboxes)) }},
		{[]string{"doctor"}, func() []*cobra.Command { return one(doctorcmd.New(a.Outboxes, a.env.Dial)) }},
		{[]string{"version"}, func() []*cobra.Command { return one(a.versionCommand()) }},
	}
}

// requestedCommand returns the command that a command line names, if building it alone is enough. It returns
// "" for help, completion and unknown commands.
func (a *front) requestedCommand(args []string) string {
	if len(args) == 0 {
		return ""
	}
	for _, arg := range args {
		short := strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--")
		if strings.HasPrefix(arg, "--help") || short && strings.Contains(arg, "h") {
			return ""
		}
	}
	for _, c := range a.commandMakers() {
		if slices.Contains(c.names, args[0]) {
			return args[0]
		}
	}
	return ""
}

// rootCommand builds the command tree, or only the root and the package of the command asked: building all
// takes longer than most commands run.
func (a *front) rootCommand(asked string) *cobra.Command {
	var showVersion bool
	root := &cobra.Command{
		Use:           "yan",
		Short:         a.T("Send e-mail through a mailbox provider and see the outcome for each recipient"),
		Long:          a.T("Yan sends e-mail through a mailbox provider's SMTP server and reports the outcome for each recipient. Try 'yan demo' first: it needs no account."),
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
		Args: cobra.ArbitraryArgs, // RunE checks them
	}
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.PersistentFlags().String("lang", "", a.T("language, en or zh (default: from LC_ALL, LC_MESSAGES, LANG)"))
	root.PersistentFlags().BoolP("help", "h", false, a.T("show this help"))
	root.PersistentFlags().Lookup("lang").Annotations = map[string][]string{command.ValueOf: {a.T("LANGUAGE")}}
	command.Add(root, a.T("Flags:"), command.NewOption("version", "", &showVersion, "", a.T("print the version")))
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.Help(a.Page(cmd)) })
	root.SetFlagErrorFunc(a.FlagError)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.Environment(cmd) }
	for _, c := range a.commandMakers() {
		if asked == "" || slices.Contains(c.names, asked) {
			root.AddCommand(c.make()...)
		}
	}
	if asked == "" {
		command.Complete(root, "lang", func() []string { return []string{"en", "zh"} })
		root.AddCommand(a.completionCommand(), a.manCommand())
	}
	root.SetHelpCommand(a.helpCommand())
	return root
}

// helpCommand returns the command yan help, for "yan help send".
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
