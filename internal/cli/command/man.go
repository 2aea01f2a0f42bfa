package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/i18n"
)

// WithSubcommands returns a command and all its subcommands.
func WithSubcommands(cmd *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			list = append(list, WithSubcommands(sub)...)
		}
	}
	return list
}

// manDate is when the pages were last edited: the same program writes the same
// pages on any day.
const manDate = "2026-11-30"

// Roff writes a page in the man macros, which groff and mandoc read.
func (a *Context) Roff(p helpPage) string { return roff{a}.page(p) }

// roff writes manual pages in the language of a.
type roff struct{ a *Context }

func (r roff) page(p helpPage) string {
	name := strings.ReplaceAll(p.Command, " ", "-")
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"%s\" \"Yan\" \"%s\"\n", escapeRoff(strings.ToUpper(name)), manDate, escapeRoff(r.a.T("Yan Manual")))
	b.WriteString(".nh\n.ad l\n")
	section := func(title string) {
		fmt.Fprintf(&b, ".SH \"%s\"\n", escapeRoff(sectionTitle(title)))
	}
	section(r.a.T("NAME"))
	b.WriteString(r.filled(escapeRoff(name)+" \\- "+r.line(p.short)) + "\n")
	section(r.a.T("SYNOPSIS"))
	for i, u := range p.usage {
		if i > 0 {
			b.WriteString(".br\n")
		}
		fmt.Fprintf(&b, "\\fB%s\\fR\n", r.line(u))
	}
	section(r.a.T("DESCRIPTION"))
	for i, paragraph := range p.about {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		b.WriteString(r.filled(r.line(paragraph)) + "\n")
	}
	for _, l := range p.lists {
		if len(l.Entries) == 0 {
			continue
		}
		section(l.Title)
		for _, e := range l.Entries {
			fmt.Fprintf(&b, ".TP\n\\fB%s\\fR\n%s\n", r.line(strings.TrimSpace(e.Term)), r.filled(r.line(e.Text)))
		}
	}
	if len(p.examples) > 0 {
		section(r.a.T("Examples:"))
		b.WriteString(".nf\n")
		for _, e := range p.examples {
			b.WriteString(r.line(e) + "\n")
		}
		b.WriteString(".fi\n")
	}
	section(r.a.T("FILES"))
	for _, f := range r.files() {
		fmt.Fprintf(&b, ".TP\n\\fB%s\\fR\n%s\n", escapeRoff(f.Term), r.filled(r.line(f.Text)))
	}
	section(r.a.T("SEE ALSO"))
	for i, other := range p.related {
		end := ","
		if i == len(p.related)-1 {
			end = ""
		}
		fmt.Fprintf(&b, "\\fB%s\\fR(1)%s\n", escapeRoff(strings.ReplaceAll(other, " ", "-")), end)
	}
	return b.String()
}

// files lists the files that every command may use.
func (r roff) files() []ListEntry {
	return []ListEntry{
		{"~/.config/yan/config.toml", r.a.T("the accounts; see YAN_CONFIG")},
		{"~/.config/yan/secrets.age", r.a.T("their secrets, encrypted, on a machine without a keyring")},
		{"~/.local/share/yan/outbox.db", r.a.T("the outbox; see --outbox")},
	}
}

// sectionTitle returns a title in capitals, except for the flags in it.
func sectionTitle(title string) string {
	words := strings.Split(strings.TrimRight(title, ":："), " ")
	for i, word := range words {
		if !strings.Contains(word, "--") {
			words[i] = strings.ToUpper(word)
		}
	}
	return strings.Join(words, " ")
}

// escapeRoff escapes a text for roff, with hyphens that can be copied.
func escapeRoff(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
}

// plainly replaces characters that man(1) drops on a terminal without UTF-8, where
// "ADDRESS…" would say something else.
var plainly = strings.NewReplacer("…", "...", "“", `\(lq`, "”", `\(rq`, "–", `\(en`, "—", `\(em`, "→", `\(->`, "←", `\(<-`, "×", `\(mu`, "·", `\(pc`,
	"你好", "Hello", "腾讯企业邮箱", "exmail", "早", "Morning", "雁", "Yan")

// line is escape for text that may begin a line, where a dot or an apostrophe would be
// a request. It also marks where Chinese may be broken.
func (r roff) line(s string) string {
	s = escapeRoff(s)
	if r.a.Language() == i18n.Chinese {
		s = breakable(s)
	} else {
		s = plainly.Replace(s)
	}
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

// filled breaks a text into short input lines, as roff's checkers want them; the printed
// page is the same.
func (r roff) filled(s string) string {
	if r.a.Language() == i18n.Chinese { // a line end would be a blank
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

// breakable allows a line break between any two Chinese characters.
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
