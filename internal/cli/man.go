package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/internal/words"
)

func (a *app) manCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "man [" + a.T("COMMAND") + "]",
		Short:   a.T("Print a manual page"),
		Example: "  yan man send | man -l -\n  yan man --dir ~/.local/share/man/man1",
		Args:    a.atMost(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir != "" && len(args) > 0 {
				return a.usagef("--dir writes all pages; leave out %q", args[0])
			}
			if dir != "" {
				return a.manAll(cmd.Root(), dir)
			}
			return a.manOne(cmd.Root(), args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, sub := range cmd.Root().Commands() {
				if sub.IsAvailableCommand() {
					names = append(names, sub.Name())
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	add(cmd, a.T("Flags:"), newOption("dir", "", &dir, a.T("FOLDER"), a.T("write all pages into this folder, which is made")))
	return cmd
}

func (a *app) manOne(root *cobra.Command, args []string) error {
	found := root
	if len(args) > 0 {
		var err error
		var rest []string
		found, rest, err = root.Find(args)
		if err != nil || found == root {
			return a.unknownCommand(root, args[0])
		}
		if len(rest) > 0 {
			return a.unknownCommand(found, rest[0])
		}
	}
	a.outf("%s", a.roff(a.page(found)))
	return nil
}

func (a *app) manAll(root *cobra.Command, dir string) error {
	cant := func(err error) error {
		return fail(exitCantCreate, sentence.Errorf("%s: %w", a.T("%s %s can't be written", a.name("dir"), printable(dir)), err), "")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return cant(err)
	}
	for _, cmd := range below(root) {
		p := a.page(cmd)
		name := filepath.Join(dir, strings.ReplaceAll(p.command, " ", "-")+".1")
		if err := os.WriteFile(name, []byte(a.roff(p)), 0o644); err != nil {
			return cant(err)
		}
	}
	return nil
}

// below is a command with all that there are below it.
func below(cmd *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			list = append(list, below(sub)...)
		}
	}
	return list
}

// manDate is when the pages were last changed by hand: the same program writes the same
// page every day.
const manDate = "2026-11-30"

// roff writes a page in the man macros, which groff and mandoc read.
func (a *app) roff(p page) string {
	name := strings.ReplaceAll(p.command, " ", "-")
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"%s\" \"Yan\" \"%s\"\n", escape(strings.ToUpper(name)), manDate, escape(a.T("Yan Manual")))
	b.WriteString(".nh\n.ad l\n")
	section := func(title string) {
		fmt.Fprintf(&b, ".SH \"%s\"\n", escape(sectionTitle(title)))
	}
	section(a.T("NAME"))
	b.WriteString(a.filled(escape(name)+" \\- "+a.line(p.short)) + "\n")
	section(a.T("SYNOPSIS"))
	for i, u := range p.usage {
		if i > 0 {
			b.WriteString(".br\n")
		}
		fmt.Fprintf(&b, "\\fB%s\\fR\n", a.line(u))
	}
	section(a.T("DESCRIPTION"))
	for i, paragraph := range p.about {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		b.WriteString(a.filled(a.line(paragraph)) + "\n")
	}
	for _, l := range p.lists {
		if len(l.entries) == 0 {
			continue
		}
		section(l.title)
		for _, e := range l.entries {
			fmt.Fprintf(&b, ".TP\n\\fB%s\\fR\n%s\n", a.line(strings.TrimSpace(e.term)), a.filled(a.line(e.text)))
		}
	}
	if len(p.examples) > 0 {
		section(a.T("Examples:"))
		b.WriteString(".nf\n")
		for _, e := range p.examples {
			b.WriteString(a.line(e) + "\n")
		}
		b.WriteString(".fi\n")
	}
	section(a.T("FILES"))
	for _, f := range a.manFiles() {
		fmt.Fprintf(&b, ".TP\n\\fB%s\\fR\n%s\n", escape(f.term), a.filled(a.line(f.text)))
	}
	section(a.T("SEE ALSO"))
	for i, other := range p.related {
		end := ","
		if i == len(p.related)-1 {
			end = ""
		}
		fmt.Fprintf(&b, "\\fB%s\\fR(1)%s\n", escape(strings.ReplaceAll(other, " ", "-")), end)
	}
	return b.String()
}

// manFiles are the files that every command may use.
func (a *app) manFiles() []entry {
	return []entry{
		{"~/.config/yan/config.toml", a.T("the accounts; see YAN_CONFIG")},
		{"~/.config/yan/secrets.age", a.T("their secrets, encrypted, on a machine without a keyring")},
		{"~/.local/share/yan/outbox.db", a.T("the outbox; see --outbox")},
	}
}

// sectionTitle is a title as manual pages have it: in capitals, but for the flags in
// it.
func sectionTitle(title string) string {
	words := strings.Split(strings.TrimRight(title, ":："), " ")
	for i, word := range words {
		if !strings.Contains(word, "--") {
			words[i] = strings.ToUpper(word)
		}
	}
	return strings.Join(words, " ")
}

// escape makes a text plain to roff: a hyphen that can be copied, and no
// backslash that does something.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
}

// plainly replaces what a terminal without UTF-8 has no sign for: there man(1) drops it,
// and "ADDRESS…" would say something else.
var plainly = strings.NewReplacer("…", "...", "“", `\(lq`, "”", `\(rq`, "–", `\(en`, "—", `\(em`, "→", `\(->`, "←", `\(<-`, "×", `\(mu`, "·", `\(pc`,
	"你好", "Hello", "腾讯企业邮箱", "exmail", "早", "Morning", "雁", "Yan")

// line is escape for text that may begin a line, where a dot or an apostrophe
// would be a request. Chinese may be broken between its characters, for which roff
// has to be told.
func (a *app) line(s string) string {
	s = escape(s)
	if a.Language() == words.Chinese {
		s = breakable(s)
	} else {
		s = plainly.Replace(s)
	}
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

// filled breaks a text into short lines of input, as roff's checkers want them; how it is
// printed does not depend on that.
func (a *app) filled(s string) string {
	if a.Language() == words.Chinese { // a line end would be a blank
		return s
	}
	lines := wrap(s, 78)
	for i, l := range lines {
		if strings.HasPrefix(l, ".") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

// breakable puts a place where a line may end between Chinese characters.
func breakable(s string) string {
	var b strings.Builder
	list := units(s)
	for i, u := range list {
		b.WriteString(u.text)
		switch {
		case u.space && i < len(list)-1:
			b.WriteByte(' ')
		case i < len(list)-1:
			b.WriteString(`\:`)
		}
	}
	return b.String()
}
