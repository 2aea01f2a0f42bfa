package cli

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/internal/mbox"
)

// rawFlags are the flags of send that say how whole messages are read.
type rawFlags struct {
	mbox   string // a word of mboxWords, or "" for neither
	marked bool
}

// mboxWords are what --mbox takes.
func mboxWords() []string { return []string{"alike", "every"} }

func (s *rawFlags) registerRaw(a *app, cmd *cobra.Command) {
	add(cmd, a.T("Whole messages (--raw):"),
		option{"mbox", "", &s.mbox, "alike|every", a.T("\"From \" lines of an mbox file that do not look like its first: alike reads them as text, every starts a message at each (default: such a file is refused)")},
		option{"include-deleted", "", &s.marked, "", a.T("also send messages that are marked as deleted or as drafts")},
	)
	complete(cmd, "mbox", mboxWords)
}

// rawFlagNames are the flags that need --raw.
func rawFlagNames() []string { return []string{"mbox", "include-deleted"} }

// checkRawFlags finds flags that make no sense.
func (a *app) checkRawFlags(s *sendFlags, changed func(string) bool) error {
	for _, flag := range rawFlagNames() {
		if changed(flag) && !s.raw && a.origin[flag] == "" {
			return a.wrongf("%s is for --raw: it says how whole messages are read", a.name(flag))
		}
	}
	if s.mbox != "" && !contains(mboxWords(), s.mbox) {
		return a.wrongf("%s %q: want one of %s", a.name("mbox"), s.mbox, a.listed(mboxWords()))
	}
	return nil
}

// findOptions are the flags as package mailfiles takes them.
func (s *rawFlags) findOptions() mailfiles.Options {
	rule := map[string]mbox.Rule{"alike": mbox.Alike, "every": mbox.Every}[s.mbox]
	return mailfiles.Options{FromLines: rule, Marked: s.marked}
}

// tellLeftOut says how many messages of a file or folder are not sent, and why.
func (a *app) tellLeftOut(s *sendFlags, name string, found mailfiles.Found) {
	if s.quiet {
		return
	}
	shown := printable(name)
	if found.Deleted > 0 {
		a.errf("%s\n", a.T("%s: left out %d marked as deleted", shown, found.Deleted))
	}
	if found.Drafts > 0 {
		a.errf("%s\n", a.T("%s: left out %d marked as drafts", shown, found.Drafts))
	}
	if found.Internal > 0 {
		a.errf("%s\n", a.T("%s: left out %d that only holds data of a mail server", shown, found.Internal))
	}
}
