package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yanmail/yan/internal/words"
)

// root makes the command tree.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "yan",
		Short: a.T("Send e-mail through a mailbox provider, and know what became of it"),
		Long: a.T("Yan sends e-mail through a mailbox provider's SMTP server and tells you what\n" +
			"became of it, for each recipient. Try 'yan demo' first: it needs no account."),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return a.usagef("unknown command %q", args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.PersistentFlags().String("lang", "", a.T("speak `LANGUAGE`: en or zh (default: by LC_ALL, LC_MESSAGES, LANG)"))
	root.PersistentFlags().BoolP("help", "h", false, a.T("show this help"))
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true, Use: "no-help"})
	root.SetUsageTemplate(a.usageTemplate())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return a.flagError(err) })
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.environment(cmd) }
	root.AddCommand(a.sendCommand(), a.demoCommand(), a.sandboxCommand(), a.providersCommand(),
		a.explainCommand(), a.versionCommand(), a.completionCommand(), a.manCommand())
	return root
}

// environment gives every flag that was not set the value of its YAN_
// variable: --to-policy is YAN_TO_POLICY.
func (a *app) environment(cmd *cobra.Command) error {
	var firstErr error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := "YAN_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		v := a.Getenv(name)
		if f.Changed || v == "" || f.Name == "help" || firstErr != nil {
			return
		}
		if err := f.Value.Set(v); err != nil {
			firstErr = a.usagef("%s=%q: %v", name, v, err)
			return
		}
		f.Changed = true
	})
	if firstErr != nil {
		return firstErr
	}
	if lang, _ := cmd.Flags().GetString("lang"); lang != "" {
		if _, ok := words.Parse(lang); !ok {
			return a.usagef("--lang %q: want en or zh", lang)
		}
	}
	return nil
}

// flagError says what is wrong with a flag, and catches the one that everybody
// tries: a password on the command line.
func (a *app) flagError(err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		switch name := unknown.GetSpecifiedName(); name {
		case "password", "pass", "passwd", "auth-password", "ap", "token", "secret", "code":
			return fail(exitUsage, errors.New(a.T("there is no --%s: other users of the machine could read it in the list of processes", name)),
				a.T("Put it into a file that only you can read, and name that: YAN_PASSWORD_FILE=code.txt yan send …"))
		default:
			return a.usagef("unknown flag --%s", name)
		}
	}
	return a.usage(err)
}

// usageTemplate is cobra's own in the user's language, without what we don't use.
func (a *app) usageTemplate() string {
	return fmt.Sprintf(`%s
  {{if .Runnable}}{{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} %s{{end}}{{if .HasExample}}

%s
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

%s{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

%s
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

%s
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
`, a.T("Usage:"), a.T("COMMAND"), a.T("Examples:"), a.T("Commands:"), a.T("Flags:"), a.T("For every command:"))
}
