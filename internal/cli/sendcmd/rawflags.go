package sendcmd

import (
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/internal/mailfiles/mbox"
	"github.com/yanmail/yan/internal/sending"
	"github.com/yanmail/yan/message"
)

// rawFlags holds the flags of send that say how whole messages are read.
type rawFlags struct {
	mbox   string // a word of mboxWords; "" refuses ambiguous files
	marked bool
	skip   bool
	fit    bool
	// setFrom is a word of setFromWords, or "".
	setFrom string
	// began is when the command began; author is the mailbox that --set-from writes into From.
	began  time.Time
	author *message.Mailbox
	// bad lists the messages that --skip-bad leaves out.
	bad []badMessage
}

// badMessage is a message that can't be sent, and the error.
type badMessage struct {
	message *sending.Outgoing
	err     *command.Failure
}

// mboxWords returns the values of --mbox.
func mboxWords() []string { return []string{"alike", "every"} }

func (s *rawFlags) registerRaw(a *sendCommand, cmd *cobra.Command) {
	command.Add(cmd, a.T("Whole messages (--raw):"),
		command.NewOption("mbox", "", &s.mbox, "alike|every", a.T("\"From \" lines in an mbox file that do not look like its first: alike treats them as text, every starts a message at each (default: refuse the file)")),
		command.NewOption("include-deleted", "", &s.marked, "", a.T("also send messages marked as deleted or as drafts")),
		command.NewOption("fit", "", &s.fit, "", a.T("add a missing Date and Message-ID, and encode and fold parts that servers refuse: UTF-8 in the header, long lines, 8-bit text; signed messages are not changed")),
		command.NewOption("set-from", "", &s.setFrom, "missing|always", a.T("write the account's sender (or -f) into From: if it has no address (default), or always")),
		command.NewOption("skip-bad", "", &s.skip, "", a.T("skip and list messages that can't be sent; the exit status is then at least 65")),
	)
	cmd.Flags().Lookup("set-from").NoOptDefVal = "missing"
	command.Complete(cmd, "mbox", mboxWords)
	command.Complete(cmd, "set-from", setFromWords)
}

// setFromWords returns the values of --set-from.
func setFromWords() []string { return []string{"missing", "always"} }

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

// maxBadListed limits how many bad messages are listed.
const maxBadListed = 50

// withoutBad removes the bad messages from a run. It fails if there are any and --skip-bad is not
// set, or if none is left.
func (r *rawReader) withoutBad(messages []*sending.Outgoing, bad []badMessage) ([]*sending.Outgoing, error) {
	switch {
	case len(bad) == 0:
		return messages, nil
	case len(messages) == 1:
		return nil, bad[0].err
	}
	r.printBad(bad)
	code := command.ExitData
	for _, b := range bad {
		code = command.WorseStatus(code, b.err.Code)
	}
	switch {
	case len(bad) == len(messages):
		return nil, command.Fail(code, errors.New(r.T("none of the %d messages can be sent", len(messages))), "")
	case !r.s.skip:
		return nil, command.Fail(code, errors.New(r.T("nothing was sent: %d of %d messages are invalid", len(bad), len(messages))),
			r.T("Use %s to send the others.", "--skip-bad"))
	}
	r.s.bad = bad
	return slices.DeleteFunc(messages, func(j *sending.Outgoing) bool {
		return slices.ContainsFunc(bad, func(b badMessage) bool { return b.message == j })
	}), nil
}

// printBad lists the bad messages, and prints each hint once.
func (r *rawReader) printBad(bad []badMessage) {
	said := map[string]bool{}
	for i, b := range bad {
		if r.s.json && r.s.skip {
			r.PrintJSON(jsonout.Bad{File: b.message.File, Number: b.message.Number, Status: "bad", Exit: b.err.Code, Error: b.err.Err.Error()})
		}
		if i == maxBadListed {
			r.Errf("     %s\n", r.T("and %d more", len(bad)-i))
		}
		if i >= maxBadListed {
			continue
		}
		f := *b.err
		if said[f.Hint] {
			f.Hint = ""
		}
		said[f.Hint] = true
		r.Explain(&f)
	}
}

// countBad adds the bad messages to the exit status of a run.
func (s *rawFlags) countBad(err error) error {
	if len(s.bad) == 0 {
		return err
	}
	code := command.ExitOK
	for _, b := range s.bad {
		code = command.WorseStatus(code, b.err.Code)
	}
	if err == nil {
		return &command.Failure{Code: code, Err: errors.New("not all messages can be sent"), Told: true}
	}
	var failed *command.Failure
	if errors.As(err, &failed) {
		failed.Code = command.WorseStatus(failed.Code, code)
	}
	return err
}
