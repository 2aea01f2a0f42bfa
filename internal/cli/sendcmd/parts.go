package sendcmd

import (
	"errors"
	"net/mail"
	"path/filepath"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/times"
	"github.com/yanmail/yan/message"
)

// identifyMessage sets the rarely used fields Sender, Date and Message-ID.
func (c *composer) identifyMessage(m *message.Message) error {
	if c.s.sender != "" {
		if err := c.Address("sender", c.s.sender); err != nil {
			return err
		}
		if _, err := message.ParseMailbox(c.s.sender); err != nil {
			return c.Wrongf("%s %q: want one address", c.Name("sender"), c.s.sender)
		}
		m.Sender = c.s.sender
	}
	if c.s.date != "" {
		date, ok := messageDate(c.s.date, time.Now())
		if !ok {
			return c.Wrongf("%s %q: want a time like 2026-12-01 09:30 or Tue, 01 Dec 2026 09:30:00 +0800", c.Name("date"), c.s.date)
		}
		m.Date = date
	}
	if c.s.messageID != "" {
		if err := message.CheckMessageID(c.s.messageID); err != nil {
			return c.Wrongf("%s %q: %v", c.Name("message-id"), c.s.messageID, err)
		}
		m.MessageID = c.s.messageID
	}
	return nil
}

// messageDate parses a time in the forms of --at, or a date as header fields have it.
func messageDate(text string, now time.Time) (time.Time, bool) {
	if t, ok := times.Parse(text, now); ok {
		return t, true
	}
	t, err := mail.ParseDate(text)
	return t, err == nil
}

// addInvitation adds a calendar file to the message: as the part that mail programs answer, and as an
// attachment for the others. The calendar supplies the subject and the text if they were not given.
func (c *composer) addInvitation(m *message.Message) error {
	if c.s.inviteFile == "" {
		return nil
	}
	where := c.Name("invite") + " " + command.QuoteName(c.s.inviteFile)
	calendar, err := c.readText("invite", c.s.inviteFile)
	if err == nil {
		calendar, err = c.decodeText(where, calendar, c.s.inviteFile == "-")
	}
	if err != nil {
		return err
	}
	part, err := message.Invitation(calendar)
	if err != nil {
		hint := ""
		if strings.Contains(strings.ToUpper(calendar), "BEGIN:VCALENDAR") {
			hint = c.T("To send it as a plain file: %s", "-a "+command.QuoteName(c.s.inviteFile))
		}
		return command.Fail(command.ExitData, errors.New(c.T("%s: %v", where, err)), hint)
	}
	name := filepath.Base(c.s.inviteFile)
	if c.s.inviteFile == "-" {
		name = "invite.ics"
	}
	m.Alternatives = append(m.Alternatives, part)
	m.Attachments = append(m.Attachments, message.InvitationFile(name, calendar))
	summary, text := message.InvitationText(calendar)
	if !c.changed("subject") {
		m.Subject = summary
	}
	if m.Text == "" && m.HTML == "" && !c.changed("body") {
		m.Text = text
	}
	return nil
}

// textForHTML adds a plain text to a message that has HTML only, unless the user asked for an empty
// text.
func (c *composer) textForHTML(m *message.Message) {
	if m.HTML != "" && m.Text == "" && !c.changed("body") && !c.changed("body-file") {
		m.Text = message.PlainText(m.HTML)
	}
}

// noteImages prints which images the HTML lacks, and which it does not show.
func (c *composer) noteImages(m *message.Message) {
	if m.HTML == "" || c.s.quiet {
		return
	}
	missing, unused := message.CheckImages(m)
	for _, name := range missing {
		c.Hint(c.T("The HTML refers to cid:%s, but no --inline provides it: recipients will see a gap.", console.ClipText(name)))
	}
	for _, name := range unused {
		c.Hint(c.T("The HTML does not show %s; add <img src=\"cid:%s\">.", command.QuoteName(name), name))
	}
}

// noteEncoded prints a hint if the subject looks encoded already: it is sent as it was typed.
func (c *composer) noteEncoded() {
	if strings.HasPrefix(c.s.subject, "=?") && strings.HasSuffix(c.s.subject, "?=") && !c.s.quiet {
		c.Hint(c.T("The subject looks already encoded and recipients will see it encoded; give it as plain text."))
	}
}
