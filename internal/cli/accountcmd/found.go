package accountcmd

import (
	"slices"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/files/homedir"
	"github.com/yanmail/yan/internal/settingsimport"
)

// printFound prints the accounts found in the settings of other programs, and the settings that are
// not taken over. named limits the output to these accounts; empty means all.
func (a *importer) printFound(f *account.File, all []settingsimport.Settings, list []*importCandidate, named []string) {
	for _, settings := range all {
		a.Outf("%s  %s\n", a.Paint(a.StdoutWidth, console.Bold, string(settings.Program)), a.shortPaths(settings.Files))
		rows := [][2]string{}
		for _, h := range list {
			if h.program == settings.Program && (len(named) == 0 || slices.Contains(named, h.name)) {
				rows = append(rows, a.foundRows(f, h)...)
			}
		}
		a.printRows(rows)
		if len(rows) == 0 {
			a.Outf("  %s\n", a.T("no account"))
		}
		if len(settings.Notes) > 0 {
			a.Outf("  %s\n", a.T("not imported:"))
		}
		for _, n := range settings.Notes {
			text := a.noteText(n)
			if n.Setting != "" {
				text = n.Setting + a.T(": %s", text)
			}
			a.Outf("    %s  %s\n", a.Paint(a.StdoutWidth, console.Dim, a.shortPath(n.Place())), text)
		}
	}
}

// foundRows returns the rows of a found account: sender, server and notes.
func (a *importer) foundRows(f *account.File, h *importCandidate) [][2]string {
	sender := h.Account.From
	if sender == "" {
		sender = "?"
	}
	title := sender + "  " + accounts.ServerOf(h.Account).String()
	if h.Account.From == "" {
		title = sender + "  " + h.Account.Server
	}
	if _, exists := f.Account(h.name); exists {
		title += "  " + a.T("(an account with this name exists already)")
	}
	lines := []string{title}
	switch {
	case !h.Password.IsZero():
		lines = append(lines, a.T("its password is in cleartext there"))
	case h.Account.Secret.Command != "":
		lines = append(lines, a.T("its password is the output of %q", shownCommand(h.Account.Secret.Command)))
	case h.Account.Secret.Netrc != "":
		lines = append(lines, a.T("its password is in the netrc file"))
	}
	for _, n := range h.Notes {
		text := a.noteText(n)
		if n.Reason == settingsimport.Plaintext && h.Account.User == "" && h.Account.Secret == (account.Secret{}) && h.Password.IsZero() {
			text = a.T("the connection to %s is not encrypted", n.Detail) // there is no password to mention
		}
		lines = append(lines, "! "+text)
	}
	return [][2]string{{h.name, strings.Join(lines, "\n")}}
}

// noteText explains a note about a setting.
func (a *importer) noteText(n settingsimport.Note) string {
	switch n.Reason {
	case settingsimport.Plaintext:
		return a.T("the connection to %s is not encrypted; yan sends a password over it only with allow_cleartext_password", n.Detail)
	case settingsimport.NoSecret:
		return a.T("the settings contain no password; 'yan login' asks for it")
	case settingsimport.NoSender:
		return a.T("the settings contain no sender address; use --sender")
	case settingsimport.Spelled:
		return a.T("the command that prints its password seems to contain it, in a form yan can't read; not imported")
	case settingsimport.Renamed:
		return a.T("original name: %q", n.Detail)
	case settingsimport.ImplicitS:
		return a.T("port %s uses TLS from the first byte, so smtps:// is used", n.Detail)
	case settingsimport.NoCounterpart:
		if n.Detail != "" {
			return a.T("yan has no equivalent setting (%s)", n.Detail)
		}
		return a.T("yan has no equivalent setting")
	case settingsimport.Differs:
		return a.T("yan's setting of this name limits a whole run, not each wait; set it yourself if you want that")
	case settingsimport.Always:
		return a.T("yan does this automatically")
	case settingsimport.Fits:
		return a.T("yan does this for messages it composes; for existing messages use '%s'", "yan send --raw --fit")
	case settingsimport.ProtectionOff:
		return a.T("this would disable certificate checks; yan always checks certificates")
	case settingsimport.Unknown:
		if n.Detail != "" {
			return a.T("unknown setting; perhaps %s was meant", n.Detail)
		}
		return a.T("unknown setting")
	case settingsimport.BadValue:
		if n.Detail != "" {
			return a.T("%s can't be used", n.Detail)
		}
		return a.T("invalid value")
	}
	return a.rarerReason(n)
}

