package command

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yanmail/yan/internal/text/spelling"
)

// wrongFlag explains a mistake in a flag of cmd.
type wrongFlag struct {
	a   *Context
	cmd *cobra.Command
}

// badValue explains which values a flag accepts.
func (w wrongFlag) badValue(f *pflag.Flag, v string) error {
	switch f.Value.Type() {
	case "duration":
		return w.a.Wrongf("%s %q: want a time with its unit, like 30s or 5m", w.a.Name(f.Name), v)
	case "int":
		return w.a.Wrongf("%s %q: want a whole number", w.a.Name(f.Name), v)
	default: // strings accept anything
		return w.a.Wrongf("%s %q: want true or false", w.a.Name(f.Name), v)
	}
}

// FlagError explains a mistake in a flag. A password on the command line, a
// common mistake, gets its own advice.
func (a *Context) FlagError(cmd *cobra.Command, err error) error {
	a.Command = cmd.CommandPath()
	w := wrongFlag{a, cmd}
	if name := w.notACommand(); name != "" {
		return a.UnknownCommand(cmd, name)
	}
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
		syntax  *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &unknown):
		return w.unknownFlag(unknown)
	case errors.As(err, &missing):
		return a.Usagef("--%s needs a value: %s", missing.GetFlag().Name, valueName(missing.GetFlag()))
	case errors.As(err, &invalid):
		return w.badValue(invalid.GetFlag(), invalid.GetValue())
	case errors.As(err, &syntax):
		return a.Usagef("%s is not a valid flag", syntax.GetSpecifiedFlag())
	}
	return a.usageFailure(err)
}

// notACommand returns the first word after a command with subcommands if it is
// none of them: the mistake in "yan senf -t" is not -t. It returns "" if the
// word may be an argument or is unlike any command.
func (w wrongFlag) notACommand() string {
	if !w.cmd.HasSubCommands() {
		return ""
	}
	skip := len(strings.Fields(w.cmd.CommandPath())) - 1
	for i, arg := range w.a.Args {
		switch {
		case arg == "--lang" && i+1 < len(w.a.Args):
			skip++ // its value
			continue
		case strings.HasPrefix(arg, "--lang="):
			continue
		case strings.HasPrefix(arg, "-"):
			return "" // this flag is wrong, or a later one
		}
		if skip > 0 {
			skip--
			continue
		}
		names := commandNames(w.cmd)
		if w.cmd.HasParent() && NearestWord(arg, names) == "" || slices.Contains(names, arg) {
			return ""
		}
		return arg
	}
	return ""
}

// isWordProcessorDash recognizes an argument whose hyphens became dashes in a
// word processor or on a web page, and returns the intended argument.
func isWordProcessorDash(arg string) (right string, is bool) {
	rest := strings.TrimLeft(arg, "-‐‑‒–—―−﹘﹣－")
	lead := strings.TrimSuffix(arg, rest)
	if rest == "" || strings.Trim(lead, "-") == "" {
		return "", false
	}
	name, _, _ := strings.Cut(rest, "=")
	if len([]rune(name)) == 1 {
		return "-" + rest, true
	}
	return "--" + rest, true
}

// DashHint explains how to type such an argument; "" for all others.
func (a *Context) DashHint(arg string) string {
	if right, is := isWordProcessorDash(arg); is {
		return a.T("Its dash is not the hyphen used for flags; type %s.", right)
	}
	return ""
}

func (w wrongFlag) unknownFlag(unknown *pflag.NotExistError) error {
	name := unknown.GetSpecifiedName()
	if short := unknown.GetSpecifiedShortnames(); short != "" {
		// The name is the first octet of the character.
		r, _ := utf8.DecodeRuneInString(short)
		if r >= 'Ａ' && r <= 'ｚ' {
			return Fail(ExitUsage, errors.New(w.a.T("unknown flag %s", "-"+string(r))), w.a.T("Did you mean %s?", "-"+string(r-'Ａ'+'A')))
		}
		return w.a.Usagef("unknown flag %s", "-"+string(r))
	}
	names := []string{"password"}
	w.cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	near := NearestWord(name, names)
	switch name {
	case "pass", "passwd", "auth-password", "ap", "token", "secret", "code":
		near = "password"
	}
	switch near {
	case "password":
		return Fail(ExitUsage, errors.New(w.a.T("there is no --%s: other users of this machine could see it in the process list", name)),
			w.a.T("Put it into a file that only you can read, and give that file: %s", w.a.WithVariable("YAN_PASSWORD_FILE", "code.txt", "yan send …")))
	case "":
		return w.a.Usagef("unknown flag %s", "--"+name)
	}
	return Fail(ExitUsage, errors.New(w.a.T("unknown flag %s", "--"+name)), w.a.T("Did you mean %s?", "--"+near))
}

// NearestWord returns the most similar word, ignoring case, at most a third of its
// letters away; "" for none.
func NearestWord(word string, list []string) string {
	best, bestDistance := "", len(word)/3+1
	for _, candidate := range list {
		if d := spelling.Distance([]rune(strings.ToLower(word)), []rune(strings.ToLower(candidate))); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// AtMost refuses further arguments, in the user's language.
func (a *Context) AtMost(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			if hint := a.DashHint(args[n]); hint != "" {
				return Fail(ExitUsage, errors.New(a.T("unexpected argument %q", args[n])), hint)
			}
			return a.Usagef("unexpected argument %q", args[n])
		}
		return nil
	}
}

// UnknownCommand returns the failure for an unknown command, with the nearest
// one.
func (a *Context) UnknownCommand(root *cobra.Command, name string) error {
	if hint := a.DashHint(name); hint != "" {
		return Fail(ExitUsage, errors.New(a.T("unknown command %q", name)), hint)
	}
	if near := NearestWord(name, commandNames(root)); near != "" {
		return Fail(ExitUsage, errors.New(a.T("unknown command %q", name)), a.T("Did you mean %s?", near))
	}
	return a.Usagef("unknown command %q", name)
}

func commandNames(cmd *cobra.Command) (names []string) {
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	return names
}
