package command

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/text/spelling"
)

// option is one flag. The current value of to is the default.
type option struct {
	name, short string
	to          any    // *string, *[]string, *bool, *int or *time.Duration
	value       string // the placeholder in the help; "" for a switch
	text        string
}

// NewOption returns a flag: its name and letter ("" for none), the variable,
// the placeholder of its value ("" for a switch), and the text of the help.
func NewOption(name, short string, to any, value, text string) option {
	return option{name: name, short: short, to: to, value: value, text: text}
}

// The annotations of a flag for the help.
const (
	ValueOf = "yan_value"
	groupOf = "yan_group"
)

// Add adds flags to a command; the help shows them under one heading.
func Add(cmd *cobra.Command, group string, options ...option) {
	f := cmd.Flags()
	f.SortFlags = false
	for _, o := range options {
		switch to := o.to.(type) {
		case *string:
			f.StringVarP(to, o.name, o.short, *to, o.text)
		case *[]string:
			f.StringArrayVarP(to, o.name, o.short, *to, o.text)
		case *bool:
			f.BoolVarP(to, o.name, o.short, *to, o.text)
		case *int:
			f.IntVarP(to, o.name, o.short, *to, o.text)
		case *time.Duration:
			f.DurationVarP(to, o.name, o.short, *to, o.text)
		}
		f.Lookup(o.name).Annotations = map[string][]string{ValueOf: {o.value}, groupOf: {group}}
	}
}

// Variable returns the environment variable of a flag: YAN_TO_POLICY for
// --to-policy.
func Variable(flag string) string {
	return "YAN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Name returns how the user set a flag: "--to", or "YAN_TO".
func (a *Context) Name(flag string) string {
	if from, ok := a.Origin[flag]; ok {
		return from
	}
	return "--" + flag
}

// takesVariable reports whether a flag can be set by its variable. YAN_SERVER
// and the like are set in a profile for 'yan send'; in 'yan login' and 'yan
// account' they would decide where the secret of any account is sent, and whose
// it is.
//
// Flags that select messages of the outbox have no variable, and neither have
// the time and the key of a message: YAN_ALL or YAN_KEY in a profile would
// affect more than intended.
func takesVariable(path, flag string) bool {
	if path == "yan send" && slices.Contains([]string{"at", "key"}, flag) {
		return false
	}
	if strings.HasPrefix(path+" ", "yan queue ") {
		return slices.Contains([]string{"outbox", "json", "quiet", "lang"}, flag)
	}
	if strings.HasPrefix(path+" ", "yan token ") { // YAN_FROM would limit every token
		return slices.Contains([]string{"account", "json", "lang"}, flag)
	}
	if !strings.HasPrefix(path+" ", "yan login ") && !strings.HasPrefix(path+" ", "yan account ") {
		return true
	}
	switch flag {
	case "server", "user", "auth", "from":
		return false
	}
	return !strings.HasPrefix(flag, "secret-")
}

// Environment sets every flag that was not given from its variable.
func (a *Context) Environment(cmd *cobra.Command) error {
	a.Command = cmd.CommandPath()
	var firstErr error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		v := a.Getenv(Variable(f.Name))
		if f.Changed || v == "" || f.Name == "help" || f.Name == "version" || firstErr != nil || !takesVariable(a.Command, f.Name) {
			return
		}
		a.Origin[f.Name] = Variable(f.Name)
		if err := f.Value.Set(v); err != nil {
			firstErr = wrongFlag{a, cmd}.badValue(f, v)
			return
		}
		f.Changed = true
	})
	if firstErr != nil {
		return firstErr
	}
	if lang, _ := cmd.Flags().GetString("lang"); lang != "" {
		if _, ok := i18n.ParseLanguage(lang); !ok {
			return a.Wrongf("%s %q: want en or zh", a.Name("lang"), lang)
		}
	}
	return nil
}

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

// valueName returns the flag as the help shows it: "--to ADDRESS", or
// "--mode[=WORD]" if the value is optional, because a separate word is then not
// its value.
func valueName(f *pflag.Flag) string {
	v := annotation(f, ValueOf)
	switch {
	case v == "":
		return "--" + f.Name
	case f.NoOptDefVal != "":
		return "--" + f.Name + "[=" + v + "]"
	}
	return "--" + f.Name + " " + v
}

func annotation(f *pflag.Flag, key string) string {
	if v := f.Annotations[key]; len(v) > 0 {
		return v[0]
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

// WithVariable returns a command line that sets a variable for one command, in
// the syntax of this system's shell.
func (a *Context) WithVariable(name, value, line string) string {
	if a.Windows { // PowerShell
		return "$env:" + name + `="` + value + `"; ` + line
	}
	return name + "=" + value + " " + line
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

// ChooseLanguage returns the language before the flags are parsed, because
// their help and errors use it.
func ChooseLanguage(args []string, s console.System) i18n.Language {
	asked := s.Getenv("YAN_LANG")
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if v, ok := strings.CutPrefix(arg, "--lang="); ok {
			asked = v
		} else if arg == "--lang" && i+1 < len(args) {
			asked = args[i+1]
		}
	}
	if lang, ok := i18n.ParseLanguage(asked); ok {
		return lang
	}
	return i18n.DetectLanguage(s.Getenv, s.SystemLanguage)
}

// NoneEmpty refuses a flag with an empty value, as "$KEY" has in a script that did not set
// it: it would select more messages than are meant, or send a message twice.
func NoneEmpty(a *Context, cmd *cobra.Command, flags ...string) error {
	for _, flag := range flags {
		f := cmd.Flags().Lookup(flag)
		if f == nil || !f.Changed || a.Origin[flag] != "" {
			continue
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if slices.ContainsFunc(values, func(v string) bool { return strings.TrimSpace(v) == "" }) {
			return a.Wrongf("%s is empty; omit it if you don't need it", a.Name(flag))
		}
	}
	return nil
}
