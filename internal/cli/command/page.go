package command

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/yanmail/yan/internal/cli/console"
)

// helpPage is the documentation of a command. The help prints it on a terminal,
// man.go as a manual page.
type helpPage struct {
	Command string // "yan send"
	short   string
	usage   []string
	about   []string // paragraphs
	lists   []List
	// examples are command lines.
	examples []string
	// related are the commands for "See also".
	related []string
}

// List is a heading with entries.
type List struct {
	Title   string
	Entries []ListEntry
}

// ListEntry is a term with its meaning.
type ListEntry struct{ Term, Text string }

// UsageLines annotates a command whose usage needs more than its Use line.
const UsageLines = "yan_usage"

// Page collects the documentation of a command.
func (a *Context) Page(cmd *cobra.Command) helpPage {
	p := helpPage{Command: cmd.CommandPath(), short: cmd.Short, usage: []string{strings.TrimSuffix(cmd.UseLine(), " [flags]")}}
	if len(cmd.Commands()) > 0 {
		p.usage = []string{cmd.CommandPath() + " " + a.T("COMMAND") + " …"}
	}
	if lines := cmd.Annotations[UsageLines]; lines != "" {
		p.usage = strings.Split(lines, "\n")
	}
	about := cmd.Long
	if about == "" {
		about = cmd.Short + a.T(".")
	}
	p.about = strings.Split(about, "\n\n")
	p.related = relatedTo(cmd)
	for line := range strings.SplitSeq(cmd.Example, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			p.examples = append(p.examples, line)
		}
	}
	commands := List{Title: a.T("Commands:")}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			commands.Entries = append(commands.Entries, ListEntry{sub.Name(), sub.Short})
		}
	}
	p.lists = append(p.lists, commands)
	p.lists = append(p.lists, flagGroups(cmd.LocalFlags())...)
	p.lists = append(p.lists, a.everyCommand(cmd.Root().PersistentFlags()))
	if more := a.Lists[cmd]; more != nil {
		p.lists = append(p.lists, more()...)
	}
	return p
}

// relatedTo returns the parent command, the subcommands, and the siblings.
func relatedTo(cmd *cobra.Command) (list []string) {
	near := cmd.Commands()
	if parent := cmd.Parent(); parent != nil {
		list = append(list, parent.CommandPath())
		if len(near) == 0 {
			near = parent.Commands()
		}
	}
	for _, other := range near {
		if other != cmd && other.IsAvailableCommand() {
			list = append(list, other.CommandPath())
		}
	}
	return list
}

// flagGroups returns one list of the flags for each heading, in order.
func flagGroups(flags *pflag.FlagSet) []List {
	var all []List
	flags.VisitAll(func(f *pflag.Flag) {
		title := annotation(f, groupOf)
		if title == "" || f.Hidden {
			return
		}
		if len(all) == 0 || all[len(all)-1].Title != title {
			all = append(all, List{Title: title})
		}
		last := &all[len(all)-1]
		last.Entries = append(last.Entries, flagEntry(f))
	})
	return all
}

func flagEntry(f *pflag.Flag) ListEntry {
	lead := "    "
	if f.Shorthand != "" {
		lead = "-" + f.Shorthand + ", "
	}
	return ListEntry{lead + valueName(f), f.Usage}
}

func (a *Context) everyCommand(flags *pflag.FlagSet) List {
	l := List{Title: a.T("For every command:")}
	flags.VisitAll(func(f *pflag.Flag) { l.Entries = append(l.Entries, flagEntry(f)) })
	return l
}

// ServerForms lists the URLs that --server accepts; a test compares them with
// transport.Schemes.
func (a *Context) ServerForms() List {
	return List{a.T("Servers:"), []ListEntry{
		{"qq, gmail, example.com", a.T("a provider by its id, name or mail domain; see 'yan providers'")},
		{"smtps://user@host[:465]", a.T("TLS from the first byte; an @ in the user is written %40")},
		{"smtp://user@host[:587]", a.T("STARTTLS, required")},
		{"smtp+notls://host[:25]", a.T("no encryption")},
		{"lmtp://host[:24]", a.T("LMTP, no encryption")},
		{"lmtp+unix:///path", a.T("LMTP over a Unix socket")},
		{"host[:port]", a.T("STARTTLS, required, on ports 25, 587 and 2525; TLS from the first byte on others (default port: 465)")},
	}}
}

// Variables lists the environment variables of yan send.
func (a *Context) Variables() List {
	return List{a.T("Variables:"), []ListEntry{
		{"YAN_PASSWORD_FILE", a.T("file with the password or authorization code")},
		{"YAN_TOKEN_FILE", a.T("file with an OAuth 2.0 access token, instead of a password")},
		{"YAN_PASSWORD, YAN_TOKEN", a.T("the secret itself, if no file is given")},
		{"YAN_…", a.T("any flag: --to-policy is YAN_TO_POLICY")},
		{"EMAIL", a.T("sender, if there is no -f")},
		{"ALL_PROXY, NO_PROXY", a.T("the proxy, and hosts to connect to without it; never used for this machine")},
		{"NO_COLOR", a.T("any value turns colours off")},
	}}
}

// ExitStatuses lists the exit statuses with their meanings.
func (a *Context) ExitStatuses() List {
	l := List{Title: a.T("Exit status:")}
	for _, s := range a.Statuses() {
		l.Entries = append(l.Entries, ListEntry{console.Pad("", 3-len(strconv.Itoa(s.Code))) + strconv.Itoa(s.Code), s.Meaning})
	}
	return l
}