func (a *importer) rarerReason(n settingsimport.Note) string {
	switch n.Reason {
	case settingsimport.Runs:
		return a.T("this runs a command; yan does not run it during import")
	case settingsimport.Mechanism:
		return a.T("yan has no mechanism %s; it uses the best one", n.Detail)
	case settingsimport.Unused:
		return a.T("this setting has no effect there either")
	case settingsimport.Conditional:
		return a.T("this applies only under a condition")
	case settingsimport.OtherUser:
		return a.T("this is for another user")
	case settingsimport.OtherMatter:
		return a.T("lines unrelated to sending: %d", n.Count)
	case settingsimport.LocalProgram:
		return a.T("this sends through a local program")
	case settingsimport.NoServer:
		if n.Detail != "" {
			return a.T("invalid server %q", n.Detail)
		}
		return a.T("no server given")
	case settingsimport.Unreadable:
		return a.T("can't read it: %s", n.Detail)
	case settingsimport.TooDeep:
		return a.T("%s is included too many times", a.shortPath(n.Detail))
	}
	return a.T("can't read this line")
}

// shortPath writes ~ for the home folder.
func (a *importer) shortPath(path string) string {
	return homedir.Abbreviate(path, homedir.Find(a.Getenv))
}

func (a *importer) shortPaths(paths []string) string {
	short := make([]string, len(paths))
	for i, p := range paths {
		short[i] = a.shortPath(p)
	}
	return a.Listed(short)
}

// printImported prints the accounts that were added, and the next step.
func (a *importer) printImported(f *account.File, list []*importCandidate) {
	var kept, clear []string
	lacking := ""
	for _, h := range list {
		if !h.kept {
			continue
		}
		kept = append(kept, h.name)
		if !h.Password.IsZero() && !slices.Contains(clear, a.shortPath(h.File)) {
			clear = append(clear, a.shortPath(h.File))
		}
		if h.Has(settingsimport.NoSecret) && lacking == "" {
			lacking = h.name
		}
	}
	var skipped []string
	for _, h := range list {
		if h.skipped {
			skipped = append(skipped, h.name)
		}
	}
	if len(skipped) > 0 {
		a.Outf("\n%s\n", a.T("Unchanged, because accounts with these names exist (use %s to replace them): %s", "--replace", a.Listed(skipped)))
	}
	if len(kept) == 0 {
		a.Outf("\n%s\n", a.T("Nothing changed."))
		return
	}
	a.Outf("\n%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("Imported into %s: %s", command.QuoteName(f.Path()), a.Listed(kept)))
	if lacking != "" {
		a.Outf("  %s\n", a.T("Set the password of %s: %s", lacking, "yan login "+lacking))
	}
	a.Outf("  %s\n", a.T("Test it: %s", "yan account test "+kept[0]))
	if len(clear) > 0 {
		a.Outf("  %s\n", a.T("The password is still in cleartext in %s; delete it there when the other program no longer needs it.", a.Listed(clear)))
	}
}

func importResult(all []settingsimport.Settings, list []*importCandidate) []jsonout.Import {
	result := []jsonout.Import{}
	for _, settings := range all {
		j := jsonout.Import{Program: string(settings.Program), Files: settings.Files, Accounts: []jsonout.ImportFound{}, Notes: notesJSON(settings.Notes)}
		for _, h := range list {
			if h.program == settings.Program {
				j.Accounts = append(j.Accounts, h.jsonResult())
			}
		}
		result = append(result, j)
	}
	return result
}

func (h *importCandidate) jsonResult() jsonout.ImportFound {
	j := jsonout.ImportFound{Name: h.name, From: h.Account.From, Server: h.Account.Server, User: h.Account.User, Secret: "none", Default: h.Default,
		File: h.File, Line: h.Line, Kept: h.kept, Notes: notesJSON(h.Notes)}
	if server := accounts.ServerOf(h.Account); server.Host != "" {
		j.Server = server.String()
	}
	switch {
	case !h.Password.IsZero():
		j.Secret = "password"
	case h.Account.Secret.Command != "":
		j.Secret = "command"
	case h.Account.Secret.Netrc != "":
		j.Secret = "netrc"
	}
	return j
}

func notesJSON(notes []settingsimport.Note) []jsonout.ImportNote {
	list := []jsonout.ImportNote{}
	for _, n := range notes {
		list = append(list, jsonout.ImportNote{File: n.File, Line: n.Line, Setting: n.Setting, Reason: string(n.Reason), Detail: n.Detail, Count: n.Count})
	}
	return list
}
