package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

// root makes the command tree.
func (a *app) root() *cobra.Command {
	var showVersion bool
	root := &cobra.Command{
		Use:   "yan",
		Short: a.T("Send e-mail through a mailbox provider, and know what became of it"),
		Long: a.T("Yan sends e-mail through a mailbox provider's SMTP server and tells you what became of it, " +
			"for each recipient. Try 'yan demo' first: it needs no account."),
		Example:       "  yan demo\n  " + a.sendExample() + "\n  yan explain '535 Login fail' --provider qq",
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return a.unknownCommand(cmd, args[0])
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
	root.PersistentFlags().Lookup("lang").Annotations = map[string][]string{valueOf: {a.T("LANGUAGE")}}
	add(root, a.T("Flags:"), newOption("version", "", &showVersion, "", a.T("print the version")))
	complete(root, "lang", func() []string { return []string{"en", "zh"} })
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.help(a.page(cmd)) })
	root.SetFlagErrorFunc(a.flagError)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.environment(cmd) }
	root.AddCommand(a.sendCommand(), a.queueCommand(), a.serveCommand(), a.loginCommand(), a.accountCommand(), a.configCommand(), a.demoCommand(), a.sandboxCommand(), a.providersCommand(),
		a.explainCommand(), a.doctorCommand(), a.versionCommand(), a.completionCommand(), a.manCommand())
	root.SetHelpCommand(a.helpCommand())
	return root
}

// helpCommand is what fingers type: yan help send.
func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [" + a.T("COMMAND") + "]", Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return a.unknownCommand(cmd.Root(), strings.Join(args, " "))
			}
			return found.Help()
		},
	}
}

func (a *app) unknownCommand(root *cobra.Command, name string) error {
	if hint := a.dashHint(name); hint != "" {
		return fail(exitUsage, errors.New(a.T("unknown command %q", name)), hint)
	}
	if near := nearest(name, commandNames(root)); near != "" {
		return fail(exitUsage, errors.New(a.T("unknown command %q", name)), a.T("Did you mean %s?", near))
	}
	return a.usagef("unknown command %q", name)
}

func commandNames(cmd *cobra.Command) (names []string) {
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	return names
}

// sendExample is the first command line that a user with an account types.
func (a *app) sendExample() string {
	return a.withVariable("YAN_PASSWORD_FILE", "code.txt", `yan send -f me@qq.com -t friend@163.com -s 你好 -b "Hello World"`)
}

// complete offers the words of a flag to the shell.
func complete(cmd *cobra.Command, flag string, values func() []string) {
	// The error can only mean that the flag was not registered before.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
}
