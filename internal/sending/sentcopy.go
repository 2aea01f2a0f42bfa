package sending

import (
	"context"
	"time"

	"github.com/yanmail/yan"
)

// sentMailboxes are the mailboxes for copies of sent messages, by account. An error of a mailbox
// does not change the outcome of a message, but the account saves no further copy.
type sentMailboxes map[string]*sentMailbox

// sentMailbox is the mailbox of one account.
type sentMailbox struct {
	mailbox CopyMailbox // nil if it can't be opened
	err     error
}

// close logs out.
func (b *sentMailbox) close() {
	if b.mailbox != nil {
		b.mailbox.Close()
	}
}

// dueCopy is a copy of a message that an account sent to some recipients, while others may wait for
// the next account. It is saved when the message is reported.
type dueCopy struct {
	sender    AccountSender
	messageID string
	// content is the message that this account sent; nil if the Message still has it or can open
	// it.
	content OutgoingContent
}

// addDueCopy adds a copy if the server accepted the message for a recipient.
func (r *Run) addDueCopy(m *Outgoing, result yan.Result) {
	if m.Content != nil && hasAccepted(result) {
		m.copies = append(m.copies, dueCopy{sender: r.sender, messageID: m.MessageID})
	}
}

// saveCopies saves the copies of a message after it was reported, because a mailbox may be slow.
func (r *Run) saveCopies(ctx context.Context, m *Outgoing) {
	for _, c := range m.copies {
		done := Copied{Message: m, Account: c.sender.Account, MessageID: c.messageID}
		done.Folder, done.First, done.Err = r.mailboxes.saveCopy(ctx, m, c, r.o.Now())
		r.o.Observe(ctx, done)
	}
	m.dropCopies()
}

// saveCopy saves one copy. first is true if the error was not returned before.
func (s sentMailboxes) saveCopy(ctx context.Context, m *Outgoing, c dueCopy, date time.Time) (folder string, first bool, err error) {
	b := s[c.sender.Account]
	if b == nil {
		b, first = &sentMailbox{}, true
		s[c.sender.Account] = b
		b.mailbox, b.err = c.sender.OpenSent(ctx)
	}
	if b.err != nil {
		return "", first, b.err
	}
	if c.content == nil {
		if err := m.Open(); err != nil { // for example, the file changed: the mailbox is fine
			return "", true, err
		}
		c.content = m.Content
	}
	folder, b.err = b.mailbox.Append(ctx, c.content, date)
	return folder, b.err != nil, b.err
}

// replaceContent replaces the content of a message. It keeps the old one open if a copy of it has
// to be saved.
func (m *Outgoing) replaceContent(c OutgoingContent) {
	kept := false
	for i := range m.copies {
		if m.copies[i].content == nil {
			m.copies[i].content, kept = m.Content, true
		}
	}
	if !kept {
		m.Close()
	}
	m.Content = c
}
