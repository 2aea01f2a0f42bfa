package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/words"
)

// Below is a command with all that there are below it.
func Below(cmd *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			list = append(list, Below(sub)...)
		}
	}
	return list
}

// manDate is when the pages were last changed by hand: the same program writes the same
// page every day.
const manDate = "2026-11-30"

// Roff writes a page in the man macros, which groff and mandoc read.
func (a *Context) Roff(p page) string {
	name := strings.ReplaceAll(p.Command, " ", "-")
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
		if len(l.Entries) == 0 {
			continue
		}
		section(l.Title)
		for _, e := range l.Entries {
			fmt.Fprintf(&b, ".TP\n\\fB%s\\fR\n%s\n", a.line(strings.TrimSpace(e.Term)), a.filled(a.line(e.Text)))
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
		fmt.Fprintf(&b, ".TP\n\\fB%s\\fR\n%s\n", escape(f.Term), a.filled(a.line(f.Text)))
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
func (a *Context) manFiles() []Entry {
	return []Entry{
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
func (a *Context) line(s string) string {
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
func (a *Context) filled(s string) string {
	if a.Language() == words.Chinese { // a line end would be a blank
		return s
	}
	lines := console.Wrap(s, 78)
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
	list := console.Units(s)
	for i, u := range list {
		b.WriteString(u.Text)
		switch {
		case u.Space && i < len(list)-1:
			b.WriteByte(' ')
		case i < len(list)-1:
			b.WriteString(`\:`)
		}
	}
	return b.String()
}
