package sendcmd

import (
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/internal/mailfiles/mbox"
	"github.com/yanmail/yan/message"
)

// findOptions returns the flags as options of package mailfiles.
func (s *rawFlags) findOptions() mailfiles.Options {
	rule := map[string]mbox.Rule{"alike": mbox.Alike, "every": mbox.Every}[s.mbox]
	return mailfiles.Options{FromLines: rule, Marked: s.marked, Raw: s.rawOptions()}
}

// rawOptions returns how each message is read.
func (s *rawFlags) rawOptions() message.Raw {
	return message.Raw{Fit: s.fit, Date: s.began, Author: s.author, ReplaceAuthor: s.setFrom == "always"}
}

// findAuthor sets the mailbox that --set-from writes into From.
func (r *rawReader) findAuthor() error {
	r.s.began = r.Now()
	id, err := r.SelectAccount(r.s.account, r.s.Server, r.StatedSender(r.s.sender, r.s.from))
	if err != nil {
		return err
	}
	if r.s.setFrom == "" && id != nil {
		r.s.setFrom = id.SetFrom
	}
	if r.s.setFrom == "" {
		return nil
	}
	text := r.s.from
	if text == "" {
		flags := *r.s
		flags.id = id
		if text, err = r.senderAddress(&flags); err != nil {
			return err
		}
	}
	box, err := message.ParseMailbox(text)
	if err != nil {
		return r.ComposeFailure(err)
	}
	r.s.author = &box
	return nil
}

// printLeftOut prints how many messages of a file or folder are not sent, and why.
func (r *rawReader) printLeftOut(name string, found mailfiles.FoundMessages) {
	if r.s.quiet {
		return
	}
	shown := command.QuoteName(name)
	if found.Deleted > 0 {
		r.Errf("%s\n", r.T("%s: skipped %d marked as deleted", shown, found.Deleted))
	}
	if found.Drafts > 0 {
		r.Errf("%s\n", r.T("%s: skipped %d marked as drafts", shown, found.Drafts))
	}
	if found.Internal > 0 {
		r.Errf("%s\n", r.T("%s: skipped %d with internal data of a mail server", shown, found.Internal))
	}
}
