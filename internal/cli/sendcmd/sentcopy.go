package sendcmd

import (
	"context"
	"errors"
	"slices"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/smtp"
)

// sentCopies holds the mailboxes that copies of sent messages go to, by account. An
// error there does not change the result of the message; it is reported once for each
// account, which gets no further copy in the same run.
type sentCopies map[string]*sentMailbox

// sentMailbox is the mailbox of one account.
type sentMailbox struct {
	mailbox *imapclient.Mailbox // nil if it can't be opened
	err     error
}

// close logs out of all mailboxes.
func (c sentCopies) close() {
	for _, m := range c {
		if m.mailbox != nil {
			m.mailbox.Close()
		}
	}
}

// dueCopy is a copy of a message that one account has sent to some of the recipients,
// while the others wait for the next account. It is saved after the message is reported.
type dueCopy struct {
	id        *accounts.Identity
	messageID string
	// content is what this account sent; nil if the job still has it, or can read it again.
	content content
}

// addDueCopy notes that a copy has to be saved, if the account wants one and the server
// accepted the message for a recipient.
func (r *delivery) addDueCopy(j *job, result yan.Result) {
	id := r.s.id
	accepted := slices.ContainsFunc(result.Recipients, func(o smtp.Outcome) bool { return o.Status == smtp.Accepted })
	if id != nil && accepted && j.content != nil && id.KeepsSent() {
		j.copies = append(j.copies, dueCopy{id: id, messageID: j.messageID})
	}
}

// saveCopies saves the copies of a message. Its result has been printed: a mailbox may be
// slow.
func (r *delivery) saveCopies(ctx context.Context, j *job) {
	for _, c := range j.copies {
		r.saveCopy(ctx, j, c)
	}
	j.dropCopies()
}

func (r *delivery) saveCopy(ctx context.Context, j *job, c dueCopy) {
	m := r.copies[c.id.Name]
	if m == nil {
		m = &sentMailbox{}
		r.copies[c.id.Name] = m
		if m.mailbox, m.err = r.a.OpenMailbox(ctx, c.id); m.err != nil {
			r.tellNoCopy(c.id, m.err)
		}
	}
	folder, err := "", m.err
	if err == nil && c.content == nil {
		if err = j.open(); err != nil { // its file changed, say: the mailbox is fine
			r.tellNoCopy(c.id, err)
		}
		c.content = j.content
	}
	if err == nil {
		if folder, m.err = m.mailbox.Append(ctx, c.content, r.a.Now()); m.err != nil {
			r.tellNoCopy(c.id, m.err)
		}
		err = m.err
	}
	r.tellCopy(j, c, folder, err)
}

// tellCopy says where the copy of a message is. What went wrong is told to people once,
// and to programs with each message.
func (r *delivery) tellCopy(j *job, c dueCopy, folder string, err error) {
	switch {
	case r.s.json:
		told := jsonout.SentCopy{Event: "sent_copy", File: j.name, Number: j.number, Account: c.id.Name, MessageID: c.messageID, Folder: folder}
		if err != nil {
			told.Error = err.Error()
		}
		r.a.PrintJSON(told)
	case err == nil && !r.s.quiet && len(r.jobs) == 1:
		r.bar.around(r.a.StdoutWidth > 0, func() {
			r.a.Outf("%s\n", r.a.Paint(r.a.StdoutWidth, console.Dim, "  "+r.a.T("copy in %s", folder)))
		})
	}
}

// tellNoCopy says that the message was sent all the same.
func (r *delivery) tellNoCopy(id *accounts.Identity, err error) {
	why := console.Visible(r.a.Say(err))
	var failed *imapclient.Error
	if errors.As(err, &failed) && len(failed.Folders) > 0 {
		why += "; " + r.a.T("there are %s", r.a.Listed(failed.Folders))
	}
	if s := (*secret.Error)(nil); errors.As(err, &s) {
		why = r.a.BadSecret(id.Account, err).Error()
	}
	text := r.a.T("The message was sent, but no copy was saved in the Sent folder: %s", why)
	if errors.Is(err, imapclient.ErrUnknown) {
		text = r.a.T("The message was sent; whether the copy in the Sent folder was saved is not known: %s", why)
	}
	r.bar.around(true, func() { r.a.Errf("%s\n", text) })
}
