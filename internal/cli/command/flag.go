package command

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/i18n"
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

// takesVariable reports whether a flag can be set by its variable. YAN_SERVER
// and the like are set in a profile for 'yan send'; in 'yan login' and 'yan
// account' they would decide where the secret of any account is sent, and whose
// it is.
//
// Flags that select messages of the outbox have no variable, and neither have
// the time and the key of a message: YAN_ALL or YAN_KEY in a profile would
// affect more than intended.
func takesVariable(path, flag string) bool {
	if path == "yan serve" && strings.HasPrefix(flag, "smtp-") { // YAN_SMTP_CERT would end the service
		return false
	}
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

// Complete registers the values of a flag for shell completion.
func Complete(cmd *cobra.Command, flag string, values func() []string) {
	// The only possible error is that the flag is not registered.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
}

// AddLists adds lists to the end of a command's page. They are created when the
// page is shown.
func (a *Context) AddLists(cmd *cobra.Command, lists func() []List) { a.Lists[cmd] = lists }
